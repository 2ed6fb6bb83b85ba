//! The steps by which a transfer is asked for, one screen each.
//!
//! What stands here is persisted between two updates. Every step has a way back that loses nothing, and each step's
//! buttons mean nothing on its neighbours, so that a button pressed twice moves the conversation once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::input::{self, PaceInput, RangeInput};
use super::notice::Notice;
use super::{Context, Fresh};
use crate::address::PeerAddress;
use crate::bot::Origin;
use crate::ids::{ChatId, InquiryId, MessageId, Nonce, TaskId};
use crate::message::Kind;
use crate::pace::{Pace, Preset};
use crate::screen::short;
use crate::selection::{Range, Selection};
use crate::submit::{BadTask, NewTask};
use crate::table::item::RecentPeer;
use crate::task::{BATCH_LEN_DEFAULT, BATCH_LEN_UNLIMITED, Style, Task};

/// The range's buttons, in days until today (the original's choice).
pub(crate) const DAYS: [i64; 5] = [365, 180, 90, 30, 7];
/// The batch limit's buttons.
pub(crate) const BATCHES: [u32; 3] = [200, 300, 500];
/// Keywords are looked for in captions of a thousand characters.
const KEYWORD_LEN_MAX: usize = 100;
/// As much as a list shows; [`NewTask::build`] takes more.
const TITLE_LEN_MAX: usize = 100;
/// A task's page shows it beside everything else.
const DESCRIPTION_LEN_MAX: usize = 500;

/// A transfer that is being asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wizard {
    /// What is asked now.
    pub step: Step,
    /// The farthest step that was shown: what comes before it was answered once, and can be kept.
    pub reached: Step,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Place>,
    /// To where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Place>,
    /// A topic of the target; kept from a transfer that is repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<MessageId>,
    /// Which messages.
    pub selection: Selection,
    /// How they are forwarded.
    #[serde(default)]
    pub style: Style,
    /// What the admin calls it; `None`: what is offered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What the admin notes about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How fast.
    pub pace: Pace,
    /// Messages in a batch.
    pub batch_len: u32,
    /// Whether to pause after each batch.
    pub pause_after_batch: bool,
    /// Whether accounts may join source and target.
    #[serde(default)]
    pub join: bool,
    /// Only accounts of this group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The preview that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// Why the last input was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
}

/// What the wizard asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// From where.
    Source,
    /// To where.
    Target,
    /// Which part of the history.
    Range,
    /// Which kinds of content.
    Kinds,
    /// Which keyword.
    Keyword,
    /// Whether the author is shown.
    Author,
    /// What to call it.
    Title,
    /// What to note about it.
    Description,
    /// How fast.
    Pace,
    /// How much at once, and what then.
    Batch,
    /// Whether it is right like this.
    Preview,
}

/// A chat, as the person named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Its address.
    pub address: PeerAddress,
    /// Its title, where a forwarded message told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The message that was named with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<MessageId>,
}

/// A preview that was asked for, and the transfer that it previews.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The question.
    pub inquiry: InquiryId,
    /// The transfer's id.
    pub task: TaskId,
    /// The transfer's nonce.
    pub nonce: Nonce,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// The step is shown, another or the same with a notice.
    Shown,
    /// The button means nothing here (any more).
    Late,
    /// The preview is asked for.
    Asked,
    /// The person wants the transfer as it stands.
    Confirmed,
    /// The person wants none.
    Cancelled,
    /// Before the first step.
    Left,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 11] = [
        Self::Source,
        Self::Target,
        Self::Range,
        Self::Kinds,
        Self::Keyword,
        Self::Author,
        Self::Title,
        Self::Description,
        Self::Pace,
        Self::Batch,
        Self::Preview,
    ];

    /// Its place among all, from 1.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|step| *step == self).map_or(1, |at| at + 1)
    }

    fn next(self) -> Self {
        Self::ALL.get(self.number()).copied().unwrap_or(Self::Preview)
    }

    fn previous(self) -> Option<Self> {
        Self::ALL.get(self.number().checked_sub(2)?).copied()
    }
}

impl Place {
    fn named(address: PeerAddress) -> Self {
        Self { address, title: None, message: None }
    }

    /// The chat that a forwarded message comes from; `None` if no chat has such a number, which could not be stored.
    pub(crate) fn of_origin(origin: &Origin) -> Option<Self> {
        let by_name = origin.username.as_deref().and_then(|name| format!("@{name}").parse().ok());
        let by_number = || origin.peer.to_string().parse().ok();
        let title = short(&origin.title, TITLE_LEN_MAX);
        Some(Self {
            address: by_name.or_else(by_number)?,
            title: (!title.is_empty()).then_some(title),
            message: origin.message,
        })
    }

    /// As it is called.
    pub(crate) fn name(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.address.to_string())
    }
}

impl Default for Wizard {
    fn default() -> Self {
        Self {
            step: Step::Source,
            reached: Step::Source,
            source: None,
            target: None,
            topic: None,
            selection: Selection::everything(),
            style: Style::default(),
            title: None,
            description: None,
            pace: Preset::Small.pace(),
            batch_len: BATCH_LEN_DEFAULT,
            pause_after_batch: false,
            join: false,
            group: None,
            asked: None,
            notice: None,
        }
    }
}

impl Wizard {
    /// The same transfer once more, ready to be looked at.
    pub(crate) fn repeating(task: &Task) -> Self {
        let place = |end: &crate::task::Endpoint| {
            Some(Place { address: end.address.clone(), title: end.title.clone(), message: None })
        };
        Self {
            step: Step::Preview,
            reached: Step::Preview,
            source: place(&task.source),
            target: place(&task.target),
            topic: task.target.topic,
            selection: task.selection.clone(),
            style: task.style,
            title: Some(task.title.clone()),
            description: task.description.clone(),
            pace: task.pace,
            batch_len: task.batch_len,
            pause_after_batch: task.pause_after_batch,
            join: task.join,
            group: task.group.clone(),
            asked: None,
            notice: None,
        }
    }

    /// Begins with a source that was sent without being asked for.
    pub(crate) fn with_source(place: Place) -> Self {
        Self {
            step: Step::Target,
            reached: Step::Target,
            source: Some(place),
            notice: Some(Notice::SourceTaken),
            ..Self::default()
        }
    }

    /// The transfer as it stands; `None` before source and target are known.
    pub fn draft(&self, id: TaskId, nonce: Nonce, owner: ChatId) -> Option<NewTask> {
        let (source, target) = (self.source.as_ref()?, self.target.as_ref()?);
        let mut draft = NewTask::new(id, nonce, source.address.clone(), target.address.clone());
        draft.title = self.title.clone().unwrap_or_else(|| self.offered_title());
        draft.topic = self.topic;
        draft.selection = self.selection.clone();
        draft.style = self.style;
        draft.pace = self.pace;
        draft.batch_len = self.batch_len;
        draft.pause_after_batch = self.pause_after_batch;
        draft.join = self.join;
        draft.group.clone_from(&self.group);
        draft.description.clone_from(&self.description);
        draft.owner = Some(owner);
        Some(draft)
    }

    /// The title for who writes none.
    pub(crate) fn offered_title(&self) -> String {
        let name = |place: &Option<Place>| short(&place.as_ref().map(Place::name).unwrap_or_default(), 45);
        format!("{} → {}", name(&self.source), name(&self.target))
    }

    /// The transfer that is confirmed.
    ///
    /// # Errors
    /// It makes no sense, or nobody looked at a preview step of it.
    pub(crate) fn confirmed(&self, owner: ChatId, now: Timestamp) -> Result<Task, Option<BadTask>> {
        let asked = self.asked.clone().ok_or(None)?;
        let draft = self.draft(asked.task, asked.nonce, owner).ok_or(None)?;
        draft.build(now).map_err(Some)
    }

    /// Whether the present step, or the one before or after it, offers the pool's groups: who reads them knows it before
    /// the step is shown.
    pub fn offers_groups(&self) -> bool {
        matches!(self.step, Step::Pace | Step::Batch | Step::Preview)
    }

    /// Asks for a preview under new ids.
    pub(crate) fn ask(&mut self, fresh: &Fresh) {
        let Fresh { inquiry, task, nonce, .. } = fresh.clone();
        (self.step, self.reached) = (Step::Preview, Step::Preview);
        self.asked = Some(Asked { inquiry, task, nonce });
    }

    /// What the person wrote.
    pub(crate) fn written(&mut self, text: &str, context: &Context<'_>) -> Moved {
        self.notice = None;
        match self.step {
            Step::Source | Step::Target => match PeerAddress::parse(text) {
                Ok((address, message)) => self.place(Place { message, ..Place::named(address) }),
                Err(_) => self.refuse(Notice::NoChat { text: Notice::quoted(text) }),
            },
            Step::Range => self.range(text, context),
            Step::Kinds | Step::Author | Step::Preview => self.refuse(Notice::PressButtons),
            Step::Keyword => {
                let keyword = text.split_whitespace().collect::<Vec<_>>().join(" ");
                if keyword.chars().count() > KEYWORD_LEN_MAX {
                    return self.refuse(Notice::KeywordTooLong);
                }
                self.selection.keyword = (!keyword.is_empty()).then_some(keyword);
                self.forward()
            }
            Step::Title => {
                let title = text.split_whitespace().collect::<Vec<_>>().join(" ");
                if title.is_empty() || title.chars().count() > TITLE_LEN_MAX {
                    return self.refuse(Notice::TitleTooLong);
                }
                self.title = Some(title);
                self.forward()
            }
            Step::Description => {
                let description = text.trim();
                if description.chars().count() > DESCRIPTION_LEN_MAX {
                    return self.refuse(Notice::DescriptionTooLong);
                }
                self.description = (!description.is_empty()).then(|| description.to_owned());
                self.forward()
            }
            Step::Pace => match input::pace(text) {
                PaceInput::Pace(pace) => {
                    self.pace = pace;
                    self.forward()
                }
                PaceInput::TooSlow => self.refuse(Notice::PaceTooSlow),
                PaceInput::None => self.refuse(Notice::NoPace { text: Notice::quoted(text) }),
            },
            Step::Batch => match input::batch_len(text) {
                Some(batch_len) => {
                    self.batch_len = batch_len;
                    Moved::Shown
                }
                None => self.refuse(Notice::NoBatch),
            },
        }
    }

    /// A message that the person forwarded.
    pub(crate) fn forwarded(&mut self, origin: &Origin) -> Moved {
        self.notice = None;
        match (self.step, Place::of_origin(origin)) {
            (Step::Source | Step::Target, Some(place)) => self.place(place),
            (Step::Range, Some(place @ Place { message: Some(message), .. })) => {
                self.begin_at(&place.address, message, Some(origin))
            }
            _ => self.refuse(Notice::NotText),
        }
    }

    /// A button of the step: what follows `w:`.
    pub(crate) fn pressed(&mut self, word: &str, context: &Context<'_>) -> Moved {
        let (word, rest) = word.split_once(':').unwrap_or((word, ""));
        let before = self.notice.take();
        let moved = match (self.step, word) {
            (_, "cancel") => Moved::Cancelled,
            (_, "back") => self.back(),
            (step, "keep") if step < self.reached && step < Step::Batch => self.forward(),
            (Step::Source | Step::Target, "pick") => self.pick(rest, context.recent),
            (Step::Range, "range") => self.range_button(rest, context),
            (Step::Kinds, "kind") => self.toggle(rest),
            (Step::Kinds, "next") => self.forward(),
            (Step::Keyword, "skip") => {
                self.selection.keyword = None;
                self.forward()
            }
            (Step::Author, "author") => self.author(rest),
            (Step::Title, "offered") => {
                self.title = None;
                self.forward()
            }
            (Step::Description, "none") => {
                self.description = None;
                self.forward()
            }
            (Step::Pace, "pace") => self.preset(rest),
            (Step::Batch, "batch") => self.batch(rest),
            (Step::Batch, "after") => self.after_batch(rest),
            (Step::Batch, "join") => {
                self.join = !self.join;
                Moved::Shown
            }
            (Step::Batch, "group") => self.group(rest, context.groups),
            (Step::Batch, "done") => Moved::Asked,
            (Step::Preview, "preview") => Moved::Asked,
            (Step::Preview, "confirm") => Moved::Confirmed,
            _ => Moved::Late,
        };
        if moved == Moved::Late {
            self.notice = before;
        }
        moved
    }

    /// Says why the input was not taken.
    pub(crate) fn refuse(&mut self, notice: Notice) -> Moved {
        self.notice = Some(notice);
        Moved::Shown
    }

    fn forward(&mut self) -> Moved {
        self.step = self.step.next();
        self.reached = self.reached.max(self.step);
        Moved::Shown
    }

    fn back(&mut self) -> Moved {
        self.asked = None;
        match self.step.previous() {
            Some(step) => {
                self.step = step;
                Moved::Shown
            }
            None => Moved::Left,
        }
    }

    fn place(&mut self, place: Place) -> Moved {
        if self.step == Step::Source {
            let is_another = self.source.as_ref().is_none_or(|source| source.address != place.address);
            if is_another && let Range::Ids { .. } | Range::From(_) = self.selection.range {
                // Message ids mean nothing in another chat.
                self.selection.range = Range::Everything;
            }
            self.source = Some(place);
            return self.forward();
        }
        if self.source.as_ref().is_some_and(|source| source.address == place.address) {
            return self.refuse(Notice::SameChat);
        }
        self.target = Some(place);
        self.topic = None;
        self.forward()
    }

    fn pick(&mut self, mark: &str, recent: &[RecentPeer]) -> Moved {
        match recent.iter().find(|peer| pick_mark(&peer.address) == mark) {
            Some(peer) => self.place(Place { title: peer.title.clone(), ..Place::named(peer.address.clone()) }),
            None => Moved::Late,
        }
    }

    fn range(&mut self, text: &str, context: &Context<'_>) -> Moved {
        match input::range(text, context.now, &context.locale.zone) {
            RangeInput::Range(range) => {
                self.selection.range = range;
                self.forward()
            }
            RangeInput::FromLink(address, message) => self.begin_at(&address, message, None),
            RangeInput::Backwards => self.refuse(Notice::Backwards),
            RangeInput::None => self.refuse(Notice::NoRange { text: Notice::quoted(text) }),
        }
    }

    fn begin_at(&mut self, address: &PeerAddress, message: MessageId, origin: Option<&Origin>) -> Moved {
        // A chat may have been named by its number and forwarded with its name.
        let by_number = origin.map(|origin| PeerAddress::Id(origin.peer));
        let source = self.source.as_ref().map(|source| &source.address);
        if source != Some(address) && source != by_number.as_ref() {
            return self.refuse(Notice::OtherChat);
        }
        self.selection.range = Range::From(message);
        self.forward()
    }

    fn range_button(&mut self, word: &str, context: &Context<'_>) -> Moved {
        let range = match word {
            "all" => Some(Range::Everything),
            "from" => self.source.as_ref().and_then(|source| source.message).map(Range::From),
            days => days
                .parse()
                .ok()
                .filter(|days| DAYS.contains(days))
                .and_then(|days| input::last_days(days, context.now, &context.locale.zone)),
        };
        let Some(range) = range else { return Moved::Late };
        self.selection.range = range;
        self.forward()
    }

    fn toggle(&mut self, name: &str) -> Moved {
        let Some(kind) = KINDS.into_iter().find(|kind| kind_name(*kind) == name) else { return Moved::Late };
        if !self.selection.kinds.remove(&kind) {
            self.selection.kinds.insert(kind);
        }
        Moved::Shown
    }

    fn author(&mut self, word: &str) -> Moved {
        match word {
            "keep" => self.style = Style { drop_author: false, drop_captions: false, ..self.style },
            "hide" => self.style.drop_author = true,
            _ => return Moved::Late,
        }
        self.forward()
    }

    fn preset(&mut self, word: &str) -> Moved {
        let Ok(preset) = word.parse::<Preset>() else { return Moved::Late };
        self.pace = preset.pace();
        self.batch_len = preset.batch_len();
        self.forward()
    }

    fn batch(&mut self, word: &str) -> Moved {
        match word.parse::<u32>() {
            Ok(0) => self.batch_len = BATCH_LEN_UNLIMITED,
            Ok(batch_len) if BATCHES.contains(&batch_len) => self.batch_len = batch_len,
            _ => return Moved::Late,
        }
        Moved::Shown
    }

    fn group(&mut self, mark: &str, groups: &[String]) -> Moved {
        self.group = match groups.iter().find(|group| group_mark(group) == mark) {
            Some(group) => Some(group.clone()),
            None if mark == "-" => None,
            None => return Moved::Late,
        };
        Moved::Shown
    }

    fn after_batch(&mut self, word: &str) -> Moved {
        self.pause_after_batch = match word {
            "pause" => true,
            "go" => false,
            _ => return Moved::Late,
        };
        Moved::Shown
    }
}

/// The kinds that can be ticked, in the order of their buttons.
pub(crate) const KINDS: [Kind; 9] = [
    Kind::Photo,
    Kind::Video,
    Kind::Document,
    Kind::Audio,
    Kind::Voice,
    Kind::Sticker,
    Kind::Poll,
    Kind::Text,
    Kind::Other,
];

/// A kind's word in texts and buttons.
pub(crate) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Photo => "photo",
        Kind::Video => "video",
        Kind::Document => "document",
        Kind::Audio => "audio",
        Kind::Voice => "voice",
        Kind::Sticker => "sticker",
        Kind::Poll => "poll",
        Kind::Text => "text",
        Kind::Other => "other",
    }
}

/// What a button says of a recent chat: its address may be too long for a button, its place in the list may have changed.
pub(crate) fn pick_mark(address: &PeerAddress) -> String {
    mark(&address.to_string())
}

/// What a button says of a group, for the same reasons.
pub(crate) fn group_mark(group: &str) -> String {
    mark(group)
}

fn mark(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
