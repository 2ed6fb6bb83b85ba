//! Which lives of hosts there are, and which of them show signs of life.

use simulator::time::SimTime;
use transfer::ids::{HostId, Incarnation};
use transfer::lease::Lease;

use super::Noted;
use crate::process::Process;

/// A host is silent after so long without a renewal (a second less than the engine waits).
const SILENT_MILLIS: i64 = 99_000;

/// All lives that were seen.
#[derive(Debug, Default)]
pub(super) struct Lives {
    lives: Noted<Incarnation, Life>,
    /// The life that stands in each HOST item.
    present: Noted<HostId, Incarnation>,
}

#[derive(Debug, Default)]
struct Life {
    host: Option<HostId>,
    dead: bool,
    renewed: Option<SimTime>,
    frozen: Option<SimTime>,
}

impl Lives {
    fn life(&mut self, incarnation: &Incarnation) -> &mut Life {
        if !self.lives.contains_key(incarnation) {
            self.lives.insert(incarnation.clone(), Life::default());
        }
        self.lives.entry(incarnation.clone()).or_default()
    }

    /// A HOST item was written.
    pub(super) fn renewed(&mut self, host: &HostId, incarnation: &Incarnation, now: SimTime) {
        let life = self.life(incarnation);
        life.renewed = Some(now);
        life.host.get_or_insert_with(|| host.clone());
        if self.present.get(host) != Some(incarnation) {
            self.present.insert(host.clone(), incarnation.clone());
        }
    }

    /// A HOST item was deleted: a clean end.
    pub(super) fn signed_off(&mut self, host: &str) {
        self.present.retain(|id, _| id.0 != host);
    }

    pub(super) fn died(&mut self, by: &Process) {
        self.life(by.incarnation()).dead = true;
    }

    pub(super) fn frozen(&mut self, by: &Process, now: SimTime) {
        self.life(by.incarnation()).frozen = Some(now);
    }

    fn is_dead(&self, incarnation: &Incarnation) -> bool {
        self.lives.get(incarnation).is_some_and(|life| life.dead)
    }

    /// Why a lease may not be taken, if so: its holder shows signs of life.
    pub(super) fn why_not_taken(&self, lease: &Lease, by: &Incarnation, now: SimTime) -> Option<&'static str> {
        if self.present.get(&lease.host) != Some(&lease.incarnation) {
            // Signed off, or replaced by a later life; or it never renewed, and then nothing is known of it.
            return None;
        }
        let same_host = self.lives.get(by).is_some_and(|life| life.host.as_ref() == Some(&lease.host));
        if same_host && self.is_dead(&lease.incarnation) {
            // On one machine the lock file of a dead process is free.
            return None;
        }
        let renewed = self.lives.get(&lease.incarnation)?.renewed?;
        (now.since(renewed) < SILENT_MILLIS).then_some("renewed less than 100 s ago")
    }

    /// How long ago a life renewed last, unless it stood still since.
    pub(super) fn silent_millis(&self, incarnation: &Incarnation, now: SimTime) -> Option<i64> {
        let life = self.lives.get(incarnation)?;
        let renewed = life.renewed?;
        let moves = life.frozen.is_none_or(|frozen| frozen < renewed);
        moves.then(|| now.since(renewed))
    }

    /// Whether what a life heard at `since` must have been committed or handed on by it: it lives, has never stood still
    /// since, is the one that stands in its HOST item, and reaches the table.
    pub(super) fn is_fit(&self, process: &Process, since: SimTime, now: SimTime) -> bool {
        let Some(life) = self.lives.get(process.incarnation()) else { return !process.is_dead() };
        let stood_still = process.frozen_for().is_some() || life.frozen.is_some_and(|frozen| frozen >= since);
        let reaches = life.renewed.is_some_and(|renewed| now.since(renewed) < 15_000);
        let present = self.present.get(process.host()) == Some(process.incarnation());
        !life.dead && !process.is_dead() && !stood_still && reaches && present
    }
}
