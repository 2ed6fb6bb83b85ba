//! What other sessions must hear, and the logs from which a difference is answered.

use super::{AuthKeyId, SessionId, UserId, World};
use std::sync::Arc;

/// One update for every live session of `to`, but `except`.
#[derive(Debug, Clone)]
pub struct Push {
    pub to: UserId,
    pub except: Option<(AuthKeyId, SessionId)>,
    pub update: Arc<WorldUpdate>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum WorldUpdate {
    /// Something a client cannot decode (a fault).
    Unknown,
}

impl World {
    /// What is to be pushed since the last call, in order.
    pub fn take_pushes(&mut self) -> Vec<Push> {
        std::mem::take(&mut self.pushes)
    }
}
