//! An admin who talks to the bot, and what stands in the chat: read back from the simulator, as the person's own client
//! would show it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use simulator::bot_api::person::{self, ChatMessage};
use simulator::server::Shared;
use simulator::world::keyboard::Press as Pressed;
use simulator::world::user::User;
use simulator::world::{MessageId, UserId, World};
use transfer::dialogue::press::Press;
use transfer::text::Language;

use crate::failure::Failure;
use crate::terminal::Terminal;

/// The simulated bot.
pub const BOT: UserId = UserId(7_900_000_001);
/// Its name, without `@`.
pub const BOT_USERNAME: &str = "ferry_bot";
/// Its token; the simulator's alone.
const BOT_TOKEN: &str = "7900000001:simulated-ferry-bot-token";
/// The simulated person whom it obeys.
pub const ADMIN: UserId = UserId(6_000_000_001);
/// How long the admin waits for an answer before giving up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Puts a bot and its admin into a world.
pub fn cast(world: &mut World, language: Language) {
    world.add_bot(BOT, BOT_USERNAME, "Ferry", BOT_TOKEN);
    let mut admin = User::new(ADMIN, "", "Admin");
    admin.language_code = Some(language.tag().to_owned());
    world.add_user(admin);
}

/// The simulated bot's token.
pub fn token() -> SecretString {
    SecretString::from(BOT_TOKEN)
}

/// The admin's side of the chat. Whatever happens there is shown as it happens.
pub struct Admin<'a> {
    shared: &'a Arc<Shared>,
    terminal: &'a Terminal,
    /// What was shown of each message.
    shown: RefCell<BTreeMap<MessageId, ChatMessage>>,
}

impl<'a> Admin<'a> {
    /// An admin with an empty chat.
    pub fn new(shared: &'a Arc<Shared>, terminal: &'a Terminal) -> Self {
        Self { shared, terminal, shown: RefCell::default() }
    }

    /// Writes something.
    ///
    /// # Errors
    /// Telegram does not take it.
    pub fn says(&self, text: &str) -> Result<(), Failure> {
        let said = person::say(self.shared, BOT, ADMIN, text);
        said.map(drop).map_err(|error| Failure::Failed(format!("{text:?} could not be said: {error:?}")))
    }

    /// Waits until a message has this button, and presses the newest such.
    ///
    /// # Errors
    /// There is no such button within a minute, or the bot says nothing to it.
    pub async fn presses(&self, press: &Press) -> Result<(), Failure> {
        let data = press.to_string();
        let chat =
            self.sees(&format!("a button for {data}"), PATIENCE, |chat| with_button(chat, &data).is_some()).await?;
        let Some((message, label)) = with_button(&chat, &data) else {
            return Err(Failure::Failed(format!("the button for {data} went away")));
        };
        self.terminal.line(format!("👤 presses [ {label} ]"));
        let answer = person::press(self.shared, BOT, ADMIN, message, &data).await;
        let answer = answer.map_err(|error| Failure::Failed(format!("[ {label} ] was not answered: {error:?}")))?;
        if let Some(word) = answer.text {
            self.terminal.line(format!("🤖 … {word}"));
        }
        Ok(())
    }

    /// Waits until the chat is as `holds` wants it.
    ///
    /// # Errors
    /// It is not within `patience`; `what` says what was waited for.
    pub async fn sees(
        &self,
        what: &str,
        patience: Duration,
        holds: impl Fn(&[ChatMessage]) -> bool,
    ) -> Result<Vec<ChatMessage>, Failure> {
        let seen = person::chat_when(self.shared, BOT, ADMIN, patience, |chat| {
            self.show(chat);
            holds(chat)
        });
        seen.await.ok_or_else(|| Failure::Failed(format!("the admin waited {} s for {what}", patience.as_secs())))
    }

    /// The chat as it stands now, with what was not shown yet.
    pub fn looks(&self) -> Vec<ChatMessage> {
        let chat = self.shared.with_world(|world| person::chat(world, BOT, ADMIN));
        self.show(&chat);
        chat
    }

    fn show(&self, chat: &[ChatMessage]) {
        let mut shown = self.shown.borrow_mut();
        for message in chat {
            let before = shown.get(&message.id);
            if before.is_some_and(|before| (&before.text, &before.buttons) == (&message.text, &message.buttons)) {
                continue;
            }
            for line in lines(message, before.is_some()) {
                self.terminal.line(line);
            }
            shown.insert(message.id, message.clone());
        }
    }
}

/// The newest message with a button that sends this, and what stands on the button.
pub fn with_button(chat: &[ChatMessage], data: &str) -> Option<(MessageId, String)> {
    chat.iter().rev().find_map(|message| {
        let mut buttons = message.buttons.buttons();
        let button = buttons.find(|button| matches!(&button.press, Pressed::Callback(sends) if sends == data))?;
        Some((message.id, button.text.clone()))
    })
}

/// A message as it looks in a chat: its text, and its buttons in rows below.
fn lines(message: &ChatMessage, is_edit: bool) -> Vec<String> {
    let who = match (message.from, is_edit) {
        ("bot", false) => "🤖 ",
        ("bot", true) => "🤖✎ ",
        (_, _) => "👤 ",
    };
    let mut lines: Vec<String> = Vec::new();
    for (n, line) in message.text.lines().enumerate() {
        lines.push(if n == 0 { format!("{who}{line}") } else { format!("   {line}") });
    }
    for row in &message.buttons.rows {
        let buttons: Vec<String> = row.iter().map(|button| format!("[ {} ]", button.text)).collect();
        lines.push(format!("   {}", buttons.join(" ")));
    }
    lines
}
