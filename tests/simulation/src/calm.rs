//! The end of a run: nothing goes wrong any more, and everything has to come to rest.

use std::time::Duration;

use jiff::SignedDuration;
use transfer::task::TaskState;

use crate::fault::Fault;
use crate::oracle::Invariant;
use crate::run::{Next, Simulated};

/// How often the admin looks at the tasks, once faults have stopped.
const LIVELY_LOOK_EVERY: Duration = Duration::from_secs(10);
/// What a task may take beyond the waits that were set, once faults have stopped.
const GRACE: SignedDuration = SignedDuration::from_mins(10);
/// Within this whoever is to leave is gone, waits, uncertain chunks and silent hosts included.
const LEAVES_WITHIN: Duration = Duration::from_secs(3 * 3600);
/// How often the admin resumes a task that parks, in the end.
const RESUMES_MAX: u32 = 3;

impl Simulated {
    /// Nothing goes wrong from now on, and the admin puts right what an admin can.
    pub(crate) async fn calm_down(&mut self) {
        self.tell(|| "faults stop".to_owned());
        self.around.faults.stop();
        self.agenda.retain(|_, next| matches!(next, Next::Submit(_)));
        for host in 0..self.places.len() {
            let place = &mut self.places[host];
            place.thaw();
            let off = place.clock().now().duration_since(self.clock.now());
            place.clock().jump(-off);
            place.start();
        }
        crate::churn::put_right(&self.plan, &self.around);
        for account in &self.plan.accounts {
            self.admin.edit_account(account.id, Fault::Enable, 0).await;
        }
    }

    /// Every task has to end, or to park with a reason, within the waits that were set and ten minutes.
    pub(crate) async fn be_lively(&mut self) {
        let mut patience = self.patience().await;
        loop {
            let now = self.begun.elapsed();
            if self.until(now + LIVELY_LOOK_EVERY).await {
                return;
            }
            if self.bring_all_back().await {
                // Accounts are on their way out, or have just come back: what waits for them has not begun to wait.
                patience = self.patience().await;
            }
            let tasks = self.tasks().await;
            let mut waiting = tasks.len() < self.plan.tasks.len();
            let mut resumed = false;
            for task in &tasks {
                match &task.state {
                    TaskState::Paused { .. } => {
                        self.admin.wish(&task.id, Fault::Resume, 0).await;
                        resumed = true;
                    }
                    TaskState::Parked { reason } => {
                        let times = self.resumes.entry(task.id.0.clone()).or_default();
                        if reason.trim().is_empty() {
                            self.around
                                .oracle
                                .violated(Invariant::Liveness, format!("{} parked without a reason", task.id));
                        }
                        *times += 1;
                        if *times <= RESUMES_MAX {
                            self.admin.wish(&task.id, Fault::Resume, 0).await;
                            resumed = true;
                        } else if task.checkpoint.intent.is_some() {
                            // Looked at the target three times: ends it, so that others may write there.
                            self.admin.wish(&task.id, Fault::Cancel, 0).await;
                            resumed = true;
                        }
                    }
                    TaskState::Ready { .. } | TaskState::Running { .. } | TaskState::Waiting { .. } => waiting = true,
                    TaskState::Failed { .. } | TaskState::Done { .. } | TaskState::Cancelled { .. } => {}
                }
            }
            if resumed {
                // The admin's hand sets the clock anew.
                patience = self.patience().await;
            } else if !waiting {
                return;
            } else if self.begun.elapsed() > patience {
                let states: Vec<String> = tasks.iter().map(|task| format!("{} {:?}", task.id, task.state)).collect();
                let text = format!("tasks do not end though nothing goes wrong any more: {}", states.join("; "));
                self.around.oracle.violated(Invariant::Liveness, text);
                return;
            }
        }
    }

    /// Adds again whoever is gone by now; tells whether that changes anything for those who wait.
    async fn bring_all_back(&mut self) -> bool {
        if self.leaving_since.is_none_or(|since| self.begun.elapsed().saturating_sub(since) < LEAVES_WITHIN) {
            let mut changed = self.admin.panics().await;
            for account in 0..self.plan.accounts.len() {
                let id = self.plan.accounts[account].id;
                let was_gone = self.admin.is_gone(id).await;
                changed |= was_gone || self.admin.is_leaving(id).await;
                if was_gone && !self.admin.panics().await {
                    self.bring_back(account).await;
                }
            }
            self.leaving_since = if changed { self.leaving_since.or(Some(self.begun.elapsed())) } else { None };
            return changed;
        }
        let text = "accounts that are to leave do not, though nothing goes wrong any more".to_owned();
        self.around.oracle.violated(Invariant::Liveness, text);
        false
    }

    /// Until when everything must have come to an end, in the run's time: the waits that are set, the paces, ten minutes.
    async fn patience(&self) -> Duration {
        let now = self.clock.now();
        let mut latest = self.around.oracle.latest_wait().max(now);
        let mut paces = SignedDuration::ZERO;
        for task in self.tasks().await {
            if let TaskState::Waiting { wake_at, .. } = task.state {
                latest = latest.max(wake_at);
            }
            latest = latest.max(task.checkpoint.pace.next_at.unwrap_or(now));
            let pace = &task.pace;
            let messages = self.plan.sources.iter().map(|source| source.messages).max().unwrap_or(0);
            let pauses = if pace.pause_after_files == 0 { 0 } else { messages / u64::from(pace.pause_after_files) + 1 };
            let millis = messages * pace.forward_rate_ms + pauses * pace.pause_duration_ms;
            paces += SignedDuration::from_millis(i64::try_from(millis).unwrap_or(0));
        }
        // A bucket of Telegram's goes on filling: that many waits can still come, one account after the other.
        let floods = self.plan.bucket.map_or(0, |(size, wait_secs)| {
            let messages: u64 = self.plan.sources.iter().map(|source| source.messages).sum();
            (4 * messages * self.plan.tasks.len() as u64 / u64::from(size.max(1)) + 4) * u64::from(wait_secs)
        });
        let days = SignedDuration::from_hours(24 * self.days_of_budget());
        // What a host stamped while its clock was ahead comes due when the time has caught up.
        let jumps = SignedDuration::from_hours(i64::from(self.plan.rates.contains_key(&Fault::ClockJump)));
        let allowed = latest.duration_since(now)
            + jumps
            + paces
            + days
            + SignedDuration::from_secs(i64::try_from(floods).unwrap_or(0))
            + GRACE;
        self.begun.elapsed() + Duration::try_from(allowed).unwrap_or_default()
    }

    /// How many midnights the budgets may take, if the smallest is all there is.
    fn days_of_budget(&self) -> i64 {
        let budget = self.plan.accounts.iter().map(|account| account.budget).min().flatten();
        let messages: u64 = self.plan.sources.iter().map(|source| source.messages).sum();
        let all = messages * self.plan.tasks.len() as u64;
        budget.map_or(0, |budget| i64::try_from(all / u64::from(budget.max(1))).unwrap_or(0) + 2)
    }
}
