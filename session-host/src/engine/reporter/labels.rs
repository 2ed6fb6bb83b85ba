//! What accounts are called, read once a minute.

use std::collections::BTreeMap;
use std::time::Duration;

use transfer::ids::AccountId;
use transfer::table::Key;

use crate::engine::store::expect_item;
use crate::engine::{Halt, Shared};

/// How long a label is taken for granted.
const KEPT: Duration = Duration::from_secs(60);

/// Labels of accounts.
pub(super) struct Labels<'a> {
    shared: &'a Shared,
    known: BTreeMap<AccountId, (String, Duration)>,
}

impl<'a> Labels<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self { shared, known: BTreeMap::new() }
    }

    /// Sees to it that these are known; whatever cannot be read is called by its id.
    pub(super) async fn learn(&mut self, accounts: impl Iterator<Item = AccountId>) {
        let now = self.shared.ports.clock.uptime();
        for id in accounts {
            let fresh = self.known.get(&id).is_some_and(|(_, at)| now.saturating_sub(*at) < KEPT);
            if fresh {
                continue;
            }
            if let Ok(Some(label)) = read(self.shared, &id).await {
                self.known.insert(id, (label, now));
            }
        }
    }

    /// The label, or the id where there is none.
    pub(super) fn of(&self, account: &AccountId) -> String {
        self.known.get(account).map_or_else(|| account.to_string(), |(label, _)| label.clone())
    }
}

/// The account's label, where it has one.
pub(crate) async fn read(shared: &Shared, account: &AccountId) -> Result<Option<String>, Halt> {
    let key = Key::profile(account);
    let profile = expect_item!(shared.store.get(&key).await?, Profile, key);
    Ok(profile.map(|(profile, _)| profile.label).filter(|label| !label.trim().is_empty()))
}
