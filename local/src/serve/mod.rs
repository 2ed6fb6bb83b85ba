//! Ferry as a bot on one machine: engines, host, and the handler of updates in one process.
//!
//! What must stay true: the webhook is listened to before Telegram is told of it; the bot's name is known before anything
//! begins, so that a wrong token is a clear line and no silence; the host begins last, when nothing of the start can fail
//! any more; whatever ends first ends everything, cleanly.

mod beside;
pub mod polling;
pub mod webhook;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::webhook::gate::Gate;
use ::webhook::handler::Handler;
use ::webhook::receiver::Receiver;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use transfer::bot::telegram::{Identity, TelegramBot};
use transfer::bot::{Bot, BotError};
use transfer::clock::Clock;
use transfer::dialogue::menu;
use transfer::table::Table;
use transfer::text::Language;

use crate::configuration::{BotConfiguration, Configuration, WebhookConfiguration};
use crate::engines::Engines;
use crate::failure::Failure;
use crate::host::{self, Audience, BOT_ID, Life, Who};
use crate::keys::Keys;
use crate::single::Single;
use crate::terminal::Terminal;
use polling::Polling;

/// Deliveries that Telegram makes at the same time.
const CONNECTIONS_MAX: u8 = 20;
/// How long what is going on may take to end. The host gives its jobs 20 s, and closes its sessions after that: cut off
/// earlier, it would leave calls half done.
const STOP_WITHIN: Duration = Duration::from_secs(40);
/// After Telegram did not answer at the start; doubled each time.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause at the start.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// Who hands updates over to the handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// This process: by webhook if the configuration has one, else by asking.
    Own,
    /// Another process, such as the function under `cargo lambda watch`: this one says how it finds the engines.
    Beside,
}

/// Serves until it is told to stop.
///
/// # Errors
/// There is no bot in the configuration, its token is wrong, an address or the data directory is in use, or a part failed.
pub async fn serve(
    configuration: &Configuration,
    front: Front,
    terminal: &Terminal,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    bot_of(configuration)?;
    let engines = configuration.engines().await?;
    let ended = serve_on(&engines, configuration, front, terminal, stop).await;
    engines.stop().await;
    ended
}

/// The same on engines that run already.
///
/// # Errors
/// As [`serve`].
pub async fn serve_on(
    engines: &Engines,
    configuration: &Configuration,
    front: Front,
    terminal: &Terminal,
    stop: &CancellationToken,
) -> Result<(), Failure> {
    let bot = bot_of(configuration)?;
    let telegram = TelegramBot::new(&bot.telegram).map_err(|error| Failure::input(&error))?;
    Service { configuration, bot, telegram, engines, terminal, front }.run(stop).await
}

fn bot_of(configuration: &Configuration) -> Result<&BotConfiguration, Failure> {
    let none = || Failure::Input("the configuration names no bot: add [bot] with token and admins".to_owned());
    configuration.bot.as_ref().ok_or_else(none)
}

struct Service<'a> {
    configuration: &'a Configuration,
    bot: &'a BotConfiguration,
    telegram: TelegramBot,
    engines: &'a Engines,
    terminal: &'a Terminal,
    front: Front,
}

impl Service<'_> {
    async fn run(&self, stop: &CancellationToken) -> Result<(), Failure> {
        let over = stop.child_token();
        let mut parts: JoinSet<Result<(), Failure>> = JoinSet::new();
        let begun = tokio::select! {
            begun = self.begin(&mut parts, &over) => begun,
            () = stop.cancelled() => Ok(()),
        };
        let ended = match begun {
            Err(failure) => Err(failure),
            Ok(()) => tokio::select! {
                // The stop first: the parts hear of it too, and may have ended by now.
                biased;
                () = stop.cancelled() => Ok(()),
                ended = parts.join_next() => over_early(ended),
            },
        };
        over.cancel();
        let all = async { while parts.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_WITHIN, all).await.is_err() {
            tracing::warn!(within_secs = STOP_WITHIN.as_secs(), "a part did not end in time, and is cut off");
        }
        ended
    }

    async fn begin(&self, parts: &mut JoinSet<Result<(), Failure>>, over: &CancellationToken) -> Result<(), Failure> {
        let table: Arc<dyn Table> = Arc::new(self.engines.table(BOT_ID));
        host::enter(table.as_ref(), &Clock::system()).await?;
        // Before the first update: what people write is sealed from then on.
        self.keys().ready(&self.configuration.data_dir, &table, Clock::system().now()).await?;
        let identity = self.introduced().await?;
        let life = self.life().await?;
        self.set_commands().await;
        match (self.front, &self.bot.webhook) {
            (Front::Own, Some(webhook)) => self.start_webhook(webhook, parts, over).await?,
            (Front::Own, None) => self.start_polling(parts, over),
            (Front::Beside, webhook) => self.stand_beside(webhook.as_ref()).await?,
        }
        parts.spawn(life.live(over.clone()));
        let data_dir = self.configuration.data_dir.display();
        self.say(&format!("@{} is served; data in {data_dir}. Ctrl-C stops", identity.username));
        Ok(())
    }

    /// Beside another process, everything that is said is for its shell.
    fn say(&self, line: &str) {
        let mark = if self.front == Front::Beside { "# " } else { "" };
        self.terminal.line(format!("{mark}{line}"));
    }

    /// The bot's name.
    async fn introduced(&self) -> Result<Identity, Failure> {
        self.patiently(|| self.telegram.identity()).await.map_err(|error| match error {
            BotError::Refused(why) | BotError::Gone(why) => {
                Failure::Input(format!("telegram does not know the bot ({why}): is bot.token what @BotFather told?"))
            }
            other => Failure::failed(&other),
        })
    }

    /// Asks until Telegram says yes or no, because machines start before their networks.
    async fn patiently<T, F>(&self, ask: impl Fn() -> F) -> Result<T, BotError>
    where
        F: Future<Output = Result<T, BotError>>,
    {
        let mut pause = PAUSE_MIN;
        loop {
            let (error, asked) = match ask().await {
                Err(error @ BotError::RetryAfter { secs }) => (error, Duration::from_secs(secs)),
                Err(error @ BotError::Failed(_)) => (error, Duration::ZERO),
                answered => return answered,
            };
            self.say(&format!("{error}; trying again"));
            tokio::time::sleep(pause.max(asked)).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    /// The menu of commands, in both languages. Without it the bot works all the same.
    async fn set_commands(&self) {
        for (language, code) in [(Language::En, None), (Language::Zh, Some(Language::Zh.tag()))] {
            if let Err(error) = self.telegram.set_commands(&menu::commands(language), code).await {
                tracing::warn!(%error, %language, "the menu of commands could not be set");
            }
        }
    }

    async fn life(&self) -> Result<Life, Failure> {
        let configuration = self.configuration;
        let only = match Single::of_environment()? {
            Some(single) => {
                let clock = Clock::system();
                let today = clock.now().to_zoned(configuration.zone.clone()).date();
                let table = self.engines.table(BOT_ID);
                Some(single.enter(&table, &configuration.setup, &clock, today, self.terminal).await?)
            }
            None => None,
        };
        Ok(Life {
            who: Who::only(),
            setup: configuration.setup.clone(),
            keys: self.keys(),
            only,
            table: Arc::new(self.engines.table(BOT_ID)),
            queue: Arc::new(self.engines.queue()),
            zone: configuration.zone.clone(),
            data_dir: configuration.data_dir.clone(),
            audience: Audience { bot: Some(Arc::new(self.telegram.clone())), admins: self.bot.admins.chats() },
        })
    }

    fn keys(&self) -> Keys {
        Keys::at(&self.configuration.data_dir)
    }

    fn handler(&self) -> Arc<Handler> {
        Arc::new(Handler {
            table: Arc::new(self.engines.table(BOT_ID)),
            queue: Arc::new(self.engines.queue()),
            bot: Arc::new(self.telegram.clone()),
            clock: Clock::system(),
            admins: self.bot.admins.chats(),
            zone: self.configuration.zone.clone(),
            sealer: self.keys().sealer().clone(),
        })
    }

    fn start_polling(&self, parts: &mut JoinSet<Result<(), Failure>>, over: &CancellationToken) {
        let polling = Polling { bot: self.telegram.clone(), admins: self.bot.admins.clone(), handler: self.handler() };
        let over = over.clone();
        parts.spawn(async move {
            polling.run(&over).await;
            Ok(())
        });
    }

    async fn start_webhook(
        &self,
        webhook: &WebhookConfiguration,
        parts: &mut JoinSet<Result<(), Failure>>,
        over: &CancellationToken,
    ) -> Result<(), Failure> {
        let gate = Gate::new(&webhook.secret, self.bot.admins.clone()).map_err(|error| Failure::input(&error))?;
        let listener: TcpListener = webhook::listen(webhook.listen).await?;
        let receiver = Receiver::new(gate, self.handler());
        let over = over.clone();
        parts.spawn(
            async move { webhook::serve(listener, receiver, over).await.map_err(|error| Failure::failed(&error)) },
        );
        self.set_webhook(webhook).await
    }

    async fn set_webhook(&self, webhook: &WebhookConfiguration) -> Result<(), Failure> {
        let set = || self.telegram.set_webhook(&webhook.url, &webhook.secret, CONNECTIONS_MAX);
        self.patiently(set).await.map_err(|error| match error {
            BotError::Refused(why) => Failure::Input(format!("bot.webhook.url: {why}")),
            other => Failure::failed(&other),
        })
    }

    async fn stand_beside(&self, webhook: Option<&WebhookConfiguration>) -> Result<(), Failure> {
        let dir: &Path = &self.configuration.data_dir;
        let secrets = beside::save_secrets(dir, self.bot)?;
        let key = self.keys().sealer().key().map_err(|error| Failure::input(&error))?;
        for line in beside::exports(self.engines, self.configuration, self.bot, &key, &secrets) {
            self.terminal.line(line);
        }
        match webhook {
            Some(webhook) => self.set_webhook(webhook).await,
            None => Ok(()),
        }
    }
}

type Joined = Option<Result<Result<(), Failure>, tokio::task::JoinError>>;

/// A part ended although nobody asked it to.
fn over_early(ended: Joined) -> Result<(), Failure> {
    match ended {
        Some(Ok(Err(failure))) => Err(failure),
        Some(Err(panic)) => Err(Failure::Failed(format!("a part of ferry ended: {panic}"))),
        Some(Ok(Ok(()))) | None => Err(Failure::Failed("a part of ferry ended without a word".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use transfer::bot::telegram::ALLOWED_UPDATES;

    use super::*;

    fn told_to_telegram() -> Value {
        let menu = |language| -> Vec<Value> {
            let hint =
                |hint: &transfer::bot::CommandHint| json!({ "command": hint.command, "description": hint.description });
            menu::commands(language).iter().map(hint).collect()
        };
        json!({
            "webhook": { "allowed_updates": ALLOWED_UPDATES, "max_connections": CONNECTIONS_MAX },
            "menus": [
                { "commands": menu(Language::En) },
                { "commands": menu(Language::Zh), "language_code": Language::Zh.tag() },
            ],
        })
    }

    /// `infra/deploy` has no Rust at hand when it sets webhook and commands: it reads them from a file.
    #[test]
    fn infra_deploy_tells_telegram_the_same() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/lib/bot.json");
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let wanted = told_to_telegram();
        assert_eq!(kept, wanted, "infra/lib/bot.json must be:\n{wanted:#}");
    }
}
