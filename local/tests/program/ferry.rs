//! Running the binary, and a simulator beside it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use rustix::process::Signal;

/// Nothing here takes longer, or it hangs.
const WITHIN: Duration = Duration::from_secs(120);

/// Asks again and again until it holds.
pub(crate) fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + WITHIN;
    while !holds() {
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::yield_now();
    }
}

/// The command with these arguments, in this directory.
pub(crate) fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ferry"));
    command.current_dir(dir).args(arguments).stdin(Stdio::null());
    command
}

/// Runs to the end.
pub(crate) fn run(dir: &Path, arguments: &[&str]) -> Output {
    command(dir, arguments).output().unwrap()
}

/// What was written to standard output.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What was written to standard error.
pub(crate) fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running program whose lines are read as they come. Killed when dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: BufReader<std::process::ChildStdout>,
    pub(crate) heard: Vec<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running { child, lines, heard: Vec::new() }
    }

    /// Reads until a line contains this, and gives that line.
    pub(crate) fn hear(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).unwrap();
            if read == 0 {
                let complaint = self.complaint();
                panic!("it ended without saying {words:?}; it said {:#?} {complaint}", self.heard);
            }
            self.heard.push(line.clone());
            if line.contains(words) {
                return line.trim().to_owned();
            }
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the end; gives the exit status.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let deadline = Instant::now() + WITHIN;
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::yield_now();
        }
        let complaint = self.complaint();
        (self.child.wait().unwrap().code(), format!("{}{rest}{complaint}", self.heard.concat()))
    }

    fn complaint(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut text).unwrap();
        }
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `ferry simulator` with a directory of its own.
pub(crate) struct Simulator {
    pub(crate) dir: tempfile::TempDir,
    control: String,
    /// Where the Bot API listens.
    pub(crate) bot_api: String,
    _running: Running,
}

impl Simulator {
    pub(crate) fn start(arguments: &[&str]) -> Simulator {
        let dir = tempfile::tempdir().unwrap();
        let mut command = command(dir.path(), &["simulator", "--data", "."]);
        command.args(arguments);
        let mut running = Running::start(command);
        let control = running.hear("Control API").split("http://").nth(1).unwrap().to_owned();
        let bot_api = running.hear("Bot API").split("API: ").nth(1).unwrap().to_owned();
        running.hear("Ctrl-C");
        Simulator { dir, control, bot_api, _running: running }
    }

    /// `ferry` beside it, with the pool that it prepared, and this on its standard input; it has to succeed.
    pub(crate) fn done(&self, arguments: &[&str], input: &str) -> String {
        let (status, text) = self.ended(arguments, input);
        assert_eq!(status, Some(0), "{arguments:?}: {text}");
        text
    }

    /// The same, however it ends.
    pub(crate) fn ended(&self, arguments: &[&str], input: &str) -> (Option<i32>, String) {
        let mut command = command(self.dir.path(), arguments);
        let mut running = Running::start({
            command.stdin(Stdio::piped());
            command
        });
        let mut stdin = running.child.stdin.take().unwrap();
        // A program that asks nothing may be gone by now.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        running.end()
    }

    /// The pool that it prepared, as scripts read it.
    pub(crate) fn pool(&self) -> Vec<serde_json::Value> {
        let text = self.done(&["account", "list", "--json"], "");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// A session of this user that nobody else has, as Telethon would write it.
    pub(crate) fn minted(&self, user: i64) -> String {
        let minted = self.ask("POST", "/sessions/mint", &format!(r#"{{"user": {user}}}"#));
        let dc = u8::try_from(minted["dc"].as_u64().unwrap()).unwrap();
        let hex = minted["auth_key"].as_str().unwrap();
        let key: Vec<u8> = (0..256).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect();
        format!("1{}", URL_SAFE.encode([&[dc, 127, 0, 0, 1, 1, 187][..], &key].concat()))
    }

    /// In how many places the account is signed in.
    pub(crate) fn sessions(&self, user: i64) -> usize {
        self.ask("GET", &format!("/accounts/{user}/sessions"), "").as_array().unwrap().len()
    }

    /// `ferry transfer` against it.
    pub(crate) fn transfer(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.dir.path(), &["transfer", "--pace", "none"]);
        command.args(arguments);
        command
    }

    /// Answers of the control API.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        let mut stream = TcpStream::connect(&self.control).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }

    /// The source ids of all messages that were ever created in the target, in order of their creation.
    pub(crate) fn copied(&self) -> Vec<i64> {
        let created = self.ask("GET", "/chats/-1001500000002/created", "");
        let of = |copy: &serde_json::Value| match (copy["source"][0].as_i64(), copy["source"][1].as_i64()) {
            (Some(-1_001_500_000_001), Some(id)) => id,
            _ => panic!("no copy of the source: {copy}"),
        };
        created.as_array().unwrap_or_else(|| panic!("{created}")).iter().map(of).collect()
    }

    /// The ids of all messages in the source that can be forwarded, ascending, with an album at its first member.
    pub(crate) fn forwardable(&self) -> Vec<i64> {
        let messages = self.ask("GET", "/chats/-1001500000001/messages", "");
        let messages = messages.as_array().unwrap_or_else(|| panic!("{messages}"));
        let mut firsts = BTreeMap::new();
        let mut placed = Vec::new();
        for message in messages.iter().filter(|message| message["kind"] != "service") {
            let id = message["id"].as_i64().unwrap();
            let first = message["grouped_id"].as_str().map_or(id, |album| *firsts.entry(album).or_insert(id));
            placed.push((first, id));
        }
        placed.sort_unstable();
        placed.into_iter().map(|(_, id)| id).collect()
    }

    /// How many messages were ever created in the target.
    pub(crate) fn created(&self) -> usize {
        let created = self.ask("GET", "/chats/-1001500000002/created", "");
        created.as_array().unwrap_or_else(|| panic!("{created}")).len()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}
