//! What people answer to a step, in words, by forwarding and with buttons, and where that leads.

use super::{KINDS, Moved, Place, Step, Wizard, group_mark, kind_name, pick_mark};
use crate::address::PeerAddress;
use crate::bot::Origin;
use crate::dialogue::Context;
use crate::dialogue::input::{self, PaceInput, RangeInput};
use crate::dialogue::notice::Notice;
use crate::ids::MessageId;
use crate::pace::Preset;
use crate::selection::Range;
use crate::table::item::RecentPeer;
use crate::task::{BATCH_LEN_UNLIMITED, Style};

/// The range's buttons, in days until today (the original's choice).
pub(crate) const DAYS: [i64; 5] = [365, 180, 90, 30, 7];
/// The batch limit's buttons.
pub(crate) const BATCHES: [u32; 3] = [200, 300, 500];
/// Keywords are looked for in captions of a thousand characters.
const KEYWORD_LEN_MAX: usize = 100;
/// As much as a list shows; [`NewTask::build`] takes more.
pub(super) const TITLE_LEN_MAX: usize = 100;
/// A task's page shows it beside everything else.
const DESCRIPTION_LEN_MAX: usize = 500;

impl Wizard {
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
