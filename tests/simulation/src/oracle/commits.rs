//! Commits: what hosts and admin write, judged at the moment at which it is written.

use std::collections::BTreeSet;

use simulator::world::World;
use transfer::event::{Event, Settlement};
use transfer::ids::{AccountId, Incarnation, TaskId};
use transfer::lease::Lease;
use transfer::table::{Item, Key, Record, Write};
use transfer::task::{Command, Task, TaskState, Wish};

use super::coverage::{self, LEDGER, OTHER, STATES};
use super::expected::{self, Expect, Window};
use super::state::{State, TaskView};
use super::{Invariant, told};

/// What is younger may be left out when a task fixes its range: an album may still be growing.
const SETTLES_SECS: i32 = 70;

impl State {
    /// A commit succeeded.
    pub(super) fn committed(
        &mut self,
        world: &World,
        by: &Incarnation,
        writes: &[Write],
        _before: &dyn Fn(&Key) -> Option<Record>,
    ) {
        let mut tasks: Vec<&Task> = Vec::new();
        let mut events: Vec<&Event> = Vec::new();
        for write in writes {
            match write {
                Write::Put { item: Item::Task(task), .. } => tasks.push(task),
                Write::Put { item: Item::Event(record), .. } => {
                    self.coverage.event(&record.event);
                    events.push(&record.event);
                }
                Write::Put { item, .. } => self.item_committed(by, item),
                Write::Delete { key, .. } => self.deleted(by, key),
                Write::Check { .. } => {}
            }
        }
        for task in tasks {
            if self.tasks.contains_key(&task.id) {
                self.task_committed(world, by, task, &events);
            }
        }
    }

    fn item_committed(&mut self, by: &Incarnation, item: &Item) {
        let now = self.now();
        match item {
            Item::Host(host) => self.lives.renewed(&host.id, &host.incarnation, now),
            Item::Account(account) => {
                let old = self.account(&account.id).lease.clone();
                self.lease_broken(by, old.as_ref(), account.lease.as_ref(), &format!("account {}", account.id));
                self.account(&account.id).note(account);
            }
            Item::Profile(profile) => {
                let view = self.account(&profile.id);
                // Whoever leaves is to be left alone as much as whoever is disabled.
                let enabled = profile.enabled && profile.leaving.is_none();
                if view.enabled != enabled {
                    view.begun_since_disabled = 0;
                }
                view.enabled = enabled;
                view.group.clone_from(&profile.group);
                view.edited = now;
                view.budget = match (view.budget_known, view.budget, profile.daily_budget) {
                    (true, Some(before), Some(after)) => Some(before.max(after)),
                    (false, _, after) => after,
                    (true, None, _) | (true, _, None) => None,
                };
                view.budget_known = true;
            }
            Item::Command(command) => self.wished(command),
            Item::Skip(row) => {
                self.coverage.count(LEDGER, coverage::reason(&row.reason));
                if let Some(view) = self.tasks.get_mut(&row.task) {
                    view.ledger.extend(row.ids.iter().map(|id| (id.0, row.reason.clone())));
                }
            }
            Item::TargetLock(lock) => drop(self.locks.insert(lock.target, lock.task.clone())),
            Item::Day(_)
            | Item::Peer(_)
            | Item::Batch(_)
            | Item::Chunk(_)
            | Item::Task(_)
            | Item::Event(_)
            | Item::Dialogue(_)
            | Item::Settings(_)
            | Item::Recent(_)
            | Item::Update(_)
            | Item::Inquiry(_)
            | Item::Report(_)
            | Item::Gone(_)
            | Item::Installation(_)
            | Item::Alert(_)
            | Item::Session(_)
            | Item::Login(_)
            | Item::Panic(_) => {}
        }
    }

    fn wished(&mut self, command: &Command) {
        let Some(view) = self.tasks.get_mut(&command.task) else { return };
        if view.wish == Wish::Run && command.wish != Wish::Run {
            view.begun_since_wish = 0;
        }
        view.wish = command.wish;
    }

    fn deleted(&mut self, by: &Incarnation, key: &Key) {
        let account = self.accounts.keys().find(|id| Key::account(id) == *key).cloned();
        if let Some(id) = account {
            let old = self.account(&id).lease.clone();
            self.lease_broken(by, old.as_ref(), None, &format!("account {id}"));
            self.coverage.count(OTHER, "account left");
            let view = self.account(&id);
            (view.lease, view.ready, view.was_gone) = (None, false, true);
        }
        if let Some(host) = key.pk.strip_prefix("HOST#") {
            self.lives.signed_off(host);
        }
        self.locks.retain(|target, _| Key::target(*target) != *key);
    }

    /// A lease goes from a life that shows signs of life to nobody but by its own hand.
    fn lease_broken(&mut self, by: &Incarnation, old: Option<&Lease>, new: Option<&Lease>, of: &str) {
        let Some(old) = old.filter(|old| old.incarnation != *by && Some(*old) != new) else { return };
        if let Some(why) = self.lives.why_not_taken(old, by, self.now()) {
            let text = format!("{by} takes the lease of {of} from {}, which {why}", old.incarnation);
            self.violated(Invariant::LeaseFence, text);
        }
    }

    fn task_committed(&mut self, world: &World, by: &Incarnation, task: &Task, events: &[&Event]) {
        self.look_at_targets(world);
        let Some(view) = self.tasks.get_mut(&task.id) else { return };
        let old = view.lease.clone();
        if old != task.lease {
            view.lease.clone_from(&task.lease);
            self.lease_broken(by, old.as_ref(), task.lease.as_ref(), &task.id.0);
        }
        self.window_fixed(world, task);
        for (invariant, text) in self.checkpoint_broken(task) {
            self.violated(invariant, text);
        }
        let taken_over = events.iter().any(|event| matches!(event, Event::Settled { how: Settlement::TakenOver, .. }));
        self.intent_committed(by, task, taken_over);
        if events.iter().any(|event| matches!(event, Event::AllLimited { .. })) {
            self.sleeps(world, task);
        }
        if let Some(view) = self.tasks.get_mut(&task.id) {
            let uncertain = task.checkpoint.intent.is_some();
            let state = coverage::state(&task.state, uncertain);
            if view.state != state {
                view.state = state;
                self.coverage.count(STATES, state);
            }
        }
    }

    /// The task fixes its range: nothing that it should carry may lie outside.
    fn window_fixed(&mut self, world: &World, task: &Task) {
        let now = self.now().unix_secs();
        let Some(view) = self.tasks.get_mut(&task.id) else { return };
        let Some(last) = task.last_id else { return };
        if let Some(window) = view.window {
            if window.last != last.0 {
                let text = format!("{} ends at {last}, and ended at {} before", task.id, window.last);
                self.violated(Invariant::NothingLost, text);
            }
            return;
        }
        let window = Window { above: task.checkpoint.cursor.0, last: last.0 };
        view.window = Some(window);
        view.cursor = window.above;
        let source = self.sources.entry(view.plan.source).or_default();
        expected::note(world, view.plan.source, source);
        let missed = expected::misses(source, &view.plan.selection, window, now - SETTLES_SECS);
        if let Some(missed) = missed.filter(|_| !self.clock_jumps) {
            let text = format!(
                "{} looks at what is above {} up to {last} only: message {missed} is selected and would be left out",
                task.id, window.above
            );
            self.violated(Invariant::NothingLost, text);
        }
    }

    /// What cursor, `ahead` and counts claim, against world and ledger.
    fn checkpoint_broken(&mut self, task: &Task) -> Vec<(Invariant, String)> {
        let mut broken = Vec::new();
        let Some(view) = self.tasks.get_mut(&task.id) else { return broken };
        let checkpoint = &task.checkpoint;
        let (old, new) = (view.cursor, checkpoint.cursor.0);
        if new < old {
            broken.push((Invariant::CursorBack, format!("the cursor of {} goes from {old} back to {new}", task.id)));
        }
        let (delivered, skipped) = (checkpoint.counts.delivered, checkpoint.counts.skipped);
        if delivered < view.delivered_count || skipped < view.skipped_count {
            let text = format!("the counts of {} go back to {delivered} delivered, {skipped} skipped", task.id);
            broken.push((Invariant::Counters, text));
        }
        (view.delivered_count, view.skipped_count) = (delivered, skipped);
        let Some(window) = view.window else {
            if new > 0 {
                broken.push((Invariant::CursorAhead, format!("{} is at {new} before its range is fixed", task.id)));
            }
            return broken;
        };
        if new == old && checkpoint.ahead.iter().all(|id| view.ahead.contains(&id.0)) {
            return broken;
        }
        let ahead: BTreeSet<i32> = checkpoint.ahead.iter().map(|id| id.0).collect();
        let source = self.sources.entry(view.plan.source).or_default();
        let must = TaskView::expect(&mut view.expected, source, &view.plan, window);
        let passed = must.range(expected::between(old, new)).map(|(id, expect)| (*id, *expect));
        let ahead_now = ahead.difference(&view.ahead).map(|id| (*id, must.get(id).copied().unwrap_or(Expect::Not)));
        let claimed: Vec<i32> =
            passed.chain(ahead_now).filter(|(_, expect)| *expect == Expect::Must).map(|(id, _)| id).collect();
        let unproven: Vec<i32> = claimed.into_iter().filter(|id| !view.is_decided(*id)).collect();
        if !unproven.is_empty() {
            let text = format!(
                "{} moves its cursor from {old} to {new} (ahead {}) though {} is neither in the target nor in the ledger",
                task.id,
                told(ahead.iter().copied()),
                told(unproven)
            );
            broken.push((Invariant::CursorAhead, text));
        }
        view.cursor = old.max(new);
        view.ahead = ahead;
        broken
    }

    /// A task sleeps because every account has to wait: not past the first that need not.
    fn sleeps(&mut self, world: &World, task: &Task) {
        let TaskState::Waiting { wake_at, .. } = &task.state else { return };
        if self.clock_jumps || self.rights_change {
            return;
        }
        let now = self.now();
        let wake = wake_at.as_millisecond();
        let first = self.accounts.keys().filter_map(|id| Some((self.writes_at(world, task, id)?, id.clone()))).min();
        let Some((at, account)) = first else { return };
        if wake > at.max(now.0) + 2_000 {
            let late = (wake - at.max(now.0)) / 1000;
            let text =
                format!("{} sleeps until {wake_at}, {late} s longer than account {account} has to wait", task.id);
            self.violated(Invariant::WakeTime, text);
        }
    }

    /// When an account may write for this task, if that is certain: whoever was ever refused anything, was edited lately or
    /// has a budget is left out.
    fn writes_at(&self, world: &World, task: &Task, id: &AccountId) -> Option<i64> {
        let view = self.accounts.get(id)?;
        let number: i64 = id.0.parse().ok()?;
        let user = simulator::world::UserId(number);
        let plan = &self.tasks.get(&task.id)?.plan;
        let fits = task.group.is_none() || task.group == view.group;
        let bound = task.bound_to.as_ref().is_none_or(|bound| bound == id);
        let settled = self.now().since(view.edited) > 120_000;
        let in_world = world.users.get(&user)?.state == simulator::world::user::AccountState::Active
            && world.chat(plan.source)?.may_read(user).is_ok()
            && world.chat(plan.target)?.may_write(user, world.now()).is_ok();
        let free = view.enabled && view.ready && !view.refused && view.budget.is_none();
        if !(fits && bound && settled && in_world && free) {
            return None;
        }
        let waits = [view.waits.write, view.waits.read, view.waits.resolve];
        let committed = waits.into_iter().flatten().map(|until| until.as_millisecond()).max();
        let heard = self.heard_wait(user).map(|until| until.0);
        Some(committed.max(heard).unwrap_or(0))
    }

    /// Another task with an open intent for the same target.
    pub(super) fn rival(&self, task: &TaskId) -> Option<&TaskId> {
        let target = self.tasks.get(task)?.plan.target;
        let mut others = self.tasks.values().filter(|view| view.plan.target == target && view.plan.id != *task);
        others.find(|view| view.open.is_some()).map(|view| &view.plan.id)
    }
}
