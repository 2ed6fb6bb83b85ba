//! Whether this host may still act.
//!
//! Telegram cannot check a fencing token, so time does: the host renews its HOST item every 5 s, and 15 s after
//! *sending* its last successful renewal, by a monotonic clock that counts sleep, it closes everything. Others wait for
//! 100 s of silence before they take over ([`super::hosts_seen`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use transfer::clock::Clock;
use transfer::lease::{HOLDER_STOPS, Host, RENEW_EVERY};
use transfer::mutated;
use transfer::table::{Guard, Item, Write};

use super::{Halt, Shared, measures};

/// The right to act, which ends by itself.
pub(crate) struct Fence {
    clock: Clock,
    /// Uptime in milliseconds until which this host may act.
    good_until_ms: AtomicU64,
    renewal: AtomicU64,
    lost: CancellationToken,
}

impl Fence {
    /// A fence that is shut until the first renewal.
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, good_until_ms: AtomicU64::new(0), renewal: AtomicU64::new(0), lost: CancellationToken::new() }
    }

    /// Fails when this host may not act at this moment. Asked immediately before every call and commit.
    pub(crate) fn check(&self) -> Result<(), Halt> {
        if mutated!(FenceIgnored) {
            return Ok(());
        }
        if !self.holds() {
            self.lost.cancel();
            return Err(Halt::LeaseLost("its HOST item was not renewed for 15 s".into()));
        }
        Ok(())
    }

    /// Whether this host may act at this moment; asking changes nothing.
    pub(crate) fn holds(&self) -> bool {
        !self.lost.is_cancelled() && millis(self.clock.uptime()) < self.good_until_ms.load(Ordering::Acquire)
    }

    /// Returns when this host may not act any more; it never may again.
    pub(crate) async fn lost(&self) {
        self.lost.cancelled().await;
    }

    fn renewed(&self, sent_at: Duration) {
        self.good_until_ms.store(millis(sent_at + HOLDER_STOPS), Ordering::Release);
    }
}

fn millis(uptime: Duration) -> u64 {
    u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX)
}

/// Renews the HOST item once.
pub(crate) async fn renew(shared: &Shared) -> Result<(), Halt> {
    let fence = &shared.fence;
    if fence.lost.is_cancelled() {
        return Err(Halt::LeaseLost("its HOST item was not renewed for 15 s".into()));
    }
    let sent_at = fence.clock.uptime();
    let item = Item::Host(Host {
        id: shared.config.id.clone(),
        incarnation: shared.config.incarnation.clone(),
        renewal: fence.renewal.fetch_add(1, Ordering::Relaxed) + 1,
        renewed_at: fence.clock.now(),
        program_version: shared.config.release.clone(),
        accounts_held: shared.pool.held_count(),
        only_account: shared.config.only_account.clone(),
        wants: shared.sharing.wishes(),
    });
    // Any copy is as good as another: this is the only writer, and what others look at is that it moves.
    let commit = shared.ports.table.commit(vec![Write::Put { item, guard: Guard::None }]).await;
    commit.map_err(|error| Halt::Unavailable(error.to_string()))?;
    fence.renewed(sent_at);
    measures::renewed();
    Ok(())
}

/// Renews the HOST item every 5 s until the host stops, and shuts the fence when that fails for too long.
pub(crate) async fn keep(shared: Arc<Shared>) {
    let mut tick = tokio::time::interval(RENEW_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            _ = tick.tick() => {}
            () = shared.sharing.news.notified() => {}
        }
        let left = Duration::from_millis(
            shared.fence.good_until_ms.load(Ordering::Acquire).saturating_sub(millis(shared.fence.clock.uptime())),
        );
        match tokio::time::timeout(left, renew(&shared)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the HOST item was not renewed"),
            Err(_elapsed) => tracing::warn!("the HOST item was not renewed in time"),
        }
        if shared.fence.check().is_err() {
            tracing::error!("this host could not renew its HOST item for 15 s: it closes everything and ends");
            return;
        }
    }
}

/// Takes the HOST item back after a clean stop: everything was released before.
pub(crate) async fn withdraw(shared: &Shared) {
    if shared.fence.check().is_err() {
        return;
    }
    let key = transfer::table::Key::host(&shared.config.id);
    if let Err(error) = shared.ports.table.commit(vec![Write::Delete { key, guard: Guard::None }]).await {
        tracing::warn!(%error, "the HOST item stays behind; it does no harm");
    }
}
