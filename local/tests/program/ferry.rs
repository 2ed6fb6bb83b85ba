//! Running the binary, and a simulator beside it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

/// Nothing here takes longer, or it hangs.
const WITHIN: Duration = Duration::from_secs(120);

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
    _running: Running,
}

impl Simulator {
    pub(crate) fn start(arguments: &[&str]) -> Simulator {
        let dir = tempfile::tempdir().unwrap();
        let mut command = command(dir.path(), &["simulator", "--data", "."]);
        command.args(arguments);
        let mut running = Running::start(command);
        let control = running.hear("Control API").split("http://").nth(1).unwrap().to_owned();
        running.hear("Ctrl-C");
        Simulator { dir, control, _running: running }
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
