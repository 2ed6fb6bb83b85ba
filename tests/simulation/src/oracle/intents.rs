//! Intents: begun by who may, for as much as one may, and given up only when nothing of them was carried out.

use jiff::tz::TimeZone;
use transfer::ids::{Incarnation, PeerId};
use transfer::intent::Intent;
use transfer::task::{Task, TaskState, Wish};

use super::state::{OpenIntent, State};
use super::{Invariant, told};

/// How long the first account's last call must be over before another takes its chunk (a second less).
const TAKEOVER_MILLIS: i64 = 119_000;

impl State {
    /// A task was committed: what became of its open intent, and whether it begins another.
    pub(super) fn intent_committed(&mut self, by: &Incarnation, task: &Task, taken_over: bool) {
        let Some(view) = self.tasks.get_mut(&task.id) else { return };
        let new = task.checkpoint.intent.as_ref();
        let same = view.open.as_ref().zip(new).is_some_and(|(open, new)| open.is_same(new));
        if same {
            if let (Some(open), Some(new)) = (&mut view.open, new) {
                open.intent.made_by.clone_from(&new.made_by);
                open.intent.repeats = new.repeats;
            }
            return;
        }
        if let Some(open) = view.open.take() {
            self.closes(task, open, taken_over);
        }
        if let Some(new) = new {
            self.begins(by, task, new);
        }
    }

    /// An intent is decided or withdrawn.
    fn closes(&mut self, task: &Task, mut open: OpenIntent, taken_over: bool) {
        let now = self.now();
        open.closed = Some(now);
        let decided = task.checkpoint.chunks >= open.intent.id;
        let given_up = matches!(task.state, TaskState::Cancelled { .. });
        if taken_over {
            self.bound.retain(|(account, random), _| {
                *account != open.account || !open.intent.random_ids.0.iter().any(|id| id.0 == *random)
            });
            let since = open.last_call.map_or(i64::MAX, |last| now.since(last));
            if since < TAKEOVER_MILLIS && !self.clock_jumps {
                let text = format!(
                    "{}: {} is taken from account {} only {since} ms after its last call",
                    task.id,
                    told(open.ids()),
                    open.account
                );
                self.violated(Invariant::Takeover, text);
            }
        }
        let Some(view) = self.tasks.get_mut(&task.id) else { return };
        let there: Vec<i32> = open.ids().filter(|id| view.created.contains_key(id)).collect();
        let account = open.account;
        view.past.push(open);
        if !decided && !given_up && !there.is_empty() {
            let text = format!(
                "{}: an intent of account {account} is withdrawn though {} was carried out",
                task.id,
                told(there)
            );
            self.violated(Invariant::IntentKept, text);
        }
    }

    /// A chunk is begun.
    fn begins(&mut self, by: &Incarnation, task: &Task, intent: &Intent) {
        let open = OpenIntent::new(intent.clone());
        self.coverage.chunk(intent.ids.len());
        let day = intent.made_at.to_zoned(TimeZone::UTC).date();
        for random in &intent.random_ids.0 {
            self.charged.insert((open.account, random.0), day);
        }
        let mut broken = self.may_begin(by, task, intent);
        broken.extend(self.random_ids_taken(task, &open));
        let what = |view: &str| format!("{}: {} is begun {view}", task.id, told(open.ids()));
        let account = self.account(&intent.account);
        if !account.enabled {
            account.begun_since_disabled += 1;
            if account.begun_since_disabled > 1 {
                let text = what(&format!("with account {}, which the admin disabled chunks ago", intent.account));
                broken.push((Invariant::Disabled, text));
            }
        }
        if account.lease.as_ref().is_none_or(|lease| lease.incarnation != *by) {
            let holder = account.lease.as_ref().map_or("nobody", |lease| lease.incarnation.0.as_str());
            let text = what(&format!("by {by} with account {}, whose lease {holder} has", intent.account));
            broken.push((Invariant::LeaseFence, text));
        }
        if let Some(view) = self.tasks.get_mut(&task.id) {
            if view.wish != Wish::Run {
                view.begun_since_wish += 1;
                if view.begun_since_wish > 1 {
                    let text = what(&format!("though the admin wished {:?} chunks ago", view.wish));
                    broken.push((Invariant::PauseWithinChunk, text));
                }
            }
            view.open = Some(open);
        }
        for (invariant, text) in broken {
            self.violated(invariant, text);
        }
    }

    fn may_begin(&self, by: &Incarnation, task: &Task, intent: &Intent) -> Vec<(Invariant, String)> {
        let mut broken = Vec::new();
        let Some(view) = self.tasks.get(&task.id) else { return broken };
        if intent.made_by != *by || view.holder() != Some(by) {
            let holder = view.holder().map_or("nobody", |holder| holder.0.as_str());
            let text = format!("{by} begins a chunk of {}, made by {}, lease {holder}", task.id, intent.made_by);
            broken.push((Invariant::LeaseFence, text));
        }
        let lock = self.locks.get(&PeerId(view.plan.target.0));
        if lock != Some(&task.id) {
            let holder = lock.map_or("nobody", |task| task.0.as_str());
            let text = format!("{} begins a chunk into {}, whose lock {holder} has", task.id, view.plan.target);
            broken.push((Invariant::OneTaskPerTarget, text));
        }
        if let Some(rival) = self.rival(&task.id) {
            let text = format!("{} begins a chunk into {} while {rival} has one open", task.id, view.plan.target);
            broken.push((Invariant::OneTaskPerTarget, text));
        }
        broken
    }

    /// No random id stands for two messages.
    fn random_ids_taken(&mut self, task: &Task, open: &OpenIntent) -> Option<(Invariant, String)> {
        let pairs = open.ids().zip(&open.intent.random_ids.0);
        for (id, random) in pairs {
            let (of, other) = self.random.entry(random.0).or_insert_with(|| (task.id.clone(), id));
            if *of != task.id || *other != id {
                let text =
                    format!("message {id} of {} gets the random id {} of message {other} of {of}", task.id, random.0);
                return Some((Invariant::RandomIds, text));
            }
        }
        None
    }
}
