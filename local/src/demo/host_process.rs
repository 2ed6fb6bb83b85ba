//! A host in a process of its own, which can be killed, stopped and let go on.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, ChildStdin, Command};
use tokio::time::timeout;

use crate::failure::Failure;

/// How long a host may take to finish what it is doing when it is told to end.
const END_WITHIN: Duration = Duration::from_secs(25);

/// A running host, killed when dropped. Its standard input stays open for as long as this process lives: the host ends with
/// it. (Kept apart, because waiting for a child closes its input.)
pub struct HostProcess {
    child: Child,
    input: Option<ChildStdin>,
}

impl HostProcess {
    /// Starts this program as the host that a file describes.
    ///
    /// # Errors
    /// There are no more processes to be had.
    pub fn start(program: &Path, config: &Path, log_file: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(program);
        command.arg("host").arg("--config").arg(config).arg("--log-file").arg(log_file);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let spawned = command.spawn();
        let mut child = spawned.map_err(|error| Failure::Failed(format!("the host cannot be started: {error}")))?;
        let input = child.stdin.take();
        Ok(Self { child, input })
    }

    /// Returns when it has ended.
    pub async fn ended(&mut self) {
        // A process that cannot be waited for is as good as ended.
        drop(self.child.wait().await);
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    ///
    /// # Errors
    /// The process cannot be killed.
    pub async fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill().await.map_err(|error| Failure::failed(&error))
    }

    /// SIGSTOP: it stands still, with its connections open, and does not know it.
    ///
    /// # Errors
    /// The process cannot be stopped.
    pub fn freeze(&self) -> Result<(), Failure> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT: it goes on.
    ///
    /// # Errors
    /// The process cannot be reached.
    pub fn thaw(&self) -> Result<(), Failure> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        // Without an id it has ended, and was waited for.
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        match id.and_then(Pid::from_raw) {
            Some(pid) => kill_process(pid, signal).map_err(|error| Failure::failed(&error)),
            None => Ok(()),
        }
    }

    /// Lets it end by itself.
    ///
    /// # Errors
    /// It does not, and cannot be killed.
    pub async fn end(&mut self) -> Result<(), Failure> {
        drop(self.input.take());
        if timeout(END_WITHIN, self.child.wait()).await.is_err() {
            self.kill().await?;
        }
        Ok(())
    }
}
