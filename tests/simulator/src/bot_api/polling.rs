//! `getUpdates`: the only call that waits.

use super::refusal::Refusal;
use super::request::Arguments;
use super::{Answer, Reply, view};
use crate::server::Shared;
use crate::world::{UserId, World};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Telegram waits no longer.
const TIMEOUT_SECS_MAX: i64 = 50;

/// Answers as soon as there is an update, or with none when the time is over.
pub(super) async fn get_updates(shared: &Shared, bot: UserId, arguments: &Arguments) -> Reply {
    let offset = arguments.number("offset").unwrap_or(0);
    let limit = usize::try_from(arguments.number("limit").unwrap_or(100)).unwrap_or(1);
    let secs = arguments.number("timeout").unwrap_or(0).clamp(0, TIMEOUT_SECS_MAX);
    let allowed: Option<Vec<String>> = arguments.json("allowed_updates", "allowed_updates")?;
    let mut news = shared.news();
    let poll = shared.with_world(|world| {
        let it = world.bots.get_mut(bot).ok_or_else(|| Refusal::new(401, "Unauthorized"))?;
        if it.webhook.is_some() {
            return Err(Refusal::conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            ));
        }
        if let Some(allowed) = allowed {
            it.updates.allow(allowed);
        }
        it.poll += 1;
        Ok(it.poll)
    })?;
    let ends_at = Instant::now() + Duration::from_secs(secs.unsigned_abs());
    loop {
        news.mark_unchanged();
        let found = shared.with_world(|world| look(world, bot, poll, offset, limit))?;
        if !found.is_empty() {
            return Ok(Answer::from(Value::from(found)));
        }
        if timeout_at(ends_at, news.changed()).await.is_err() {
            return Ok(Answer::from(Value::Array(Vec::new())));
        }
    }
}

fn look(world: &mut World, bot: UserId, poll: u64, offset: i64, limit: usize) -> Result<Vec<Value>, Refusal> {
    let it = world.bots.get(bot).ok_or_else(|| Refusal::new(401, "Unauthorized"))?;
    if it.webhook.is_some() {
        return Err(Refusal::conflict("terminated by setWebhook request"));
    }
    if it.poll != poll {
        return Err(Refusal::conflict(
            "terminated by other getUpdates request; make sure that only one bot instance is running",
        ));
    }
    let updates = world.take_updates(bot, offset, limit);
    Ok(updates.iter().map(|update| view::update(world, bot, update)).collect())
}
