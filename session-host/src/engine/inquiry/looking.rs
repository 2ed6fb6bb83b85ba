//! Which accounts can carry between source and target, and what stands in the way of the others.
//!
//! One account after the other, each for as long as the look takes. An account that a task of this host has is asked on
//! the connection that is open anyway; one that is with another host is not asked, unless nobody else could be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use transfer::account::{AccountState, Member, MethodClass};
use transfer::address::PeerAddress;
use transfer::ids::{AccountId, PeerId};
use transfer::inquiry::{Answer, Count, Floods, Limits, Obstacle, Preview, estimate};
use transfer::refusal::Refusal;
use transfer::submit::NewTask;
use transfer::table::item::KnownPeer;
use transfer::table::{Guard, Item, Key, Write};

use super::counting::count;
use super::finding::{FINAL, Finding, Found, rank};
use crate::engine::marks::{Effect, Marks};
use crate::engine::pool::{self, Hold, Members, Reach};
use crate::engine::store::expect_item;
use crate::engine::{Halt, Shared};
use crate::telegram::{CallError, Connection, OpenError, Peer};

/// More accounts are not asked: each costs calls.
const ASKED_MAX: usize = 20;
/// How often it is looked again when every account is in other hands.
const LOOKS_MAX: u32 = 12;
const TURN_WAIT: Duration = Duration::from_secs(5);
/// Days of floods that an estimate looks at.
const FLOOD_DAYS: i64 = 7;

/// A look with the accounts of the pool.
pub(super) struct Looking<'a> {
    shared: &'a Arc<Shared>,
    draft: &'a NewTask,
    members: Members,
    /// What addresses turned out to be, so that the next account can look instead of resolving.
    known: BTreeMap<String, PeerId>,
}

/// An account in hand for the length of the look.
struct Hand {
    hold: Option<Box<Hold>>,
    connection: Arc<dyn Connection>,
    marks: Marks,
}

impl<'a> Looking<'a> {
    pub(super) async fn new(shared: &'a Arc<Shared>, draft: &'a NewTask) -> Result<Self, Halt> {
        let members = pool::members(shared).await?;
        Ok(Self { shared, draft, members, known: BTreeMap::new() })
    }

    /// Looks until somebody could be asked; `None` when the host stops first.
    pub(super) async fn answer(mut self) -> Result<Option<Answer>, Halt> {
        for look in 1..=LOOKS_MAX {
            let Some(found) = self.look().await? else { return Ok(None) };
            let nobody_asked = found.able.is_empty() && found.nearest.is_none() && found.limited.is_none();
            if !(nobody_asked && found.busy > 0) || look == LOOKS_MAX {
                return self.say(found).await.map(Some);
            }
            for account in &self.members.elsewhere {
                self.shared.sharing.wish(account);
            }
            tokio::select! {
                biased;
                () = self.shared.stop.cancelled() => return Ok(None),
                () = self.shared.pool.turn_ended(TURN_WAIT) => {}
            }
            self.members = pool::members(self.shared).await?;
        }
        Ok(None)
    }

    async fn look(&mut self) -> Result<Option<Found>, Halt> {
        let mut found = Found::default();
        let mut members: Vec<Member> =
            self.members.all.iter().filter(|member| self.may_work(member)).cloned().collect();
        members.sort_by_key(|member| std::cmp::Reverse(member.profile.priority));
        found.others = u32::try_from(members.len().saturating_sub(ASKED_MAX)).unwrap_or(u32::MAX);
        for member in members.into_iter().take(ASKED_MAX) {
            if self.shared.stop.is_cancelled() {
                return Ok(None);
            }
            self.shared.fence.check()?;
            let is_final = match self.ask(&member, &mut found).await? {
                Finding::Able => {
                    found.able.push(member);
                    continue;
                }
                Finding::Not(obstacle) => {
                    let is_final = rank(&obstacle) >= FINAL;
                    if found.nearest.as_ref().is_none_or(|nearest| rank(nearest) < rank(&obstacle)) {
                        found.nearest = Some(obstacle);
                    }
                    is_final
                }
                Finding::Limited(until) => {
                    found.limited = Some(found.limited.map_or(until, |first| first.min(until)));
                    false
                }
                Finding::NoConnection => {
                    found.unreachable = true;
                    false
                }
                Finding::Busy => {
                    found.busy += 1;
                    false
                }
                Finding::Lost => false,
            };
            found.others += 1;
            if is_final {
                break;
            }
        }
        Ok(Some(found))
    }

    fn may_work(&self, member: &Member) -> bool {
        let in_group = self.draft.group.is_none()
            || self.draft.group == member.profile.group
            || self.shared.config.only_account.is_some();
        let stays = member.profile.enabled && member.profile.leaving.is_none();
        stays && member.account.state == AccountState::Ready && in_group
    }

    async fn say(&self, found: Found) -> Result<Answer, Halt> {
        let impossible = |reason| Ok(Answer::Impossible { reason });
        if found.able.is_empty() {
            let is_final = found.nearest.as_ref().is_some_and(|nearest| rank(nearest) >= FINAL);
            return impossible(match (found.nearest, found.limited) {
                (Some(nearest), None) => nearest,
                (Some(nearest), Some(_)) if is_final => nearest,
                (_, Some(until)) => Obstacle::AllLimited { until },
                (None, None) if found.unreachable || found.busy > 0 => Obstacle::Unreachable,
                (None, None) => Obstacle::NoAccount,
            });
        }
        let counted = found.counted.unwrap_or_default();
        if counted.exact && counted.matching == 0 {
            return impossible(Obstacle::NothingMatches { title: found.titles.0 });
        }
        let today = self.shared.today().0;
        let limits = found
            .able
            .iter()
            .map(|member| Limits { left_today: member.budget_left(today), a_day: member.profile.daily_budget });
        let floods = self.floods(&found.able).await?;
        let estimate = estimate(counted.matching, &self.draft.pace, &limits.collect::<Vec<_>>(), floods);
        Ok(Answer::Preview(Box::new(Preview {
            source: found.titles.0,
            target: found.titles.1,
            accounts_able: u32::try_from(found.able.len()).unwrap_or(u32::MAX),
            accounts_other: found.others,
            matching: Count { number: counted.matching, exact: counted.exact },
            albums: Count { number: counted.albums, exact: counted.exact },
            estimate,
        })))
    }

    /// What the able accounts met in the last days.
    async fn floods(&self, able: &[Member]) -> Result<Floods, Halt> {
        let today = self.shared.today().0;
        let mut floods = Floods::default();
        for member in able {
            let partition = Key::account(&member.account.id).pk;
            let days = self.shared.ports.table.partition(&partition, "DAY#").await;
            for record in days.map_err(|error| Halt::Unavailable(error.to_string()))? {
                let Item::Day(day) = record.item else { continue };
                let age = day.date.until(today).map_or(i64::MAX, |span| i64::from(span.get_days()));
                if (0..FLOOD_DAYS).contains(&age) && day.date != member.account.today.date {
                    floods.add(day.counters);
                }
            }
            floods.add(member.account.today.counters);
        }
        Ok(floods)
    }

    /// Asks one account, and counts with the first that can.
    async fn ask(&mut self, member: &Member, found: &mut Found) -> Result<Finding, Halt> {
        let id = &member.account.id;
        let now = self.shared.ports.clock.now();
        if let Some(until) = self.shared.pool.waits(&member.account).until(MethodClass::Read, now) {
            return Ok(Finding::Limited(until));
        }
        let mut hand = match self.take(id).await? {
            Ok(hand) => hand,
            Err(finding) => return Ok(finding),
        };
        let finding = self.ask_with(&mut hand, id, found).await;
        self.give_back(hand).await;
        finding
    }

    /// The account's connection: its own hold, or the connection that a task of this host has open.
    async fn take(&self, id: &AccountId) -> Result<Result<Hand, Finding>, Halt> {
        let mut hold = match pool::reach(self.shared, id).await? {
            Reach::Held(hold) => hold,
            Reach::Busy => {
                let open = self.shared.pool.open_connection(id);
                let hand = |connection| Hand { hold: None, connection, marks: Marks::default() };
                return Ok(open.map(hand).ok_or(Finding::Busy));
            }
            Reach::Gone => return Ok(Err(Finding::Lost)),
        };
        // It was chosen from a list that may be behind; what counts is what was read just now.
        if let Some(limited) = self.limited(id, MethodClass::Read) {
            pool::give_back(self.shared, *hold).await;
            return Ok(Err(limited));
        }
        let error = match pool::connected(self.shared, &mut hold).await {
            Ok(connection) => {
                self.shared.fence.check()?;
                return Ok(Ok(Hand { hold: Some(hold), connection, marks: Marks::default() }));
            }
            Err(error) => error,
        };
        let finding = match error {
            OpenError::Unreachable(_) | OpenError::ClockSkew { .. } => Finding::NoConnection,
            OpenError::Refused(refusal) => {
                let mut marks = Marks::default();
                let finding = self.refused(id, &mut marks, &refusal, MethodClass::Read);
                marks.note_down(self.shared, &mut hold).await;
                finding.unwrap_or(Finding::Lost)
            }
            OpenError::NoSession { .. } => Finding::Lost,
        };
        pool::close(&mut hold).await;
        pool::give_back(self.shared, *hold).await;
        Ok(Err(finding))
    }

    async fn give_back(&self, hand: Hand) {
        let Some(mut hold) = hand.hold else { return };
        let is_spent = hand.marks.is_spent();
        hand.marks.note_down(self.shared, &mut hold).await;
        if is_spent {
            pool::close(&mut hold).await;
        }
        pool::give_back(self.shared, *hold).await;
    }

    async fn ask_with(&mut self, hand: &mut Hand, id: &AccountId, found: &mut Found) -> Result<Finding, Halt> {
        let draft = self.draft;
        let source = match self.peer(hand, id, &draft.source).await? {
            Ok(peer) => peer,
            Err(finding) => return Ok(finding),
        };
        let target = match self.peer(hand, id, &draft.target).await? {
            Ok(peer) => peer,
            Err(finding) => return Ok(finding),
        };
        if source.id == target.id {
            return Ok(Finding::Not(Obstacle::SameChat { title: source.title }));
        }
        if !source.readable {
            return Ok(Finding::Not(Obstacle::Unreadable { address: draft.source.to_string() }));
        }
        if source.protected {
            return Ok(Finding::Not(Obstacle::Protected { title: source.title }));
        }
        // Where the task may join, being outside is no obstacle yet.
        if target.postable == Some(false) && !draft.join {
            return Ok(Finding::Not(Obstacle::Unpostable { address: draft.target.to_string() }));
        }
        if found.counted.is_none() {
            if let Some(limited) = self.limited(id, MethodClass::Read) {
                return Ok(limited);
            }
            match count(hand.connection.as_ref(), &source, &draft.selection).await {
                Ok(counted) => found.counted = Some(counted),
                Err(error) => {
                    let obstacle = Obstacle::Unreadable { address: draft.source.to_string() };
                    return Ok(self.failed(hand, id, error, MethodClass::Read, obstacle));
                }
            }
            found.titles = (source.title, target.title);
        }
        Ok(Finding::Able)
    }

    /// The chat as this account sees it: looked at where its access hash is known, resolved otherwise.
    async fn peer(
        &mut self,
        hand: &mut Hand,
        id: &AccountId,
        address: &PeerAddress,
    ) -> Result<Result<Peer, Finding>, Halt> {
        let mut hash = None;
        if let Some(peer) = self.known.get(&address.to_string()).copied() {
            let key = Key::peer(id, peer);
            let known = expect_item!(self.shared.store.get(&key).await?, Peer, key);
            hash = known.map(|(known, _)| (peer, known.access_hash));
        }
        let class = if hash.is_some() { MethodClass::Read } else { MethodClass::Resolve };
        if let Some(limited) = self.limited(id, class) {
            return Ok(Err(limited));
        }
        let seen = match hash {
            Some((peer, hash)) => hand.connection.look(peer, hash).await,
            None => hand.connection.resolve(address).await,
        };
        let peer = match seen {
            Ok(peer) => peer,
            Err(error) => {
                let obstacle = self.nobody_finds(&error, address);
                return Ok(Err(self.failed(hand, id, error, class, obstacle)));
            }
        };
        self.known.insert(address.to_string(), peer.id);
        if class == MethodClass::Resolve {
            self.remember(id, &peer).await;
        }
        Ok(Ok(peer))
    }

    /// A call during a wait that is known would be refused without being made, and that is no new flood.
    fn limited(&self, id: &AccountId, class: MethodClass) -> Option<Finding> {
        self.shared.pool.known_wait(id, class, self.shared.ports.clock.now()).map(Finding::Limited)
    }

    fn nobody_finds(&self, error: &CallError, address: &PeerAddress) -> Obstacle {
        let (text, address) = (error.to_string(), address.to_string());
        let hidden = ["CHANNEL_PRIVATE", "CHAT_FORBIDDEN", "USER_BANNED"].iter().any(|word| text.contains(word));
        match (hidden, address == self.draft.target.to_string()) {
            (true, false) => Obstacle::Unreadable { address },
            (true, true) => Obstacle::Unpostable { address },
            (false, _) => Obstacle::UnknownChat { address },
        }
    }

    /// Resolving has long waits of its own: what it told is kept, for the transfer too.
    async fn remember(&self, id: &AccountId, peer: &Peer) {
        let known = KnownPeer {
            account: id.clone(),
            peer: peer.id,
            access_hash: peer.access_hash,
            title: peer.title.clone(),
            unusable: None,
            checked_at: self.shared.ports.clock.now(),
        };
        // Any copy is as good as another, and one that is not stored is resolved again.
        let write = Write::Put { item: Item::Peer(known), guard: Guard::None };
        if let Err(error) = self.shared.ports.table.commit(vec![write]).await {
            tracing::debug!(account = %id, %error, "a peer was not remembered");
        }
    }

    /// What a failed call says of the account and of the chat.
    fn failed(
        &self,
        hand: &mut Hand,
        id: &AccountId,
        error: CallError,
        class: MethodClass,
        obstacle: Obstacle,
    ) -> Finding {
        match error {
            CallError::Uncertain(_) => {
                hand.marks.uncertain = true;
                Finding::NoConnection
            }
            CallError::Refused(refusal) => {
                self.refused(id, &mut hand.marks, &refusal, class).unwrap_or(Finding::Not(obstacle))
            }
        }
    }

    /// What a refusal means for the account, of a call or of its connection; `None` when the account is not the cause.
    fn refused(&self, id: &AccountId, marks: &mut Marks, refusal: &Refusal, class: MethodClass) -> Option<Finding> {
        Some(match marks.refused(self.shared, id, refusal, class)? {
            Effect::Limited(until) => Finding::Limited(until),
            Effect::Lost(_) => Finding::Lost,
        })
    }
}
