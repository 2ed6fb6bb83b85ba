//! Searching a chat: by text, kind, sender, topic, date.

use super::history::{PAGE_MAX, Window};
use super::message::{Kind, Message};
use super::{ChatId, MessageId, Rpc, UserId, World};

/// What `messages.search` and its counters can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    All,
    Photos,
    Videos,
    PhotosAndVideos,
    Documents,
    Links,
    Animations,
    Voice,
    Music,
    VideoMessages,
    VoiceAndVideoMessages,
    Polls,
    Contacts,
    Places,
    Pinned,
    /// What the world has none of (calls, mentions ...).
    Nothing,
}

/// `messages.search`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    pub chat: ChatId,
    pub text: String,
    pub from: Option<UserId>,
    pub topic: Option<MessageId>,
    pub filter: Filter,
    /// Unix seconds; 0 for none.
    pub min_date: i32,
    pub max_date: i32,
    pub window: Window,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Newest first.
    pub ids: Vec<MessageId>,
    pub total: usize,
}

impl Filter {
    /// The message is of this sort.
    #[must_use]
    pub fn fits(self, message: &Message) -> bool {
        let kind = message.kind();
        match self {
            Filter::All => true,
            Filter::Photos => kind == Kind::Photo,
            Filter::Videos => kind == Kind::Video,
            Filter::PhotosAndVideos => matches!(kind, Kind::Photo | Kind::Video),
            Filter::Documents => kind == Kind::Document,
            Filter::Links => kind != Kind::Service && message.has_link(),
            Filter::Animations => kind == Kind::Animation,
            Filter::Voice => kind == Kind::Voice,
            Filter::Music => kind == Kind::Audio,
            Filter::VideoMessages => kind == Kind::VideoMessage,
            Filter::VoiceAndVideoMessages => matches!(kind, Kind::Voice | Kind::VideoMessage),
            Filter::Polls => kind == Kind::Poll,
            Filter::Contacts => kind == Kind::Contact,
            Filter::Places => kind == Kind::Geo,
            Filter::Pinned => message.extra.as_ref().is_some_and(|extra| extra.pinned),
            Filter::Nothing => false,
        }
    }
}

impl World {
    /// `messages.search`: the matches are a list of their own, of which the window is cut as of a history.
    ///
    /// # Errors
    /// As for [`World::history`].
    pub fn search(&self, viewer: UserId, query: &Query) -> Rpc<Found> {
        self.check_peer(viewer, query.chat)?;
        if query.chat.is_channel() {
            self.readable(viewer, query.chat)?;
        }
        let wanted = query.text.to_lowercase();
        let all: Vec<MessageId> = self
            .visible_ids(viewer, query.chat, MessageId(i32::MAX))
            .filter(|id| self.message(viewer, query.chat, *id).is_some_and(|message| matches(&message, query, &wanted)))
            .collect();
        let window = Window { limit: query.window.limit.min(PAGE_MAX), ..query.window };
        let at = match window.offset_id {
            0 => 0,
            offset => all.iter().position(|id| id.0 < offset).unwrap_or(all.len()),
        };
        let older = || all[at..].iter().copied();
        let newer = || all[..at].iter().rev().copied();
        Ok(Found { ids: super::history::cut(window, older, newer), total: all.len() })
    }

    /// `messages.getSearchCounters` for one filter.
    ///
    /// # Errors
    /// As for [`World::history`].
    pub fn count_matching(
        &self,
        viewer: UserId,
        chat: ChatId,
        topic: Option<MessageId>,
        filters: &[Filter],
    ) -> Rpc<Vec<usize>> {
        self.check_peer(viewer, chat)?;
        if chat.is_channel() {
            self.readable(viewer, chat)?;
        }
        let mut counts = vec![0; filters.len()];
        for id in self.visible_ids(viewer, chat, MessageId(i32::MAX)) {
            let Some(message) = self.message(viewer, chat, id).filter(|message| in_topic(message, topic)) else {
                continue;
            };
            for (count, filter) in counts.iter_mut().zip(filters) {
                *count += usize::from(filter.fits(&message));
            }
        }
        Ok(counts)
    }
}

fn matches(message: &Message, query: &Query, wanted: &str) -> bool {
    query.filter.fits(message)
        && query.from.is_none_or(|from| message.by == from)
        && in_topic(message, query.topic)
        && (query.min_date <= 0 || message.date >= query.min_date)
        && (query.max_date <= 0 || message.date <= query.max_date)
        && (wanted.is_empty() || message.text.as_str().to_lowercase().contains(wanted))
}

fn in_topic(message: &Message, topic: Option<MessageId>) -> bool {
    topic.is_none_or(|topic| message.id == topic || message.reply().is_some_and(|reply| reply.topic == Some(topic)))
}
