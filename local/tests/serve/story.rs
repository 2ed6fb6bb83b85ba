//! A transfer asked for in chat, through the whole of `ferry serve`: by polling and by webhook, against the simulator's Bot
//! API; then what stands in the target is compared with the source.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ferry::configuration::Configuration;
use ferry::demo::stage::{Plan, SourceMix, flood_model};
use ferry::engines::Engines;
use ferry::host::BOT_ID;
use ferry::keys::Keys;
use ferry::serve::{Front, serve};
use ferry::simulation::{Ports, Simulation};
use ferry::terminal::Terminal;
use jiff::tz::TimeZone;
use simulator::bot_api::person::{self, ChatMessage};
use simulator::scenario::{SOURCE, TARGET};
use simulator::world::keyboard::Press;
use simulator::world::user::User;
use simulator::world::{MessageId, UserId};
use tokio_util::sync::CancellationToken;
use transfer::clock::Clock;
use transfer::table::Table;

const MESSAGES: i32 = 400;
const ACCOUNTS: usize = 3;
const BOT: UserId = UserId(7_900_000_001);
const ADMIN: UserId = UserId(6_000_000_001);
const TOKEN: &str = "7900000001:a-simulated-token_of-the-tests";
/// Nothing here takes longer, or it hangs.
const WITHIN: Duration = Duration::from_secs(120);
/// Everything from source to target; nothing in between but what the wizard offers.
const STEPS: [&str; 10] =
    ["range:all", "next", "skip", "author:keep", "offered", "none", "pace:none", "batch:0", "done", "confirm"];

/// Where Telegram is to deliver.
fn webhook(address: &str) -> String {
    format!(
        "[bot.webhook]\nurl = \"http://{address}/telegram\"\nlisten = \"{address}\"\n\
         secret = \"a-secret-of-the-tests_0123456789\"\n"
    )
}

/// A simulated Telegram with a bot, an admin and a pool, and the configuration to serve it.
async fn stage(dir: &Path, webhook: &str) -> (Simulation, PathBuf) {
    let mut plan = Plan::generated(7, ACCOUNTS, MESSAGES, SourceMix::Text, flood_model("none", ACCOUNTS).unwrap());
    plan.world.add_bot(BOT, "ferry_bot", "Ferry", TOKEN);
    plan.world.add_user(User::new(ADMIN, "", "Admin"));
    let simulation = Simulation::start(plan.world, Ports::default()).unwrap();
    let data_dir = dir.join("ferry-data");
    let engines = Engines::start(&data_dir).await.unwrap();
    let table: Arc<dyn Table> = Arc::new(engines.table(BOT_ID));
    let keys = Keys::at(&data_dir);
    keys.ready(&data_dir, &table, Clock::system().now()).await.unwrap();
    simulation.fill_pool(&plan.accounts, &keys, &table, None, &TimeZone::UTC).await.unwrap();
    engines.stop().await;
    std::fs::write(dir.join("simulator.pem"), &simulation.rsa().pem).unwrap();
    let mut text = format!(
        "data_dir = \"ferry-data\"\nzone = \"UTC\"\n[api]\nid = 1\nhash = \"any\"\n\
         [bot]\ntoken = \"{}\"\nadmins = [{}]\napi = \"http://{}\"\n{webhook}\
         [telegram]\nrsa_key_file = \"simulator.pem\"\n[telegram.dcs]\n",
        TOKEN,
        ADMIN.0,
        simulation.bot_api(),
    );
    for (dc, address) in simulation.dcs() {
        writeln!(text, "{dc} = \"{address}\"").unwrap();
    }
    let file = dir.join("ferry.toml");
    std::fs::write(&file, text).unwrap();
    (simulation, file)
}

/// The admin's side of the chat.
struct Admin<'a>(&'a Simulation);

impl Admin<'_> {
    fn says(&self, text: &str) {
        person::say(self.0.shared(), BOT, ADMIN, text).unwrap();
    }

    async fn sees(&self, what: &str, holds: impl Fn(&[ChatMessage]) -> bool) -> Vec<ChatMessage> {
        let seen = person::chat_when(self.0.shared(), BOT, ADMIN, WITHIN, holds).await;
        seen.unwrap_or_else(|| {
            let chat = self.0.with_world(|world| person::chat(world, BOT, ADMIN));
            panic!("{what} did not come; the chat: {:#?}", chat.iter().map(|message| &message.text).collect::<Vec<_>>())
        })
    }

    async fn presses(&self, data: &str) {
        let chat = self.sees(data, |chat| with_button(chat, data).is_some()).await;
        let message = with_button(&chat, data).unwrap();
        person::press(self.0.shared(), BOT, ADMIN, message, data).await.unwrap();
    }

    async fn until_carried(&self) {
        let mut news = self.0.shared().news();
        let carried = async {
            while !is_carried(self.0) {
                news.changed().await.unwrap();
            }
        };
        tokio::time::timeout(WITHIN, carried).await.expect("the target does not hold what it should");
    }

    async fn asks_for_everything(&self) {
        self.says("/start");
        self.presses("new").await;
        self.sees("the question for the source", |chat| chat.len() >= 2).await;
        self.says("@source");
        self.sees("the question for the target", |chat| chat.len() >= 4).await;
        self.says("https://t.me/target");
        for step in STEPS {
            self.presses(&format!("w:{step}")).await;
        }
        self.until_carried().await;
        // Its summary is a message of its own, under the one that showed the progress.
        self.sees("the end", |chat| {
            chat.last().is_some_and(|message| message.from == "bot" && message.text.contains('✅'))
        })
        .await;
    }
}

/// The newest message with a button that sends this.
fn with_button(chat: &[ChatMessage], data: &str) -> Option<MessageId> {
    let sends = |message: &&ChatMessage| {
        message.buttons.buttons().any(|button| matches!(&button.press, Press::Callback(sends) if sends == data))
    };
    chat.iter().rev().find(sends).map(|message| message.id)
}

/// What a forward of each selected message of the source is: the target holds them once, in order, and nothing else.
fn is_carried(simulation: &Simulation) -> bool {
    simulation.with_world(|world| {
        let visible = |chat| {
            let history = &world.chat(chat).unwrap().history;
            let messages = history.all().filter(|message| !message.deleted).map(std::borrow::Cow::into_owned);
            messages.collect::<Vec<_>>()
        };
        let (source, target) = (visible(SOURCE), visible(TARGET));
        let carried: Vec<_> = target.iter().filter_map(|message| message.source).collect();
        let wanted: Vec<_> =
            source.iter().filter(|message| message.service().is_none()).map(|m| (SOURCE, m.id)).collect();
        assert!(wanted.len() > 300);
        carried == wanted
    })
}

async fn carried_through_chat(webhook: &str) {
    let dir = tempfile::tempdir().unwrap();
    let (simulation, file) = stage(dir.path(), webhook).await;
    let configuration = Configuration::load(&file).unwrap();
    let (stop, terminal) = (CancellationToken::new(), Terminal::writing_to(std::io::sink()));
    let admin = Admin(&simulation);
    let serving = serve(&configuration, Front::Own, &terminal, &stop);
    tokio::pin!(serving);
    tokio::select! {
        () = admin.asks_for_everything() => {}
        ended = &mut serving => panic!("ferry serve ended by itself: {ended:?}"),
    }
    stop.cancel();
    serving.await.unwrap();
    assert!(is_carried(&simulation));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_asked_for_and_carried_by_polling() {
    Box::pin(carried_through_chat("")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_is_asked_for_and_carried_by_webhook() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Box::pin(carried_through_chat(&webhook(&free.to_string()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_served_is_said_in_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let (_simulation, file) = stage(dir.path(), "").await;
    let good = Configuration::load(&file).unwrap();
    let terminal = Terminal::writing_to(std::io::sink());
    let line = async |configuration: &Configuration| {
        let stop = CancellationToken::new();
        let ended = tokio::time::timeout(WITHIN, serve(configuration, Front::Own, &terminal, &stop)).await;
        ended.unwrap().unwrap_err().line().to_owned()
    };
    let nobody = Configuration { bot: None, ..good.clone() };
    assert!(line(&nobody).await.contains("[bot]"));

    let text = std::fs::read_to_string(&file).unwrap().replace("a-simulated-token", "another-token");
    std::fs::write(&file, text).unwrap();
    let said = line(&Configuration::load(&file).unwrap()).await;
    assert!(said.contains("@BotFather") && !said.contains("another-token"), "{said}");

    let engines = Engines::start(&good.data_dir).await.unwrap();
    assert!(line(&good).await.contains("another ferry works on"));
    engines.stop().await;
}
