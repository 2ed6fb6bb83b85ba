//! Login calls in TL.

use super::{Answer, Caller};
use crate::world::World;

/// Answers `auth.*` and the account calls of logging in; `None` if `id` is another call.
pub fn handle(_world: &mut World, _caller: &Caller, _id: u32, _body: &[u8]) -> Option<Answer> {
    None
}
