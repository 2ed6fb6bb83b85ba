//! When somebody wants the program to end: Ctrl-C at a terminal, or SIGTERM from a service manager. Both mean the same.

use std::io;

use tokio::signal::ctrl_c;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for Ctrl-C or SIGTERM. From the first call on neither ends the process by itself.
///
/// # Errors
/// The signals cannot be listened to.
pub async fn interrupted() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        heard = ctrl_c() => heard,
        _ = terminate.recv() => Ok(()),
    }
}
