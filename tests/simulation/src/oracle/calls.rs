//! Connections and calls: one connection per auth key, one call per class, none during a wait.
//!
//! A call is judged by what was known when the world decided it, and what may be the doing of a late one (the connection was
//! cut, and the world decides the call long after it was sent) is held against somebody only when its reply is *heard*:
//! a late call is never answered.
//!
//! A wait exempts calls as long as nobody knows of it: it was not committed, and whoever received it was killed, stood still
//! or was cut off. Usually that is one call, because its answer tells of the wait again.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use simulator::time::SimTime;
use simulator::world::audit::{Entry, Outcome};
use simulator::world::call::class_of;
use simulator::world::floods::Class;
use simulator::world::{SessionId, UserId};
use transfer::account::{JOINS_MAX, JOINS_WITHIN, MethodClass};
use transfer::ids::AccountId;
use transfer::refusal::{Meaning, Refusal};

use super::Invariant;
use super::coverage::{self, FIRST, OTHER, REPEAT};
use super::forwards::Going;
use super::state::State;
use crate::process::Process;

/// What was noted of connections and calls.
#[derive(Default)]
pub(super) struct Calls {
    /// Connections that the server has open: the account, and whose.
    pub(super) open: BTreeMap<SessionId, (UserId, String)>,
    /// Calls whose reply was not heard yet.
    pub(super) unheard: BTreeMap<u64, Call>,
    /// The call that is under way on a connection, by class.
    under_way: BTreeMap<(SessionId, Class), u64>,
    /// The last wait that each account was given.
    waits: BTreeMap<(UserId, Class), Wait>,
    /// When each account joined chats.
    joins: BTreeMap<UserId, Vec<SimTime>>,
    pub(super) latest_wait: SimTime,
    /// The forward that the world is deciding.
    pub(super) going: BTreeMap<UserId, Going>,
}

/// A call that the world has decided.
pub(super) struct Call {
    account: UserId,
    class: Class,
    session: SessionId,
    answer: &'static str,
    first: Option<bool>,
    gives_wait: bool,
    /// What is wrong with it, should it be heard.
    pub(super) held_against: Vec<(Invariant, String)>,
}

/// A wait that the world gave.
struct Wait {
    by_call: u64,
    until: SimTime,
    heard: Option<Heard>,
}

/// Who received a wait.
struct Heard {
    process: Process,
    at: SimTime,
    /// Its end by the wall clock of that process.
    until: Timestamp,
}

impl State {
    pub(super) fn opened(&mut self, by: &Process, account: UserId, session: SessionId) {
        let other = self.calls.open.iter().find(|(_, (of, _))| *of == account);
        if let Some((_, (_, whose))) = other {
            let text = format!(
                "{} opened a connection of account {account} while one of {whose} is open at the server",
                by.incarnation()
            );
            self.violated(Invariant::OneConnection, text);
        }
        self.calls.open.insert(session, (account, by.incarnation().0.clone()));
    }

    pub(super) fn closed(&mut self, session: SessionId) {
        self.calls.open.remove(&session);
        self.calls.under_way.retain(|(of, _), _| *of != session);
    }

    pub(super) fn called(&mut self, by: &Process, entry: &Entry) {
        let Some(account) = entry.account else { return };
        let class = class_of(entry.method);
        let going = if entry.method == "messages.forwardMessages" { self.calls.going.remove(&account) } else { None };
        let mut call = Call {
            account,
            class,
            session: entry.session,
            answer: answer(&entry.outcome),
            first: going.as_ref().map(|going| going.first),
            gives_wait: entry.wait_until.is_some(),
            held_against: Vec::new(),
        };
        if entry.during_wait.is_some() {
            match self.knows(by, account, class) {
                Some(why) => call.held_against.push((
                    Invariant::Wait,
                    format!(
                        "{} called {} with account {account} {} ms before its wait was over, {why}",
                        by.incarnation(),
                        entry.method,
                        entry.during_wait.unwrap_or(0)
                    ),
                )),
                None => self.coverage.count(OTHER, "calls in a wait nobody knew"),
            }
        }
        self.one_at_a_time(by, entry, account, class);
        self.joins_few(by, entry, account);
        match entry.method {
            "users.getUsers" => self.coverage.count(OTHER, "idle account checked"),
            "auth.logOut" => self.coverage.count(OTHER, "account signed out"),
            _ => {}
        }
        if let Some(until) = entry.wait_until {
            self.calls.latest_wait = self.calls.latest_wait.max(until);
            self.calls.waits.insert((account, class), Wait { by_call: entry.seq, until, heard: None });
        }
        if matches!(&entry.outcome, Outcome::Refused(_)) && entry.wait_until.is_none() {
            self.account(&AccountId(account.to_string())).refused = true;
        }
        if let Some(going) = going {
            call.held_against.extend(self.decided(going, entry));
        }
        self.calls.unheard.insert(entry.seq, call);
    }

    /// A connection carries one call of a class at a time.
    fn one_at_a_time(&mut self, by: &Process, entry: &Entry, account: UserId, class: Class) {
        if class == Class::Other || !self.calls.open.contains_key(&entry.session) {
            return;
        }
        if self.calls.under_way.insert((entry.session, class), entry.seq).is_some() {
            let text = format!(
                "{} called {} with account {account} while another call of its class was not answered",
                by.incarnation(),
                entry.method
            );
            self.violated(Invariant::OneCallPerClass, text);
        }
    }

    /// An account joins few chats an hour, as hosts count hours.
    fn joins_few(&mut self, by: &Process, entry: &Entry, account: UserId) {
        if !matches!(entry.method, "channels.joinChannel" | "messages.importChatInvite") {
            return;
        }
        self.coverage.count(OTHER, "chat joined");
        let now = self.now();
        let joins = self.calls.joins.entry(account).or_default();
        joins.retain(|at| i128::from(now.since(*at)) < JOINS_WITHIN.as_millis());
        joins.push(now);
        if joins.len() > JOINS_MAX && !self.clock_jumps {
            let text = format!(
                "{} joins with account {account} for the {}th time within an hour",
                by.incarnation(),
                joins.len()
            );
            self.violated(Invariant::Joins, text);
        }
    }

    /// Why the caller had to know of the account's wait; `None`: nobody did.
    fn knows(&self, by: &Process, account: UserId, class: Class) -> Option<String> {
        let class_of_host = match class {
            Class::Write => MethodClass::Write,
            Class::Read | Class::Other => MethodClass::Read,
            Class::Resolve => MethodClass::Resolve,
        };
        let wall = by.clock().now();
        let view = self.accounts.get(&AccountId(account.to_string()));
        if let Some(until) = view.and_then(|view| view.waits.until(class_of_host, wall)) {
            return Some(format!("which is committed (until {until})"));
        }
        let heard = self.calls.waits.get(&(account, class))?.heard.as_ref()?;
        let same = heard.process.incarnation() == by.incarnation();
        let fit = same || self.lives.is_fit(&heard.process, heard.at, self.now());
        (fit && wall < heard.until).then(|| format!("which {} has received", heard.process.incarnation()))
    }

    pub(super) fn heard(&mut self, by: &Process, seq: u64) {
        let Some(call) = self.calls.unheard.remove(&seq) else { return };
        if self.calls.under_way.get(&(call.session, call.class)) == Some(&seq) {
            self.calls.under_way.remove(&(call.session, call.class));
        }
        if let Some(first) = call.first {
            self.coverage.count(if first { FIRST } else { REPEAT }, call.answer);
        }
        if call.gives_wait {
            let now = self.now();
            if let Some(wait) = self.calls.waits.get_mut(&(call.account, call.class)).filter(|wait| wait.by_call == seq)
            {
                let left = SignedDuration::from_millis(wait.until.since(now));
                let until = by.clock().now().saturating_add(left).unwrap_or(Timestamp::MAX);
                wait.heard = Some(Heard { process: by.clone(), at: now, until });
            }
        }
        for (invariant, text) in call.held_against {
            self.violated(invariant, text);
        }
    }

    /// Until when the account waits as far as anybody heard, in any class.
    pub(super) fn heard_wait(&self, account: UserId) -> Option<SimTime> {
        let waits = self.calls.waits.iter().filter(|((of, _), _)| *of == account);
        waits.map(|(_, wait)| wait.until).max()
    }
}

/// The row of an answer.
fn answer(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Open => "open",
        Outcome::Ok => "complete",
        Outcome::Partial => "partial",
        Outcome::Lost { applied: true, .. } => "lost, applied",
        Outcome::Lost { applied: false, .. } => "lost, not applied",
        Outcome::Refused(name) => match Refusal::parse(400, name).meaning() {
            Meaning::Unknown if name.starts_with("INTER") || name.starts_with("RPC_") => "internal",
            meaning => coverage::meaning(meaning),
        },
    }
}
