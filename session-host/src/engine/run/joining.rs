//! An account that is not inside joins, where the task says that it may.
//!
//! Once per account, chat and run; five times an hour and account at most ([`Account::may_join_at`]). The join is counted
//! in a commit before the call: if the process dies in between, one join too many is counted, never one too few. A wait for
//! joining is one for resolving. Joining twice does no harm: whoever is inside already has joined. Where members are let in by
//! hand, one account asks, and whoever is inside goes on meanwhile.
//!
//! [`Account::may_join_at`]: transfer::account::Account::may_join_at

use transfer::account::MethodClass;
use transfer::address::PeerAddress;
use transfer::ids::AccountId;
use transfer::refusal::Meaning;
use transfer::task::Endpoint;

use super::{Run, Step};
use crate::engine::{Halt, pool};
use crate::telegram::{CallError, Joined};

impl Run {
    /// Whether the account may yet try to join one of the task's chats in this run.
    pub(super) fn may_still_join(&self, account: &AccountId) -> bool {
        let untried = |endpoint: &Endpoint| {
            let door = endpoint.address.to_string();
            !self.doors_asked.contains(&door) && !self.joins_tried.contains(&(account.clone(), door))
        };
        self.task.join && (untried(&self.task.source) || untried(&self.task.target))
    }

    /// Lets the held account join; `None` when that is not wanted, not possible, or was tried before.
    pub(super) async fn try_to_join(&mut self, endpoint: &Endpoint) -> Result<Option<Step>, Halt> {
        let Some(id) = self.hold.as_ref().map(|hold| hold.account.id.clone()) else { return Ok(None) };
        let door = endpoint.address.to_string();
        let tried = (id.clone(), door.clone());
        // A bare number is known to those who are inside already.
        let has_a_door = matches!(endpoint.address, PeerAddress::Username(_) | PeerAddress::Invite(_));
        if !self.task.join || !has_a_door || self.joins_tried.contains(&tried) || self.doors_asked.contains(&door) {
            return Ok(None);
        }
        if let Some(step) = self.resolve_wait() {
            return Ok(Some(step));
        }
        let now = self.now();
        if let Some(until) = self.hold.as_ref().and_then(|hold| hold.account.may_join_at(now)) {
            tracing::info!(task = %self.task.id, account = %id, %until, "the account joined enough chats for now");
            self.excluded.insert(id, until);
            return Ok(Some(Step::Again));
        }
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(Some(step)),
        };
        self.commit().await?;
        if let Some(hold) = &mut self.hold {
            pool::change(&self.shared, hold, |account| account.joins(now)).await?;
        }
        self.joins_tried.insert(tried);
        self.shared.fence.check()?;
        tracing::info!(task = %self.task.id, account = %id, chat = %endpoint.address, "joining");
        let answer = connection.join(&endpoint.address).await;
        self.forget_peers();
        match answer {
            Ok(Joined::Member) => Ok(Some(Step::Again)),
            Ok(Joined::Requested) => {
                // Whoever is inside carries on; the others do not crowd at the door.
                let why = format!("asked to join {door}: let it in there, then resume; or let another account in");
                self.doors_asked.insert(door);
                self.not_for_peer.insert(id, why);
                self.drop_account().await.map(Some)
            }
            Err(CallError::Uncertain(why)) => self.unanswered(&why).await.map(Some),
            Err(CallError::Refused(refusal)) => {
                let text = refusal.text().to_owned();
                let of_account = !matches!(refusal.meaning(), Meaning::NotForThisPeer | Meaning::Unknown);
                if of_account {
                    self.account_effect(&refusal, MethodClass::Resolve);
                }
                if !matches!(refusal.meaning(), Meaning::FloodWait { .. }) {
                    self.not_for_peer.insert(id, format!("cannot join {}: {text}", endpoint.address));
                }
                self.drop_account().await.map(Some)
            }
        }
    }
}
