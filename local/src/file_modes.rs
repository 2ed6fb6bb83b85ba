//! What this process writes is its user's alone: table, queue and log say which account did what and when, and who the admins are.

use rustix::fs::Mode;
use rustix::process::umask;

/// From now on nobody else may read files and directories that this process makes, or those that it starts. What was there before
/// stays as it is.
pub fn close_to_others() {
    umask(Mode::RWXG | Mode::RWXO);
}
