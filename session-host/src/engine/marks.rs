//! What calls outside a task's run do to an account: waits, floods, the loss of its session.
//!
//! A wait is noted before anything else is done with it. The rest is written down when whoever made the calls is done.

use jiff::Timestamp;
use transfer::account::{AccountState, Counters, MethodClass};
use transfer::ids::AccountId;
use transfer::refusal::Refusal;
use transfer::verdict::{AccountEffect, Attempt, verdict};

use super::Shared;
use super::pool::{self, Hold};

/// What calls did to an account.
#[derive(Default)]
pub(crate) struct Marks {
    floods: Counters,
    state: Option<(AccountState, String)>,
    /// A call on its connection got no answer.
    pub(crate) uncertain: bool,
}

/// What a refusal means for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It has to wait until then.
    Limited(Timestamp),
    /// It cannot work any more.
    Lost(AccountState),
}

impl Marks {
    /// What a refusal means for the account, of a call or of its connection; `None` when the account is not the cause.
    pub(crate) fn refused(
        &mut self,
        shared: &Shared,
        id: &AccountId,
        refusal: &Refusal,
        class: MethodClass,
    ) -> Option<Effect> {
        let (state, reason) = match verdict(refusal, Attempt::First).account {
            AccountEffect::Cooling { secs } => {
                let until = shared.wait_until(secs);
                shared.pool.note_wait(id, class, until);
                self.floods.add(Counters { forwarded: 0, floods: 1, flood_wait_secs: secs });
                return Some(Effect::Limited(until));
            }
            AccountEffect::Becomes(state) => (state, refusal.text().to_owned()),
            AccountEffect::ChangeDc(dc) => {
                (AccountState::SignedOut, format!("the account lives in DC {dc}: log in again"))
            }
            AccountEffect::Fine | AccountEffect::NotForThisPeer => return None,
        };
        self.lose(state, reason);
        Some(Effect::Lost(state))
    }

    /// The account cannot work any more.
    pub(crate) fn lose(&mut self, state: AccountState, reason: String) {
        self.state = Some((state, reason));
    }

    /// Whether the connection must not be used any more.
    pub(crate) fn is_spent(&self) -> bool {
        self.uncertain || self.state.is_some()
    }

    /// Writes down what the calls did; what cannot be written is in memory, and is written with the account's release.
    pub(crate) async fn note_down(self, shared: &Shared, hold: &mut Hold) {
        let Self { floods, state, uncertain: _ } = self;
        if state.is_none() && floods == Counters::default() {
            return;
        }
        let (today, now) = (shared.today().0, shared.ports.clock.now());
        let noted = pool::change(shared, hold, |account| {
            account.day_mut(today).counters.add(floods);
            account.total.add(floods);
            if let Some((state, reason)) = &state {
                account.state = *state;
                account.reason = Some(reason.clone());
                account.since = now;
            }
        });
        if let Err(error) = noted.await {
            tracing::warn!(account = %hold.account.id, %error, "what calls did to an account was not written down");
        }
    }
}
