//! Answers what only an account can find out: what a draft of a transfer would carry, or what stands in its way.
//!
//! The answer is shown before it is committed: if the process dies in between, it is found out and shown again, in the same
//! message. A draft that its admin left meanwhile is gone from the table, and nobody is disturbed.

mod counting;
mod finding;
mod looking;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use transfer::ids::InquiryId;
use transfer::inquiry::{ANSWERED_WITHIN, Answer, Inquiry, Obstacle, Question};
use transfer::queue::Job;
use transfer::table::{Guard, Item, Key, Record, Write};
use transfer::tell::preview;
use transfer::text::Locale;

use super::chats::{Unsaid, insist};
use super::run::Ended;
use super::store::{Committed, expect_item};
use super::{Halt, Shared};
use looking::Looking;

/// How long the function may take to say which message shows the answer.
const MESSAGE_WITHIN: Duration = Duration::from_secs(5);
const MESSAGE_LOOK: Duration = Duration::from_millis(500);
/// For how long an answer is tried to be shown.
const INSIST: Duration = Duration::from_secs(60);
/// An inquiry that nobody answered and nobody touched for so long has lost its job, or its host.
const FORGOTTEN: Duration = Duration::from_secs(90);
/// How often a commit is tried on top of what others wrote.
const CONFLICTS_MAX: u32 = 8;

/// Inquiries that nobody answered, as this host knows them.
#[derive(Default)]
pub(crate) struct Unanswered {
    /// Seen unanswered: their version, and since when (uptime).
    seen: Mutex<BTreeMap<InquiryId, (u64, Duration)>>,
    /// Committed as expired, and not told yet.
    expired: Mutex<VecDeque<Box<Inquiry>>>,
    news: Notify,
}

impl Unanswered {
    fn is_forgotten(&self, id: &InquiryId, version: u64, now: Duration) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = seen.entry(id.clone()).or_insert((version, now));
        if seen.0 != version {
            *seen = (version, now);
        }
        now.saturating_sub(seen.1) >= FORGOTTEN
    }

    fn forget(&self, id: &InquiryId) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    fn put_expired(&self, inquiry: Box<Inquiry>) {
        self.expired.lock().unwrap_or_else(PoisonError::into_inner).push_back(inquiry);
        self.news.notify_one();
    }

    fn take_expired(&self) -> Option<Box<Inquiry>> {
        self.expired.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Answers an inquiry, unless it was answered.
pub(crate) async fn answer(shared: &Arc<Shared>, id: &InquiryId) -> Result<Ended, Halt> {
    if !shared.chats.exist() {
        // A host that talks to nobody leaves it to those that do: their sweepers queue it again.
        return Ok(Ended::HeldElsewhere);
    }
    let Some((inquiry, version)) = unanswered(shared, id).await? else { return Ok(Ended::NothingToDo) };
    if is_expired(shared, &inquiry) {
        expire(shared, inquiry, version).await?;
        return Ok(Ended::Decided);
    }
    let Question::Preview { draft } = &inquiry.question;
    let Some(answer) = Looking::new(shared, draft).await?.answer().await? else { return Ok(Ended::NothingToDo) };
    tracing::info!(inquiry = %id, "found out");
    show_and_commit(shared, id, answer).await
}

async fn unanswered(shared: &Shared, id: &InquiryId) -> Result<Option<(Box<Inquiry>, u64)>, Halt> {
    let key = Key::inquiry(id);
    let found = expect_item!(shared.store.get(&key).await?, Inquiry, key);
    Ok(found.filter(|(inquiry, _)| inquiry.answer.is_none()))
}

fn is_expired(shared: &Shared, inquiry: &Inquiry) -> bool {
    shared.ports.clock.now().duration_since(inquiry.asked_at) > ANSWERED_WITHIN
}

/// Shows the answer in the message that waits for it, or in one of its own when nobody says which that is.
async fn show_and_commit(shared: &Shared, id: &InquiryId, answer: Answer) -> Result<Ended, Halt> {
    let until = shared.ports.clock.uptime() + MESSAGE_WITHIN;
    let mut inquiry = loop {
        let Some((inquiry, _)) = unanswered(shared, id).await? else { return Ok(Ended::NothingToDo) };
        if inquiry.message.is_some() || shared.ports.clock.uptime() >= until {
            break inquiry;
        }
        tokio::time::sleep(MESSAGE_LOOK).await;
    };
    match show(shared, &mut inquiry, &answer).await {
        Ok(()) => {}
        Err(Unsaid::Gone(why) | Unsaid::Refused(why)) => {
            tracing::warn!(inquiry = %id, why, "nobody can be shown the answer");
        }
        Err(Unsaid::NotBefore(_) | Unsaid::Failed(_)) => {
            // Unanswered as it is, the sweeper queues it again.
            tracing::warn!(inquiry = %id, "the answer could not be shown; trying again later");
            return Ok(Ended::NothingToDo);
        }
    }
    for _ in 0..CONFLICTS_MAX {
        let Some((stored, version)) = unanswered(shared, id).await? else { return Ok(Ended::Decided) };
        let message = inquiry.message.or(stored.message);
        let answered = Inquiry { answer: Some(answer.clone()), message, ..*stored };
        if commit(shared, Box::new(answered), version).await? {
            shared.unanswered.forget(id);
            return Ok(Ended::Decided);
        }
    }
    Err(Halt::Unavailable(format!("inquiry {id} is written by others all the time")))
}

async fn show(shared: &Shared, inquiry: &mut Inquiry, answer: &Answer) -> Result<(), Unsaid> {
    let zone = shared.chats.zone_of(inquiry.zone.as_deref());
    let locale = Locale { language: inquiry.language, zone };
    let Question::Preview { draft } = &inquiry.question;
    let screen = preview::screen(draft, answer, &locale);
    let until = shared.ports.clock.uptime() + INSIST;
    let shown = match insist(shared, inquiry.chat, inquiry.message, &screen, until).await {
        Err(Unsaid::Gone(_)) if inquiry.message.is_some() => insist(shared, inquiry.chat, None, &screen, until).await,
        other => other,
    };
    inquiry.message = Some(shown?);
    Ok(())
}

async fn commit(shared: &Shared, inquiry: Box<Inquiry>, version: u64) -> Result<bool, Halt> {
    shared.fence.check()?;
    let item = Item::Inquiry(inquiry);
    let key = item.key();
    let stands = |now: Option<&Record>| now.is_some_and(|now| now.version == version + 1 && now.item == item);
    let write = Write::Put { item: item.clone(), guard: Guard::Version(version) };
    Ok(shared.store.commit(&[write], &key, stands).await? == Committed::Yes)
}

/// Nobody answered in time. Committed first, so that of several hosts one says it; said by [`run`], so that whoever
/// notices does not wait for the bot.
async fn expire(shared: &Shared, mut inquiry: Box<Inquiry>, version: u64) -> Result<(), Halt> {
    inquiry.answer = Some(Answer::Impossible { reason: Obstacle::Expired });
    if commit(shared, inquiry.clone(), version).await? {
        shared.unanswered.forget(&inquiry.id);
        shared.unanswered.put_expired(inquiry);
    }
    Ok(())
}

/// Says which inquiries expired, until it is dropped.
#[expect(clippy::infinite_loop, reason = "it ends with the host, by being dropped")]
pub(crate) async fn run(shared: Arc<Shared>) {
    let answer = Answer::Impossible { reason: Obstacle::Expired };
    loop {
        let Some(mut inquiry) = shared.unanswered.take_expired() else {
            shared.unanswered.news.notified().await;
            continue;
        };
        if let Err(why) = show(&shared, &mut inquiry, &answer).await {
            tracing::warn!(inquiry = %inquiry.id, ?why, "nobody was told that an inquiry expired");
        }
    }
}

/// Queues an inquiry again that nobody answers, or says that it expired. `anew`: whatever was queued is gone.
pub(crate) async fn look_after(shared: &Shared, id: &InquiryId, anew: bool) -> Result<(), Halt> {
    if !shared.chats.exist() {
        return Ok(());
    }
    let Some((mut inquiry, version)) = unanswered(shared, id).await? else {
        shared.unanswered.forget(id);
        return Ok(());
    };
    if is_expired(shared, &inquiry) {
        return expire(shared, inquiry, version).await;
    }
    if !anew && !shared.unanswered.is_forgotten(id, version, shared.ports.clock.uptime()) {
        return Ok(());
    }
    inquiry.seq += 1;
    let job = Job::inquiry(id.clone(), inquiry.seq);
    if commit(shared, inquiry, version).await? {
        tracing::info!(inquiry = %id, "an inquiry that nobody answered was queued again");
        shared.ports.queue.send(&job).await.map_err(|error| Halt::Unavailable(error.to_string()))?;
    }
    Ok(())
}
