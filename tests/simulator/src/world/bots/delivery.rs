//! The webhook: which update goes out next, and when a failed one is tried again.
//!
//! Updates of one queue go out one after the other, of different ones at the same time, up to `max_connections`. After a
//! failure Telegram tries again at once, then after 2, 4, 8 ... up to 60 s; here these pauses are scaled by
//! [`Limits::retry_permille`](super::limits::Limits), a tenth unless set otherwise, so that tests need no patience.

use super::updates::Update;
use crate::time::SimTime;
use crate::world::{UserId, World};
use std::collections::BTreeSet;

/// The first pause that is one, and the longest.
const PAUSE_MILLIS: i64 = 2_000;
const PAUSE_MILLIS_MAX: i64 = 60_000;

/// Where updates are pushed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub url: String,
    pub secret: Option<String>,
    pub max_connections: usize,
    /// When and how the last delivery failed.
    pub last_error: Option<(SimTime, String)>,
}

/// One delivery to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub bot: UserId,
    pub update: Update,
    pub webhook: Webhook,
}

/// The pause after so many failures.
#[must_use]
pub fn pause_millis(fails: u32, retry_permille: i64) -> i64 {
    if fails <= 1 {
        return 0;
    }
    let doubled = PAUSE_MILLIS.saturating_mul(1_i64 << (fails - 2).min(20)).min(PAUSE_MILLIS_MAX);
    doubled.saturating_mul(retry_permille) / 1000
}

impl World {
    /// The deliveries that are to be made now; they count as in flight until [`World::delivered`].
    pub fn take_deliveries(&mut self) -> Vec<Delivery> {
        let now = self.now();
        let mut out = Vec::new();
        for bot in self.bots.all.values_mut() {
            bot.updates.expire(now);
            let Some(webhook) = &bot.webhook else { continue };
            let mut free = webhook.max_connections;
            free = free.saturating_sub(bot.updates.iter().filter(|update| update.in_flight).count());
            let mut busy = BTreeSet::new();
            let mut due = Vec::new();
            for update in bot.updates.iter() {
                let first = busy.insert(update.happening.queue());
                if first && !update.in_flight && update.not_before <= now && free > 0 {
                    free -= 1;
                    due.push(update.id);
                }
            }
            for id in due {
                let Some(update) = bot.updates.get_mut(id) else { continue };
                update.in_flight = true;
                out.push(Delivery { bot: bot.id, update: update.clone(), webhook: webhook.clone() });
            }
        }
        out
    }

    /// The earliest moment at which a failed update is tried again.
    #[must_use]
    pub fn next_delivery_at(&self) -> Option<SimTime> {
        let waiting = self.bots.iter().filter(|bot| bot.webhook.is_some()).flat_map(|bot| bot.updates.iter());
        waiting.filter(|update| !update.in_flight && update.fails > 0).map(|update| update.not_before).min()
    }

    /// How a delivery ended; an error is kept for `getWebhookInfo`.
    pub fn delivered(&mut self, delivery: &Delivery, result: Result<(), String>) {
        let now = self.now();
        let permille = self.bots.limits.retry_permille;
        let Some(bot) = self.bots.get_mut(delivery.bot) else { return };
        let same = bot.webhook.as_ref().is_some_and(|webhook| webhook.url == delivery.webhook.url);
        let Err(error) = result else {
            bot.updates.confirm(delivery.update.id);
            return;
        };
        if let Some(webhook) = bot.webhook.as_mut().filter(|_| same) {
            webhook.last_error = Some((now, error));
        }
        let Some(update) = bot.updates.get_mut(delivery.update.id) else { return };
        update.in_flight = false;
        update.fails += 1;
        update.not_before = now.plus_millis(pause_millis(update.fails, permille));
        if update.not_before > update.expires_at() {
            bot.updates.confirm(delivery.update.id);
        }
    }

    /// `setWebhook`, or (`None`) `deleteWebhook`.
    pub fn set_webhook(&mut self, bot: UserId, webhook: Option<Webhook>, drop_pending: bool) {
        let Some(bot) = self.bots.get_mut(bot) else { return };
        bot.webhook = webhook;
        bot.updates.none_in_flight();
        if drop_pending {
            bot.updates.clear();
        }
    }
}
