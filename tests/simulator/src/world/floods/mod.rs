//! The flood model: how much an account may do before it is told to wait.
//!
//! Waits belong to a class of methods, as on Telegram: an account that may not resolve names can still forward. A call
//! during a wait is refused and arms the whole wait again. A call that is refused has no effect. All waits, gaps and
//! refills are divided by the time scale; waits are answered in whole seconds, rounded up, at least 1.

use super::seed::draw;
use super::{RpcError, UserId};
use crate::time::SimTime;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// What calls have in common as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Write,
    Read,
    Resolve,
    Other,
}

/// The limits of a world.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FloodModel {
    /// Messages sent or forwarded; `None` is unlimited.
    pub messages: Option<MessageBucket>,
    /// Calls, by class.
    pub calls: BTreeMap<Class, CallBucket>,
    /// How many simulated seconds pass per real one, in waits, gaps and refills.
    pub scale: f64,
    /// After so many calls during waits the account is banned.
    pub early_calls_to_ban: Option<u32>,
}

/// A bucket that is charged per message.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MessageBucket {
    /// Drawn at every refill, both ends included.
    pub size: (u32, u32),
    /// Drawn when the bucket would overflow, in seconds, both ends included.
    pub wait_secs: (u32, u32),
    /// Thousandths of waits that are heavy: 1 to 24 hours.
    pub heavy_permille: u32,
    /// An empty bucket is full again after so many idle seconds; 0 never.
    pub refill_secs: u32,
    /// More write calls than this within a minute make a call risk a short wait (5 to 10 s), if it also follows the one
    /// before it within 0.3 s; 0 never.
    pub calls_per_minute: u32,
}

/// A bucket that is charged per call.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CallBucket {
    pub size: u32,
    pub wait_secs: (u32, u32),
    pub refill_secs: u32,
}

impl Default for FloodModel {
    fn default() -> FloodModel {
        FloodModel::none()
    }
}

/// A gap below this draws short waits once the rate is too high.
const GAP_MILLIS: f64 = 300.0;
const SHORT_WAIT_SECS: (u32, u32) = (5, 10);
const HEAVY_WAIT_SECS: (u32, u32) = (3_600, 86_400);
/// Of the calls that are too close and too many, so many in a thousand are told to wait.
const SHORT_WAIT_PERMILLE: u64 = 100;

impl FloodModel {
    /// No limits.
    #[must_use]
    pub fn none() -> FloodModel {
        FloodModel { messages: None, calls: BTreeMap::new(), scale: 1.0, early_calls_to_ban: None }
    }

    /// What users report: 800 to 3,300 messages, then 20 to 50 minutes; one wait in a hundred takes hours. Above 200
    /// write calls a minute, calls less than 0.3 s apart are told to wait 5 to 10 s one time in ten: a caller that fills
    /// its calls meets the bucket long before that, one that sends message by message without pause does not. Resolving
    /// names has a bucket of its own.
    #[must_use]
    pub fn reported(scale: f64) -> FloodModel {
        let messages = MessageBucket {
            size: (800, 3_300),
            wait_secs: (1_200, 3_000),
            heavy_permille: 10,
            refill_secs: 43_200,
            calls_per_minute: 200,
        };
        let resolve = CallBucket { size: 100, wait_secs: (600, 3_600), refill_secs: 86_400 };
        FloodModel {
            messages: Some(messages),
            calls: BTreeMap::from([(Class::Resolve, resolve)]),
            scale,
            early_calls_to_ban: Some(500),
        }
    }

    /// `bucket` messages, then `wait_secs`, again and again.
    #[must_use]
    pub fn fixed(bucket: u32, wait_secs: u32, scale: f64) -> FloodModel {
        let messages = MessageBucket {
            size: (bucket, bucket),
            wait_secs: (wait_secs, wait_secs),
            heavy_permille: 0,
            refill_secs: 0,
            calls_per_minute: 0,
        };
        FloodModel { messages: Some(messages), scale, ..FloodModel::none() }
    }

    /// Reads `none`, `reported` or `BUCKET:WAIT_SECS`.
    ///
    /// # Errors
    /// A text that says what is allowed.
    pub fn parse(text: &str, scale: f64) -> Result<FloodModel, String> {
        let wrong =
            || format!("flood model '{text}' is not known: use none, reported or BUCKET:WAIT_SECS, such as 500:30");
        match text {
            "none" => Ok(FloodModel::none()),
            "reported" => Ok(FloodModel::reported(scale)),
            other => {
                let (bucket, wait) = other.split_once(':').ok_or_else(wrong)?;
                let bucket = bucket.parse::<u32>().ok().filter(|bucket| *bucket > 0).ok_or_else(wrong)?;
                let wait = wait.parse::<u32>().ok().filter(|wait| *wait > 0).ok_or_else(wrong)?;
                Ok(FloodModel::fixed(bucket, wait, scale))
            }
        }
    }
}

/// "The next `times` calls of `method` by `account` answer this."
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Everybody when left out.
    #[serde(default)]
    pub account: Option<UserId>,
    /// As in the schema; every method when left out.
    #[serde(default)]
    pub method: Option<String>,
    #[serde(default = "once")]
    pub times: u32,
    /// So many matching calls pass first.
    #[serde(default)]
    pub after: u32,
    pub code: i32,
    pub message: String,
}

fn once() -> u32 {
    1
}

/// The state of all accounts.
#[derive(Debug, Default)]
pub struct Floods {
    pub model: FloodModel,
    scripts: Vec<Script>,
    accounts: HashMap<UserId, AccountFloods>,
}

#[derive(Debug, Default)]
struct AccountFloods {
    waits: BTreeMap<Class, Wait>,
    messages: Option<Level>,
    calls: BTreeMap<Class, Level>,
    recent: VecDeque<SimTime>,
    early_calls: u32,
}

#[derive(Debug, Clone, Copy)]
struct Wait {
    until: SimTime,
    secs: i64,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    size: f64,
    left: f64,
    at: SimTime,
}

impl Level {
    fn full(size: u32, now: SimTime) -> Level {
        Level { size: f64::from(size), left: f64::from(size), at: now }
    }

    fn refill(&mut self, refill_millis: f64, now: SimTime) {
        if refill_millis > 0.0 {
            let passed = millis_f64(now.since(self.at));
            self.left = (self.left + self.size * passed / refill_millis).min(self.size);
        }
        self.at = now;
    }
}

/// A refusal by the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub error: RpcError,
    pub wait_until: Option<SimTime>,
    /// The account called too early too often.
    pub ban: bool,
}

impl Floods {
    /// Adds a scripted answer.
    pub fn script(&mut self, script: Script) {
        self.scripts.push(script);
    }

    /// Forgets scripts, waits and buckets.
    pub fn reset(&mut self, model: FloodModel) {
        *self = Floods { model, ..Floods::default() };
    }

    /// The end of the wait that an account is in.
    #[must_use]
    pub fn wait_until(&self, account: UserId, class: Class, now: SimTime) -> Option<SimTime> {
        self.accounts.get(&account)?.waits.get(&class).map(|wait| wait.until).filter(|until| *until > now)
    }

    /// The scripted answer to this call, used up once.
    pub(crate) fn scripted(&mut self, account: UserId, method: &str, class: Class, now: SimTime) -> Option<Refusal> {
        let fits = |script: &Script| {
            script.account.is_none_or(|who| who == account)
                && script.method.as_deref().is_none_or(|name| name == method)
        };
        let error = self.take_script(fits)?;
        let secs = wait_secs(&error.message);
        let wait_until = secs.map(|secs| self.arm(account, class, secs, now));
        Some(Refusal { error, wait_until, ban: false })
    }

    /// The scripted answer to a call of logging in, used up once; only a script that names the method is meant. Waits of
    /// such calls are those of a number or a key, not of an account that works: whoever asks keeps them.
    pub(crate) fn scripted_login(&mut self, account: Option<UserId>, method: &str) -> Option<RpcError> {
        self.take_script(|script| {
            script.account.is_none_or(|who| Some(who) == account) && script.method.as_deref() == Some(method)
        })
    }

    fn take_script(&mut self, fits: impl Fn(&Script) -> bool) -> Option<RpcError> {
        let at = self.scripts.iter_mut().position(|script| {
            let fits = fits(script);
            if fits && script.after > 0 {
                script.after -= 1;
                return false;
            }
            fits && script.times > 0
        })?;
        let script = &mut self.scripts[at];
        script.times -= 1;
        let error = RpcError::new(script.code, script.message.clone());
        if script.times == 0 {
            self.scripts.remove(at);
        }
        Some(error)
    }

    /// A call during a wait: refused, and the whole wait starts again.
    pub(crate) fn early(&mut self, account: UserId, class: Class, now: SimTime) -> Option<Refusal> {
        let to_ban = self.model.early_calls_to_ban;
        let state = self.accounts.get_mut(&account)?;
        let wait = state.waits.get(&class).copied().filter(|wait| wait.until > now)?;
        state.early_calls += 1;
        let ban = to_ban.is_some_and(|limit| state.early_calls >= limit);
        let until = self.arm(account, class, wait.secs, now);
        Some(Refusal { error: RpcError::flood_wait(wait.secs), wait_until: Some(until), ban })
    }

    /// Charges one call of a class.
    pub(crate) fn charge_call(
        &mut self,
        account: UserId,
        class: Class,
        now: SimTime,
        rng: &mut impl RngCore,
    ) -> Result<(), Refusal> {
        let Some(bucket) = self.model.calls.get(&class).copied() else { return Ok(()) };
        let refill = f64::from(bucket.refill_secs) * 1000.0 / self.model.scale;
        let state = self.accounts.entry(account).or_default();
        let level = state.calls.entry(class).or_insert_with(|| Level::full(bucket.size, now));
        level.refill(refill, now);
        if level.left >= 1.0 {
            level.left -= 1.0;
            return Ok(());
        }
        let drawn = between(bucket.wait_secs, rng);
        // The wait is over with one call in hand; the rest comes back with time.
        level.left = 1.0;
        Err(self.refuse(account, class, drawn, now))
    }

    /// Charges a write call that carries so many messages.
    pub(crate) fn charge_messages(
        &mut self,
        account: UserId,
        count: u32,
        now: SimTime,
        rng: &mut impl RngCore,
    ) -> Result<(), Refusal> {
        let Some(bucket) = self.model.messages else { return Ok(()) };
        let scale = self.model.scale;
        let state = self.accounts.entry(account).or_default();
        let level = state.messages.get_or_insert_with(|| Level::full(between(bucket.size, rng), now));
        level.refill(f64::from(bucket.refill_secs) * 1000.0 / scale, now);
        if too_fast(&mut state.recent, bucket.calls_per_minute, scale, now)
            && draw(rng.next_u64(), 1000) < SHORT_WAIT_PERMILLE
        {
            let drawn = between(SHORT_WAIT_SECS, rng);
            return Err(self.refuse(account, Class::Write, drawn, now));
        }
        let cost = f64::from(count);
        if level.left >= cost || (level.left >= level.size && level.size < cost) {
            level.left = (level.left - cost).max(0.0);
            return Ok(());
        }
        let heavy = draw(rng.next_u64(), 1000) < u64::from(bucket.heavy_permille);
        let drawn = between(if heavy { HEAVY_WAIT_SECS } else { bucket.wait_secs }, rng);
        // Full again when the wait is over, and of another size.
        *level = Level::full(between(bucket.size, rng), now);
        Err(self.refuse(account, Class::Write, drawn, now))
    }

    fn refuse(&mut self, account: UserId, class: Class, drawn_secs: u32, now: SimTime) -> Refusal {
        let secs = scaled_secs(drawn_secs, self.model.scale);
        let until = self.arm(account, class, secs, now);
        Refusal { error: RpcError::flood_wait(secs), wait_until: Some(until), ban: false }
    }

    fn arm(&mut self, account: UserId, class: Class, secs: i64, now: SimTime) -> SimTime {
        let until = now.plus_millis(secs.saturating_mul(1000));
        self.accounts.entry(account).or_default().waits.insert(class, Wait { until, secs });
        until
    }
}

/// Too many calls in the last minute, and this one right behind the one before it.
fn too_fast(recent: &mut VecDeque<SimTime>, calls_per_minute: u32, scale: f64, now: SimTime) -> bool {
    if calls_per_minute == 0 {
        return false;
    }
    while recent.front().is_some_and(|at| millis_f64(now.since(*at)) > 60_000.0 / scale) {
        recent.pop_front();
    }
    let close = recent.back().is_some_and(|at| millis_f64(now.since(*at)) < GAP_MILLIS / scale);
    recent.push_back(now);
    close && recent.len() > usize::try_from(calls_per_minute).unwrap_or(usize::MAX)
}

/// The seconds in the name of a wait.
pub(crate) fn wait_secs(message: &str) -> Option<i64> {
    ["FLOOD_WAIT_", "FLOOD_PREMIUM_WAIT_"].iter().find_map(|prefix| message.strip_prefix(prefix))?.parse().ok()
}

#[expect(clippy::cast_possible_truncation, reason = "float casts saturate, and waits are small")]
fn scaled_secs(secs: u32, scale: f64) -> i64 {
    ((f64::from(secs) / scale).ceil() as i64).max(1)
}

#[expect(clippy::cast_precision_loss, reason = "spans of simulated time are far below 2^52 ms")]
fn millis_f64(millis: i64) -> f64 {
    millis as f64
}

fn between((low, high): (u32, u32), rng: &mut impl RngCore) -> u32 {
    let span = u64::from(high.max(low) - low) + 1;
    low + u32::try_from(draw(rng.next_u64(), span)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
