//! The same search over the program itself: its binary adds and imports accounts and serves by webhook with everything logged,
//! also while its table cannot be written; then its terminal, its log and its data directory are searched.
//!
//! What it wrote to its terminal stands in files, so that nothing waits for a reader.

use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use simulator::world::login::CodeState;
use simulator::world::{UserId, World};

use crate::leak::{self, Canary};
use crate::stage::{ANNA, API_HASH, BERT, CARA, PASSWORD, Stage, TOKEN};

const CODES: [&str; 3] = ["62817395", "51739284", "48261937"];
const WRONG_PASSWORD: &str = "planted-Wrong-Password-29";
const OWN_API_HASH: &str = "0ddc0ffeebadf00dfeedfacedeadbea7";
const WEBHOOK_SECRET: &str = "planted-SECRET_of-the-webhook_0123456789";
const NONE: [&str; 0] = [];

/// The binary beside a stage, of which nobody else works on the data directory.
struct Program<'a> {
    stage: &'a Stage,
    /// What it wrote to its terminal.
    said: tempfile::TempDir,
    config: PathBuf,
}

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Running {
    /// Its exit status.
    fn ends(mut self) -> Option<i32> {
        drop(self.0.stdin.take());
        self.0.wait().unwrap().code()
    }

    fn is_told(&mut self, line: &str) {
        writeln!(self.0.stdin.as_mut().unwrap(), "{line}").unwrap();
    }
}

impl<'a> Program<'a> {
    /// With a webhook in its configuration.
    fn beside(stage: &'a Stage) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let webhook = format!(
            "[bot.webhook]\nurl = \"http://{free}/telegram\"\nlisten = \"{free}\"\nsecret = \"{WEBHOOK_SECRET}\"\n[telegram]\n"
        );
        let text = std::fs::read_to_string(&stage.file).unwrap().replace("[telegram]\n", &webhook);
        let config = stage.dir.path().join("by-webhook.toml");
        std::fs::write(&config, text).unwrap();
        Self { stage, said: tempfile::tempdir().unwrap(), config }
    }

    /// Begins, with everything logged.
    fn starts(&self, arguments: &[&str]) -> Running {
        let said = |of: &str| {
            let count = std::fs::read_dir(self.said.path()).unwrap().count();
            Stdio::from(File::create_new(self.said.path().join(format!("{count}-{of}"))).unwrap())
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
        command.current_dir(self.stage.dir.path()).arg("-vv").args(arguments).arg("--config").arg(&self.config);
        command.stdin(Stdio::piped()).stdout(said("out")).stderr(said("err"));
        Running(command.spawn().unwrap())
    }

    fn imports(&self, string: &str) -> Option<i32> {
        let file = self.secret("session", string);
        let own = self.secret("hash", OWN_API_HASH);
        let (file, own) = (file.to_str().unwrap(), own.to_str().unwrap());
        self.starts(&["account", "import", "--file", file, "--api-id", "12345", "--api-hash-file", own]).ends()
    }

    /// A file outside of the data directory.
    fn secret(&self, name: &str, content: &str) -> PathBuf {
        let file = self.stage.dir.path().join(name);
        std::fs::write(&file, content).unwrap();
        file
    }

    /// Begins to add an account, up to its code.
    async fn adds(&self, user: UserId) -> Running {
        let mut adding = self.starts(&["account", "add"]);
        let phone = self.stage.phone(user);
        adding.is_told(&phone);
        let live = |world: &World| {
            let sent = world.login.codes.newest(&phone).filter(|sent| sent.state == CodeState::Live)?;
            Some(sent.code.clone())
        };
        self.stage.until("a code", |world| live(world).is_some()).await;
        let code = self.stage.simulation.with_world(|world| live(world)).unwrap();
        assert!(CODES.contains(&code.as_str()));
        adding.is_told(&code);
        adding
    }

    fn all_said(&self) -> String {
        let files = std::fs::read_dir(self.said.path()).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }

    /// On its terminal, in its log, and in whatever else it keeps but its key ring.
    fn leaks(&self, canaries: &[Canary]) -> Vec<String> {
        let ring = self.stage.data_dir().join("keys").join("ring.json");
        assert!(ring.exists());
        let mut found = leak::in_files(&self.stage.data_dir(), &[ring], canaries);
        found.extend(leak::in_files(self.said.path(), &[], canaries));
        found
    }
}

/// A session as Telethon would write it, and its key.
fn minted(stage: &Stage, user: UserId, dc: u8) -> (String, [u8; 256]) {
    let key = stage.simulation.shared().mint_session(user).unwrap();
    (telethon(dc, &key), key)
}

fn telethon(dc: u8, key: &[u8]) -> String {
    format!("1{}", URL_SAFE.encode([&[dc, 127, 0, 0, 1, 1, 187][..], key].concat()))
}

/// Nobody else can write to the table while this lives.
fn held(data_dir: &Path) -> rusqlite::Connection {
    let table = rusqlite::Connection::open(data_dir.join("table.sqlite")).unwrap();
    table.execute_batch("BEGIN IMMEDIATE").unwrap();
    table
}

fn canaries(stage: &Stage, keys: &[&[u8]]) -> Vec<Canary> {
    let mut canaries = vec![
        Canary::new("the bot's token", TOKEN.split_once(':').unwrap().1),
        Canary::new("the webhook's secret", WEBHOOK_SECRET),
        Canary::new("the installation's api hash", API_HASH),
        Canary::new("an account's own api hash", OWN_API_HASH),
        Canary::new("the password", PASSWORD),
        Canary::new("the wrong password", WRONG_PASSWORD),
    ];
    canaries.extend([ANNA, BERT, CARA].map(|user| Canary::new("a phone", &stage.phone(user)[1..])));
    canaries.extend(CODES.map(|code| Canary::new("a code", code)));
    for key in keys {
        // Any part of the string or the key gives enough of it away.
        canaries.extend(key.chunks_exact(32).map(|part| Canary::new("a part of an auth key", part)));
        let string = telethon(2, key);
        canaries.extend([12, 150, 300].map(|at| Canary::new("a part of a session string", &string[at..at + 24])));
    }
    canaries
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_gives_no_secret_away() {
    let mut stage = Stage::set();
    stage.stop().await;
    stage.simulation.with_world(|world| world.login.codes.scripted.extend(CODES.map(str::to_owned)));
    let program = Program::beside(&stage);
    let (string, key) = minted(&stage, BERT, 4);
    let unknown: Vec<u8> = (0..=255).map(|byte: u8| byte.wrapping_mul(151).wrapping_add(17)).collect();
    let canaries = canaries(&stage, &[&key, &unknown]);

    // Strings that are cut off, spoiled, and of a session that Telegram does not know.
    for bad in [string[..200].to_owned(), string.replacen(&string[100..103], "\u{e9}!*", 1), telethon(2, &unknown)] {
        assert_eq!(program.imports(&bad), Some(2), "{}", program.all_said());
    }
    // An account with a password that is wrong once, whom the table does not take.
    let mut adding = program.adds(CARA).await;
    adding.is_told(WRONG_PASSWORD);
    let held = held(&stage.data_dir());
    adding.is_told(PASSWORD);
    assert_ne!(adding.ends(), Some(0), "{}", program.all_said());
    drop(held);
    assert_eq!(stage.sessions(CARA), 0, "it is still logged in at Telegram");
    // The same once more, and a session string that is good.
    let mut adding = program.adds(CARA).await;
    adding.is_told(WRONG_PASSWORD);
    adding.is_told(PASSWORD);
    assert_eq!(adding.ends(), Some(0), "{}", program.all_said());
    assert_eq!(program.imports(&string), Some(0), "{}", program.all_said());
    // By webhook.
    let serving = program.starts(&["serve"]);
    stage.adds_by_phone(ANNA).await;
    let code = stage.code(ANNA, 1).await;
    assert!(CODES.contains(&code.as_str()));
    stage.types(ANNA, &code).await;
    stage.reads("Anna is in the pool").await;
    let while_it_serves = program.leaks(&canaries);
    let pid = rustix::process::Pid::from_child(&serving.0);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(serving.ends(), Some(0), "{}", program.all_said());

    assert_eq!((while_it_serves, program.leaks(&canaries)), (vec![], vec![]));
    let log = std::fs::read_to_string(stage.data_dir().join("ferry.log")).unwrap();
    assert!(log.contains("DEBUG") && log.len() > 10_000, "little was logged: {}", log.len());
    let said = program.all_said();
    for words in ["cut off", "Cara is in the pool", "Bert is in the pool"] {
        assert!(said.contains(words), "{words:?} is not in: {said}");
    }
    stage.start();
    stage.stop().await;
    let kept = stage.kept().await;
    assert_eq!(kept.sessions.len(), 3);
    assert!(kept.sessions.iter().any(|session| session.keys.values().any(|kept| kept.expose()[..] == key[..])));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_program_gives_away_is_found() {
    let mut stage = Stage::set();
    stage.stop().await;
    let program = Program::beside(&stage);
    let (string, _key) = minted(&stage, ANNA, 2);
    assert_eq!(program.imports(&string), Some(0), "{}", program.all_said());
    let canary = [Canary::new("it", PASSWORD)];
    assert_eq!(program.leaks(&canary), NONE);
    // A name is no secret: the program says it again, and keeps it.
    assert_eq!(program.starts(&["account", "check", PASSWORD]).ends(), Some(2), "{}", program.all_said());
    let found = program.leaks(&canary);
    assert!(found.iter().any(|place| place.ends_with("-err")), "{found:?}");
    assert_eq!(program.starts(&["account", "label", "Anna", PASSWORD]).ends(), Some(0), "{}", program.all_said());
    let found = program.leaks(&canary);
    assert!(found.iter().any(|place| place.contains("table.sqlite")), "{found:?}");
}
