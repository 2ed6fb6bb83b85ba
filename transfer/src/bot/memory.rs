//! A bot whose chats are lists in memory, for the simulation and for tests: it keeps Telegram's limits and nothing else.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{BUTTON_DATA_LEN_MAX, Bot, BotError, CAPTION_LEN_MAX, CommandHint, Picture, PressId, Screen};
use crate::ids::{BotMessageId, ChatId};
use crate::screen::visible_len;

/// What was said, and what stands there now.
#[derive(Debug, Default)]
pub struct MemoryBot {
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    chats: BTreeMap<ChatId, BTreeMap<BotMessageId, Screen>>,
    pictures: BTreeMap<(ChatId, BotMessageId), Picture>,
    answers: Vec<(PressId, Option<String>)>,
    commands: BTreeMap<Option<String>, Vec<CommandHint>>,
    edits: u64,
    last: i32,
}

impl MemoryBot {
    /// A bot that has said nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The messages of a chat as they stand now, oldest first.
    pub fn chat(&self, chat: ChatId) -> Vec<(BotMessageId, Screen)> {
        let told = self.lock();
        let messages = told.chats.get(&chat);
        messages.into_iter().flatten().map(|(id, screen)| (*id, screen.clone())).collect()
    }

    /// The picture that a message shows, if it is one.
    pub fn picture(&self, chat: ChatId, message: BotMessageId) -> Option<Picture> {
        self.lock().pictures.get(&(chat, message)).cloned()
    }

    /// How presses were answered, oldest first.
    pub fn answers(&self) -> Vec<(PressId, Option<String>)> {
        self.lock().answers.clone()
    }

    /// The menu of commands for a language.
    pub fn commands(&self, language_code: Option<&str>) -> Vec<CommandHint> {
        self.lock().commands.get(&language_code.map(str::to_owned)).cloned().unwrap_or_default()
    }

    /// How many edits changed something.
    pub fn edits(&self) -> u64 {
        self.lock().edits
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(screen: &Screen) -> Result<(), BotError> {
    if screen.html.trim().is_empty() {
        return Err(BotError::Refused("message text is empty".to_owned()));
    }
    let mut buttons = screen.buttons.iter().flatten();
    match buttons.find(|button| button.data.len() > BUTTON_DATA_LEN_MAX || button.data.is_empty()) {
        Some(button) => Err(BotError::Refused(format!("BUTTON_DATA_INVALID: {:?}", button.data))),
        None => Ok(()),
    }
}

fn check_photo(picture: &Picture, screen: &Screen) -> Result<(), BotError> {
    if !picture.0.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(BotError::Refused("IMAGE_PROCESS_FAILED".to_owned()));
    }
    if visible_len(&screen.html) > CAPTION_LEN_MAX {
        return Err(BotError::Refused("message caption is too long".to_owned()));
    }
    check(screen)
}

#[async_trait]
impl Bot for MemoryBot {
    async fn send(&self, chat: ChatId, screen: &Screen) -> Result<BotMessageId, BotError> {
        check(screen)?;
        let mut told = self.lock();
        told.last += 1;
        let id = BotMessageId(told.last);
        told.chats.entry(chat).or_default().insert(id, screen.clone());
        Ok(id)
    }

    async fn edit(&self, chat: ChatId, message: BotMessageId, screen: &Screen) -> Result<(), BotError> {
        check(screen)?;
        let mut told = self.lock();
        let is_picture = told.pictures.contains_key(&(chat, message));
        let shown = told.chats.get_mut(&chat).and_then(|messages| messages.get_mut(&message));
        let Some(shown) = shown else { return Err(BotError::Gone("message to edit not found".to_owned())) };
        if is_picture {
            return Err(BotError::Refused("there is no text in the message to edit".to_owned()));
        }
        let changes = shown != screen;
        shown.clone_from(screen);
        told.edits += u64::from(changes);
        Ok(())
    }

    async fn send_photo(&self, chat: ChatId, picture: &Picture, screen: &Screen) -> Result<BotMessageId, BotError> {
        check_photo(picture, screen)?;
        let id = self.send(chat, screen).await?;
        self.lock().pictures.insert((chat, id), picture.clone());
        Ok(id)
    }

    async fn edit_photo(
        &self,
        chat: ChatId,
        message: BotMessageId,
        picture: &Picture,
        screen: &Screen,
    ) -> Result<(), BotError> {
        check_photo(picture, screen)?;
        let mut told = self.lock();
        let before = told.pictures.insert((chat, message), picture.clone());
        let shown = told.chats.get_mut(&chat).and_then(|messages| messages.get_mut(&message));
        let Some(shown) = shown else {
            told.pictures.remove(&(chat, message));
            return Err(BotError::Gone("message to edit not found".to_owned()));
        };
        let changes = shown != screen || before.as_ref() != Some(picture);
        shown.clone_from(screen);
        told.edits += u64::from(changes);
        Ok(())
    }

    async fn delete(&self, chat: ChatId, message: BotMessageId) -> Result<(), BotError> {
        let mut told = self.lock();
        told.pictures.remove(&(chat, message));
        if let Some(messages) = told.chats.get_mut(&chat) {
            messages.remove(&message);
        }
        Ok(())
    }

    async fn answer(&self, press: &PressId, word: Option<&str>) -> Result<(), BotError> {
        self.lock().answers.push((press.clone(), word.map(str::to_owned)));
        Ok(())
    }

    async fn set_commands(&self, commands: &[CommandHint], language_code: Option<&str>) -> Result<(), BotError> {
        self.lock().commands.insert(language_code.map(str::to_owned), commands.to_vec());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: ChatId = ChatId(1);

    fn screen(html: &str) -> Screen {
        Screen { html: html.to_owned(), buttons: Vec::new() }
    }

    fn png(rest: &str) -> Picture {
        Picture([b"\x89PNG\r\n\x1a\n", rest.as_bytes()].concat())
    }

    #[tokio::test]
    async fn only_another_picture_takes_a_pictures_place() {
        let bot = MemoryBot::new();
        let text = bot.send(CHAT, &screen("a text")).await.unwrap();
        let picture = bot.send_photo(CHAT, &png("one"), &screen("scan")).await.unwrap();
        assert!(matches!(bot.edit(CHAT, picture, &screen("words")).await, Err(BotError::Refused(_))));
        bot.edit_photo(CHAT, picture, &png("two"), &screen("scan")).await.unwrap();
        bot.edit_photo(CHAT, picture, &png("two"), &screen("scan")).await.unwrap();
        assert_eq!((bot.picture(CHAT, picture), bot.picture(CHAT, text)), (Some(png("two")), None));
        assert_eq!(bot.edits(), 1);
        bot.delete(CHAT, picture).await.unwrap();
        let gone = bot.edit_photo(CHAT, picture, &png("three"), &screen("scan")).await;
        assert!(matches!(gone, Err(BotError::Gone(_))) && bot.picture(CHAT, picture).is_none());
    }

    #[tokio::test]
    async fn a_caption_is_shorter_than_a_text_and_a_picture_is_one() {
        let bot = MemoryBot::new();
        let long = screen(&"x".repeat(CAPTION_LEN_MAX + 1));
        assert!(bot.send(CHAT, &long).await.is_ok());
        for refused in [
            bot.send_photo(CHAT, &png("one"), &long).await,
            bot.send_photo(CHAT, &Picture(b"GIF89a".to_vec()), &screen("scan")).await,
        ] {
            assert!(matches!(refused, Err(BotError::Refused(_))), "{refused:?}");
        }
        let fits = format!("<b>{}</b>", "x".repeat(CAPTION_LEN_MAX));
        assert!(bot.send_photo(CHAT, &png("one"), &screen(&fits)).await.is_ok());
    }
}
