//! What the held account knows of source and target.

use transfer::account::MethodClass;
use transfer::ids::PeerId;
use transfer::refusal::{Meaning, Refusal};
use transfer::table::item::KnownPeer;
use transfer::table::{Guard, Item, Key, Write};
use transfer::task::{Endpoint, TaskEvent};
use transfer::verdict::{AccountEffect, Attempt, verdict};

use super::reading::READ_FAILURES_MAX;
use super::{Left, Run, Step};
use crate::engine::Halt;
use crate::engine::store::expect_item;
use crate::telegram::{CallError, Peer};

/// Source and target as the held account sees them.
pub(super) enum Seen {
    Both(Peer, Peer),
    /// Not with this account, or not now: what to do next.
    Not(Step),
}

impl Run {
    /// Source and target as the held account sees them, resolved by itself.
    pub(super) async fn peers(&mut self) -> Result<Seen, Halt> {
        let source = self.task.source.clone();
        let target = self.task.target.clone();
        let source = match self.peer(&source).await? {
            Ok(peer) => peer,
            Err(step) => return Ok(Seen::Not(step)),
        };
        let target = match self.peer(&target).await? {
            Ok(peer) => peer,
            Err(step) => return Ok(Seen::Not(step)),
        };
        Ok(Seen::Both(source, target))
    }

    async fn peer(&mut self, endpoint: &Endpoint) -> Result<Result<Peer, Step>, Halt> {
        let known = self.hold.as_ref().and_then(|hold| hold.peers.get(&endpoint.peer?).cloned());
        if let Some(peer) = known {
            return Ok(Ok(peer));
        }
        let connection = match self.connection().await? {
            Ok(connection) => connection,
            Err(step) => return Ok(Err(step)),
        };
        let known = self.known_hash(endpoint).await?;
        let seen = match known {
            Some((peer, access_hash)) => (MethodClass::Read, connection.look(peer, access_hash).await),
            None => match self.resolve_wait() {
                Some(step) => return Ok(Err(step)),
                None => (MethodClass::Resolve, connection.resolve(&endpoint.address).await),
            },
        };
        match seen {
            (class, Ok(peer)) => {
                if class == MethodClass::Resolve {
                    self.remember(&peer);
                }
                if let Some(hold) = &mut self.hold {
                    hold.peers.insert(peer.id, peer.clone());
                }
                Ok(Ok(peer))
            }
            (class, Err(CallError::Refused(refusal))) => self.peer_refused(endpoint, &refusal, class).await.map(Err),
            (_, Err(CallError::Uncertain(why))) => self.unanswered(&why).await.map(Err),
        }
    }

    /// A look at a peer got no answer: another account, or the same a little later; but not for ever.
    pub(super) async fn unanswered(&mut self, why: &str) -> Result<Step, Halt> {
        self.read_failures += 1;
        if self.read_failures > READ_FAILURES_MAX {
            self.read_failures = 0;
            return self.park(format!("Telegram gives no usable answer: {why}; resume to try again")).await;
        }
        self.left = Some(Left { reason: format!("no answer: {why}"), wait_secs: None });
        self.drop_account().await
    }

    /// An account that may not resolve now is left out until it may: another one, or the same later, goes on.
    pub(super) fn resolve_wait(&mut self) -> Option<Step> {
        let hold = self.hold.as_ref()?;
        let until = self.shared.pool.waits(&hold.account).until(MethodClass::Resolve, self.now())?;
        self.excluded.insert(hold.account.id.clone(), until);
        Some(Step::Again)
    }

    async fn peer_refused(&mut self, endpoint: &Endpoint, refusal: &Refusal, class: MethodClass) -> Result<Step, Halt> {
        let text = refusal.text().to_owned();
        let nobody = ["USERNAME_", "INVITE_HASH_", "INVITE_REQUEST_SENT"];
        if nobody.iter().any(|prefix| text.starts_with(prefix)) {
            let reason = format!("{} leads nowhere ({text}): check the name or link", endpoint.address);
            return self.park(reason).await;
        }
        if refusal.meaning() == Meaning::NotForThisPeer {
            if let (MethodClass::Read, Some(peer), Some(hold)) = (class, endpoint.peer, &self.hold) {
                // What was remembered is contradicted: the name is asked again, once, since then nothing is remembered.
                let key = Key::peer(&hold.account.id, peer);
                self.stage_write(Write::Delete { key, guard: Guard::None });
                self.commit().await?;
                self.forget_peers();
                return Ok(Step::Again);
            }
            if let Some(step) = self.try_to_join(endpoint).await? {
                return Ok(step);
            }
        }
        self.account_effect(refusal, class);
        if let Some(hold) = &self.hold
            && verdict(refusal, Attempt::First).account == AccountEffect::Fine
        {
            let why = format!("cannot see {}: {text}", endpoint.address);
            self.not_for_peer.insert(hold.account.id.clone(), why);
        }
        self.drop_account().await
    }

    async fn known_hash(&self, endpoint: &Endpoint) -> Result<Option<(PeerId, i64)>, Halt> {
        let (Some(hold), Some(peer)) = (&self.hold, endpoint.peer) else { return Ok(None) };
        let key = Key::peer(&hold.account.id, peer);
        let known = expect_item!(self.shared.store.get(&key).await?, Peer, key);
        Ok(known.map(|(known, _)| (peer, known.access_hash)))
    }

    /// Resolving has long waits of its own: what it told is kept.
    fn remember(&mut self, peer: &Peer) {
        let Some(hold) = &self.hold else { return };
        let known = KnownPeer {
            account: hold.account.id.clone(),
            peer: peer.id,
            access_hash: peer.access_hash,
            title: peer.title.clone(),
            unusable: None,
            checked_at: self.now(),
        };
        self.stage(Item::Peer(known));
    }

    /// Whether the source is protected, and whether this account can read it and post in the target; `Some(step)` when
    /// it cannot.
    pub(super) async fn may_carry(&mut self, source: &Peer, target: &Peer) -> Result<Option<Step>, Halt> {
        if source.protected {
            let reason = format!("{} is protected against forwarding; Ferry leaves it alone", source.title);
            return self.end(TaskEvent::Fail { reason }).await.map(Some);
        }
        let (why, endpoint) = if !source.readable {
            (format!("cannot read {}", source.title), self.task.source.clone())
        } else if target.postable == Some(false) {
            (format!("may not post in {}", target.title), self.task.target.clone())
        } else {
            return Ok(None);
        };
        if let Some(step) = self.try_to_join(&endpoint).await? {
            return Ok(Some(step));
        }
        if let Some(hold) = &self.hold {
            self.not_for_peer.insert(hold.account.id.clone(), why);
        }
        self.forget_peers();
        self.drop_account().await.map(Some)
    }

    /// What was known of the peers was contradicted: the next run looks anew.
    pub(super) fn forget_peers(&mut self) {
        if let Some(hold) = &mut self.hold {
            hold.peers.clear();
        }
    }
}
