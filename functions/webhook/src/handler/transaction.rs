//! The one transaction that takes an update.

use transfer::bot::{Incoming, Said};
use transfer::dialogue::action::Action;
use transfer::dialogue::view::View;
use transfer::dialogue::{Dialogue, Next};
use transfer::ids::BotMessageId;
use transfer::inquiry::Inquiry;
use transfer::table::item::{Recent, RecentPeer, Report, Settings, TakenUpdate};
use transfer::table::{Guard, Item, Key, Write};

use super::known::Known;

/// Chats that are remembered.
const RECENT_MAX: usize = 10;

/// What is written, and the mark among it.
pub(super) struct Transaction {
    pub(super) writes: Vec<Write>,
    pub(super) taken: TakenUpdate,
}

/// The message that a press belongs to.
pub(super) fn pressed(incoming: &Incoming) -> Option<BotMessageId> {
    match &incoming.what {
        Said::Pressed { message, .. } => Some(*message),
        Said::Text(_) | Said::Forwarded(_) | Said::Other => None,
    }
}

/// The mark of an update, written over the version that was read.
pub(super) fn mark(taken: TakenUpdate, version: u64) -> Write {
    Write::Put { item: Item::Update(taken), guard: Guard::Version(version) }
}

impl Known {
    /// The writes that take the update.
    pub(super) fn transaction(&self, incoming: &Incoming, next: &Next, logins: Vec<Write>) -> Transaction {
        let taken =
            TakenUpdate { id: incoming.id, at: self.now, shows: next.shows.clone(), done: false, failed: false };
        let dialogue = self.dialogue_after(incoming, next);
        let mut writes = vec![
            Write::Put { item: Item::Update(taken.clone()), guard: Guard::Absent },
            Write::Put { item: Item::Dialogue(Box::new(dialogue)), guard: self.dialogue_guard.clone() },
        ];
        writes.push(Write::Put { item: Item::Settings(self.settings_after(next)), guard: self.settings_guard.clone() });
        for action in &next.actions {
            match action {
                Action::Ask(inquiry) => {
                    let item = Item::Inquiry(Box::new(Inquiry { message: pressed(incoming), ..(**inquiry).clone() }));
                    writes.push(Write::Put { item, guard: Guard::Absent });
                }
                Action::Withdraw(inquiry) => {
                    writes.push(Write::Delete { key: Key::inquiry(inquiry), guard: Guard::None });
                }
                Action::Submit(task) => {
                    let report = Report {
                        task: task.id.clone(),
                        chat: incoming.chat,
                        message: None,
                        told: 0,
                        state: None,
                        open_since: Some(self.now),
                    };
                    writes.push(Write::Put { item: Item::Task(task.clone()), guard: Guard::Absent });
                    writes.push(Write::Put { item: Item::Report(report), guard: Guard::Absent });
                }
                Action::Remember(named) => {
                    let peers = remembered(named, &self.recent);
                    let item = Item::Recent(Recent { chat: incoming.chat, peers });
                    writes.push(Write::Put { item, guard: self.recent_guard.clone() });
                }
                Action::Speak(_)
                | Action::SetZone(_)
                | Action::Wish(..)
                | Action::Resume(_)
                | Action::SetPace(..)
                | Action::Retry { .. }
                | Action::Enable(..)
                | Action::Priority(..)
                | Action::Label(..)
                | Action::ResetWaits(_)
                | Action::Group(..)
                | Action::Delete(_)
                | Action::Panic
                | Action::KeepApi(_)
                | Action::BeginLogin(_)
                | Action::TellLogin(..)
                | Action::RemoveMessage => {}
            }
        }
        writes.extend(logins);
        Transaction { writes, taken }
    }

    /// What is known once the transaction is written.
    pub(super) fn after(self, incoming: &Incoming, next: &Next) -> Self {
        let settings = self.settings_after(next);
        Self {
            dialogue: self.dialogue_after(incoming, next),
            dialogue_guard: Guard::Version(self.dialogue_guard.version_to_write()),
            settings_guard: Guard::Version(self.settings_guard.version_to_write()),
            settings,
            ..self
        }
    }

    fn dialogue_after(&self, incoming: &Incoming, next: &Next) -> Dialogue {
        let shows_step = next.shows.contains(&View::Step);
        let message = if shows_step { pressed(incoming) } else { self.dialogue.message };
        let logins = self.logins_after(next);
        Dialogue { chat: incoming.chat, state: next.state.clone(), message, logins, at: self.now }
    }

    fn settings_after(&self, next: &Next) -> Settings {
        let mut settings = self.settings.clone();
        for action in &next.actions {
            match action {
                Action::Speak(language) => settings.language = Some(*language),
                Action::SetZone(zone) => settings.zone.clone_from(zone),
                _ => {}
            }
        }
        settings
    }
}

/// The recent chats once these were named; a title that was known stays known.
fn remembered(named: &[RecentPeer], before: &[RecentPeer]) -> Vec<RecentPeer> {
    let mut peers: Vec<RecentPeer> = Vec::new();
    for peer in named.iter().chain(before) {
        match peers.iter_mut().find(|known| known.address == peer.address) {
            Some(known) => known.title = known.title.take().or_else(|| peer.title.clone()),
            None => peers.push(peer.clone()),
        }
    }
    peers.truncate(RECENT_MAX);
    peers
}
