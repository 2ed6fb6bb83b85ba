//! Accounts leave the pool: signed out at Telegram, then erased; one, or at the panic button all.

use std::sync::Arc;

use transfer::ids::AccountId;

use super::run::Ended;
use super::{Halt, Shared};

/// Signs an account out and erases it.
#[expect(clippy::unused_async, reason = "the steps follow")]
pub(crate) async fn work_on(_shared: &Arc<Shared>, _account: &AccountId) -> Result<Ended, Halt> {
    Ok(Ended::NothingToDo)
}

/// Signs every account out and erases it.
#[expect(clippy::unused_async, reason = "the steps follow")]
pub(crate) async fn panic(_shared: &Arc<Shared>) -> Result<Ended, Halt> {
    Ok(Ended::NothingToDo)
}
