//! The steps by which a transfer is asked for, one screen each.
//!
//! What stands here is persisted between two updates. Every step has a way back that loses nothing, and each step's
//! buttons mean nothing on its neighbours, so that a button pressed twice moves the conversation once.

mod answers;
mod marks;
mod place;
mod step;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Fresh;
use super::notice::Notice;
use crate::ids::{ChatId, InquiryId, MessageId, Nonce, TaskId};
use crate::pace::{Pace, Preset};
use crate::screen::short;
use crate::selection::Selection;
use crate::submit::{BadTask, NewTask};
use crate::task::{BATCH_LEN_DEFAULT, Style, Task};

pub(crate) use answers::{BATCHES, DAYS};
pub(crate) use marks::{KINDS, group_mark, kind_name, pick_mark};
pub use place::Place;
pub use step::Step;

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
}
