//! Takes the host's steps of logins that admins began in the chat.

use std::sync::Arc;

use transfer::ids::LoginId;

use super::run::Ended;
use super::{Halt, Shared};

/// Takes the next step of a login, if it is a host's.
#[expect(clippy::unused_async, reason = "the steps follow")]
pub(crate) async fn work_on(_shared: &Arc<Shared>, _id: &LoginId) -> Result<Ended, Halt> {
    Ok(Ended::NothingToDo)
}
