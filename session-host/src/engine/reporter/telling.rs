//! What one owner has been told of one task, and what comes next.

mod claim;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use transfer::event::Event;
use transfer::ids::AccountId;
use transfer::intent::SkipReason;
use transfer::table::item::{EventRecord, Report};
use transfer::task::{Counts, Task, TaskState};
use transfer::tell::alert::{Alert, kind};
use transfer::tell::{happening, progress};

use super::labels::Labels;
use super::rests;
use crate::engine::chats::{EDITS_APART as EDIT_EVERY, Unsaid};
use crate::engine::{Halt, Shared, alerts};

/// The pause after a failure doubles up to this.
const FAILURE_PAUSE_MAX: Duration = Duration::from_secs(300);
/// Events that are kept for the progress message.
const EVENTS_KEPT: usize = 12;
/// The rate is that of the last while.
const RATE_OVER: SignedDuration = SignedDuration::from_mins(5);
/// Changes of account that follow each other more closely are told in the progress message alone.
const CHANGES_APART: SignedDuration = SignedDuration::from_mins(10);
/// From so many matching messages on, a share of skipped ones says something.
const MATCHED_MIN: u64 = 20;

/// One task being told of.
pub(super) struct Telling {
    task: Box<Task>,
    /// The report has to be taken over from a host that is gone, if it still has this version.
    found: Option<u64>,
    /// The report as committed, with its version; `None` until it was read.
    report: Option<(Report, u64)>,
    /// Somebody else wrote the report since the task was looked at: what they did to the task came with it.
    overtaken: bool,
    /// The last events, oldest first.
    events: VecDeque<EventRecord>,
    /// Events that were not looked at for a message of their own.
    untold: VecDeque<EventRecord>,
    /// Up to here events were told or need not be.
    told: u64,
    heard_up_to: u64,
    in_range: Option<u64>,
    started_at: Option<Timestamp>,
    last_change: Option<Timestamp>,
    /// Messages skipped that are no service messages.
    skipped: u64,
    samples: VecDeque<(Timestamp, Counts)>,
    shown: Option<transfer::bot::Screen>,
    /// When the progress message may be edited next (uptime).
    edit_at: Duration,
    failures: u32,
    /// When (uptime) the report was last read or written here as its only teller.
    claimed_at: Duration,
    /// Whether nobody is there to be told.
    nobody: bool,
    /// When to look at this again (uptime); `None`: when there is news.
    pub(super) next_at: Option<Duration>,
}

/// What telling led to.
enum Then {
    /// Everything is told; forget the task.
    Over,
    /// Everything is told until there is news.
    News,
    /// Come again then (uptime).
    At(Duration),
    /// Something failed: come again after a pause.
    Failed(String),
}

impl Telling {
    pub(super) fn new(task: Box<Task>, found: Option<u64>) -> Self {
        Self {
            task,
            found,
            report: None,
            overtaken: false,
            events: VecDeque::new(),
            untold: VecDeque::new(),
            told: 0,
            heard_up_to: 0,
            in_range: None,
            started_at: None,
            last_change: None,
            skipped: 0,
            samples: VecDeque::new(),
            shown: None,
            edit_at: Duration::ZERO,
            failures: 0,
            claimed_at: Duration::ZERO,
            nobody: false,
            next_at: None,
        }
    }

    /// Takes over what was committed.
    pub(super) fn hear(&mut self, task: Box<Task>, events: Vec<EventRecord>, now: Duration) {
        self.task = task;
        for event in events {
            self.hear_event(event);
        }
        // After a failure its pause stands.
        if self.failures == 0 {
            self.next_at = Some(self.next_at.unwrap_or(now).min(now));
        }
    }

    fn hear_event(&mut self, record: EventRecord) {
        if record.ordinal <= self.heard_up_to {
            return;
        }
        self.heard_up_to = record.ordinal;
        match &record.event {
            Event::Started { in_range } => {
                self.in_range = *in_range;
                self.started_at.get_or_insert(record.at);
            }
            Event::Skipped { messages, reason } if *reason != SkipReason::Service => {
                self.skipped += u64::from(*messages);
            }
            _ => {}
        }
        if record.ordinal > self.told {
            self.untold.push_back(record.clone());
        }
        self.events.push_back(record);
        if self.events.len() > EVENTS_KEPT {
            self.events.pop_front();
        }
    }

    /// Tells what there is to tell; whether the task can be forgotten then.
    pub(super) async fn tell(&mut self, shared: &Shared, labels: &mut Labels<'_>) -> bool {
        let then = match self.step(shared, labels).await {
            Ok(then) => then,
            Err(halt) => Then::Failed(halt.to_string()),
        };
        let now = shared.ports.clock.uptime();
        match then {
            Then::Over => return true,
            Then::News => self.next_at = None,
            Then::At(at) => self.next_at = Some(at),
            Then::Failed(why) => {
                let pause = EDIT_EVERY.saturating_mul(1 << self.failures.min(8)).min(FAILURE_PAUSE_MAX);
                self.failures += 1;
                self.next_at = Some(now + pause);
                tracing::warn!(task = %self.task.id, why, pause_secs = pause.as_secs(), "the owner was not told");
                return false;
            }
        }
        self.failures = 0;
        false
    }

    async fn step(&mut self, shared: &Shared, labels: &mut Labels<'_>) -> Result<Then, Halt> {
        shared.fence.check()?;
        if self.report.is_none() && !self.begin(shared).await? {
            return Ok(Then::Over);
        }
        if self.belongs_to_another(shared).await? {
            return Ok(Then::Over);
        }
        if !self.is_still_ours(shared).await? {
            return Ok(Then::Over);
        }
        self.open(shared).await?;
        labels.learn(self.accounts().into_iter()).await;
        self.alarm(shared).await?;
        while let Some(record) = self.untold.front().cloned() {
            if record.ordinal > self.task.checkpoint.events {
                // The table was ahead of the news: what this event means is known when the task is heard of.
                break;
            }
            if let Some(then) = self.tell_event(shared, labels, &record).await? {
                return Ok(then);
            }
            self.told = record.ordinal;
            self.untold.pop_front();
        }
        if let Some(then) = self.show(shared, labels).await? {
            return Ok(then);
        }
        self.close(shared).await
    }

    fn accounts(&self) -> BTreeSet<AccountId> {
        let mut accounts: BTreeSet<AccountId> = self.task.checkpoint.account.iter().cloned().collect();
        for record in self.events.iter().chain(&self.untold) {
            match &record.event {
                Event::AccountChanged { from, to, .. } => accounts.extend(from.iter().chain([to]).cloned()),
                Event::Flood { account, .. } | Event::AccountLost { account, .. } | Event::Settled { account, .. } => {
                    accounts.insert(account.clone());
                }
                Event::Started { .. }
                | Event::AllLimited { .. }
                | Event::Skipped { .. }
                | Event::BatchDone { .. }
                | Event::State { .. } => {}
            }
        }
        accounts
    }

    async fn alarm(&self, shared: &Shared) -> Result<(), Halt> {
        let matched = self.task.checkpoint.counts.matched;
        if self.skipped.saturating_mul(20) <= matched {
            // Half of what raises it: a share that wavers around a tenth is told once.
            return alerts::clear(shared, kind::MANY_SKIPPED, &self.task.id.0).await;
        }
        if matched < MATCHED_MIN || self.skipped.saturating_mul(10) <= matched {
            return Ok(());
        }
        let (task, title) = (self.task.id.clone(), self.task.title.clone());
        alerts::raise(shared, &Alert::ManySkipped { task, title, skipped: self.skipped, matched }).await
    }

    /// Tells an event in a message of its own, if it is worth one; `Some` when something else has to come first.
    async fn tell_event(
        &mut self,
        shared: &Shared,
        labels: &Labels<'_>,
        record: &EventRecord,
    ) -> Result<Option<Then>, Halt> {
        let apart = self.last_change.is_none_or(|last| record.at.duration_since(last) >= CHANGES_APART);
        if let Event::AccountChanged { from: Some(_), .. } = &record.event {
            self.last_change = Some(record.at);
        }
        if self.nobody || self.is_stale(shared, &record.event) {
            return Ok(None);
        }
        let Some(chat) = self.report.as_ref().map(|(report, _)| report.chat) else { return Ok(None) };
        let locale = shared.chats.locale(&shared.store, chat).await;
        let names = |id: &AccountId| labels.of(id);
        let Some(screen) = happening::in_a_message(record, &self.task, apart, &names, &locale) else {
            return Ok(None);
        };
        match shared.chats.send(chat, &screen).await {
            Ok(_) => {}
            Err(unsaid) => return Ok(self.unsaid(unsaid)),
        }
        // Told once, noted right after: if the process dies in between, it is told again.
        let ordinal = record.ordinal;
        self.write(shared, |report| report.told = report.told.max(ordinal)).await?;
        Ok(None)
    }

    /// Whether what happened is over already, so that nobody should be woken for it.
    fn is_stale(&self, shared: &Shared, event: &Event) -> bool {
        match event {
            Event::AllLimited { wake_at } => *wake_at <= shared.ports.clock.now(),
            Event::BatchDone { .. } => !matches!(self.task.state, TaskState::Paused { .. }),
            Event::State { state, .. } => self.task.state.word() != state,
            Event::AccountChanged { .. } => rests(&self.task),
            Event::Started { .. }
            | Event::Flood { .. }
            | Event::AccountLost { .. }
            | Event::Skipped { .. }
            | Event::Settled { .. } => false,
        }
    }

    /// What a failure to say something means; `None`: there is nobody, or it will never be taken, so go on.
    fn unsaid(&mut self, unsaid: Unsaid) -> Option<Then> {
        match unsaid {
            Unsaid::NotBefore(at) => Some(Then::At(at)),
            Unsaid::Failed(why) => Some(Then::Failed(why)),
            Unsaid::Gone(why) => {
                tracing::warn!(task = %self.task.id, why, "the owner of a task cannot be told");
                self.nobody = true;
                None
            }
            Unsaid::Refused(why) => {
                tracing::error!(task = %self.task.id, why, "Telegram does not take what the owner should be told");
                None
            }
        }
    }

    /// Brings the progress message up to date; `Some` when that has to wait.
    async fn show(&mut self, shared: &Shared, labels: &Labels<'_>) -> Result<Option<Then>, Halt> {
        // Between two batches there is nothing to show: the next one begins at once, here or elsewhere.
        let between = matches!(self.task.state, TaskState::Ready { .. }) && self.task.checkpoint.chunks > 0;
        if self.nobody || between {
            return Ok(None);
        }
        let Some((report, _)) = &self.report else { return Ok(None) };
        let (chat, message) = (report.chat, report.message);
        let now = shared.ports.clock.uptime();
        if now < self.edit_at {
            return Ok(Some(Then::At(self.edit_at)));
        }
        let locale = shared.chats.locale(&shared.store, chat).await;
        let screen = self.screen(shared.ports.clock.now(), labels, &locale);
        if self.shown.as_ref() == Some(&screen) {
            return Ok(None);
        }
        let Some(message) = message else { return self.send_first(shared, chat, screen).await };
        let answer = shared.chats.edit(chat, message, &screen).await;
        self.edit_at = shared.ports.clock.uptime() + EDIT_EVERY;
        match answer {
            Ok(()) => {
                self.shown = Some(screen);
                Ok(None)
            }
            Err(Unsaid::Gone(why)) => {
                tracing::info!(task = %self.task.id, why, "the progress message is gone; another takes its place");
                self.write(shared, |report| report.message = None).await?;
                Ok(Some(Then::At(self.edit_at)))
            }
            Err(unsaid) => {
                if let Unsaid::Refused(_) = unsaid {
                    self.shown = Some(screen);
                }
                Ok(self.unsaid(unsaid))
            }
        }
    }

    /// The progress message itself. If the process dies before its id is noted, another is sent.
    async fn send_first(
        &mut self,
        shared: &Shared,
        chat: transfer::ids::ChatId,
        screen: transfer::bot::Screen,
    ) -> Result<Option<Then>, Halt> {
        let sent = shared.chats.send(chat, &screen).await;
        self.edit_at = shared.ports.clock.uptime() + EDIT_EVERY;
        match sent {
            Ok(message) => {
                self.shown = Some(screen);
                self.write(shared, |report| report.message = Some(message)).await?;
                Ok(None)
            }
            Err(unsaid) => Ok(self.unsaid(unsaid)),
        }
    }

    fn screen(
        &mut self,
        now: Timestamp,
        labels: &Labels<'_>,
        locale: &transfer::text::Locale,
    ) -> transfer::bot::Screen {
        let counts = self.task.checkpoint.counts;
        while self.samples.len() > 1 && self.samples[1].0.saturating_add(RATE_OVER).is_ok_and(|until| until <= now) {
            self.samples.pop_front();
        }
        let (since, before) = self.samples.front().copied().unwrap_or_else(|| {
            // The first look of this life: the average since the task began.
            (self.started_at.unwrap_or(now), Counts::default())
        });
        self.samples.push_back((now, counts));
        let news = progress::News {
            task: &self.task,
            in_range: self.in_range,
            started_at: self.started_at,
            before,
            elapsed: now.duration_since(since),
            events: self.events.make_contiguous(),
            now,
        };
        progress::screen(&news, &|id: &AccountId| labels.of(id), locale)
    }
}
