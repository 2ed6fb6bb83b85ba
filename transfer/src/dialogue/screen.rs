//! What each step of the conversation shows.

use jiff::Timestamp;

use super::State;
use super::awaited::{Awaited, ZONES};
use super::menu::{self, button};
use super::notice::Notice;
use super::press::Press;
use super::summary;
use super::wizard::{BATCHES, DAYS, KINDS, Place, Step, Wizard, group_mark, kind_name, pick_mark};
use crate::bot::{Button, Screen};
use crate::ids::{ChatId, Nonce, TaskId};
use crate::pace::Preset;
use crate::screen::short;
use crate::table::item::RecentPeer;
use crate::task::BATCH_LEN_UNLIMITED;
use crate::text::{Locale, Value, grouped};

/// Recent chats that are offered.
const RECENT_SHOWN: usize = 6;
/// Groups that are offered.
const GROUPS_SHOWN: usize = 12;
/// Letters of a button that still fit on a phone.
const BUTTON_LEN_MAX: usize = 40;

/// What a step's screen needs besides the state.
pub struct StepContext<'a> {
    /// How to speak.
    pub locale: &'a Locale,
    /// The chats that were named last, newest first.
    pub recent: &'a [RecentPeer],
    /// When.
    pub now: Timestamp,
    /// Whether a host renewed itself within the last minute.
    pub hosts_alive: bool,
    /// The groups of the pool's accounts.
    pub groups: &'a [String],
}

/// The screen of the present step; the menu if there is none.
pub fn step(state: &State, context: &StepContext<'_>) -> Screen {
    match state {
        State::Idle => menu::menu(context.locale),
        State::Wizard(wizard) => wizard_step(wizard, context),
        State::Expired(wizard) => expired(wizard, context.locale),
        State::Adding(adding) => super::adding::screen(adding, context.hosts_alive, context.locale),
        State::Awaits { input, notice } => awaited(input, notice.as_ref(), context.locale),
    }
}

/// A few words, and where to go from there.
pub fn notice(notice: &Notice, locale: &Locale) -> Screen {
    let mut rows = vec![vec![button(locale, "menu-new", &Press::NewTransfer)]];
    rows.push(vec![button(locale, "menu-tasks", &Press::Tasks(0)), button(locale, "button-menu", &Press::Menu)]);
    Screen { html: notice.say(locale), buttons: rows }
}

/// That a transfer was asked for, and that nothing will happen for now where no host runs.
pub fn created(id: &TaskId, title: &str, context: &StepContext<'_>) -> Screen {
    let locale = context.locale;
    let mut html = locale.say("created", &[("title", title.into())]);
    html.push_str("\n\n");
    html.push_str(&locale.say(if context.hosts_alive { "created-begins" } else { "no-host" }, &[]));
    let to_task = button(locale, "created-show", &Press::Task(id.clone()));
    Screen { html, buttons: vec![vec![to_task], vec![button(locale, "button-menu", &Press::Menu)]] }
}

fn wizard_button(locale: &Locale, text: &str, word: &str) -> Button {
    button(locale, text, &Press::Step(word.to_owned()))
}

fn labelled(label: &str, word: String) -> Button {
    Button { text: short(label, BUTTON_LEN_MAX), data: Press::Step(word).to_string() }
}

fn ticked(is_ticked: bool, label: &str) -> String {
    format!("{} {label}", if is_ticked { "☑️" } else { "◻️" })
}

fn wizard_step(wizard: &Wizard, context: &StepContext<'_>) -> Screen {
    let locale = context.locale;
    let name = |name: &str| locale.say(name, &[]);
    let number = wizard.step.number().to_string();
    let count = Step::ALL.len().to_string();
    let head = locale.say("wizard-head", &[("number", number.into()), ("count", count.into())]);
    let mut rows: Vec<Vec<Button>> = Vec::new();
    let body = match wizard.step {
        Step::Source | Step::Target => {
            rows.extend(recent(wizard, context.recent));
            name(if wizard.step == Step::Source { "wizard-source" } else { "wizard-target" })
        }
        Step::Range => {
            rows.extend(ranges(wizard, locale));
            name("wizard-range")
        }
        Step::Kinds => {
            rows.extend(kinds(wizard, locale));
            name("wizard-kinds")
        }
        Step::Keyword => {
            rows.push(vec![wizard_button(locale, "wizard-keyword-none", "skip")]);
            name("wizard-keyword")
        }
        Step::Author => {
            rows.push(vec![
                labelled(&name("wizard-author-kept"), "author:keep".to_owned()),
                labelled(&name("wizard-author-hidden"), "author:hide".to_owned()),
            ]);
            name("wizard-author")
        }
        Step::Title => {
            rows.push(vec![labelled(&wizard.offered_title(), "offered".to_owned())]);
            name("wizard-title")
        }
        Step::Description => {
            rows.push(vec![wizard_button(locale, "wizard-description-none", "none")]);
            name("wizard-description")
        }
        Step::Pace => {
            rows.extend(paces(locale));
            paces_body(locale)
        }
        Step::Batch => {
            rows.extend(batches(wizard, context));
            name("wizard-batch")
        }
        Step::Preview => {
            rows.push(vec![wizard_button(locale, "wizard-again", "preview")]);
            if !context.hosts_alive {
                rows.push(vec![wizard_button(locale, "wizard-confirm-unseen", "confirm")]);
            }
            looking(wizard, context)
        }
    };
    let mut parts: Vec<String> = wizard.notice.iter().map(|notice| notice.say(locale)).collect();
    parts.push(head);
    parts.extend(answer(wizard, locale));
    parts.push(body);
    if wizard.step < wizard.reached && wizard.step < Step::Batch && wizard.step != Step::Kinds {
        rows.push(vec![wizard_button(locale, "wizard-keep", "keep")]);
    }
    rows.push(vec![wizard_button(locale, "wizard-back", "back"), wizard_button(locale, "wizard-cancel", "cancel")]);
    Screen { html: parts.join("\n\n"), buttons: rows }
}

/// What was answered to this step before, when it is shown once more.
fn answer(wizard: &Wizard, locale: &Locale) -> Option<String> {
    if wizard.step >= wizard.reached {
        return None;
    }
    let place = |place: &Option<Place>| place.as_ref().map(|place| crate::text::escaped(&place.name()));
    let value = match wizard.step {
        Step::Source => place(&wizard.source)?,
        Step::Target => place(&wizard.target)?,
        Step::Range => summary::range(&wizard.selection.range, locale),
        Step::Keyword => crate::text::escaped(wizard.selection.keyword.as_deref()?),
        Step::Author => {
            locale.say(if wizard.style.drop_author { "wizard-author-hidden" } else { "wizard-author-kept" }, &[])
        }
        Step::Title => crate::text::escaped(&wizard.title.clone().unwrap_or_else(|| wizard.offered_title())),
        Step::Description => crate::text::escaped(wizard.description.as_deref()?),
        Step::Pace => summary::pace(&wizard.pace, locale),
        Step::Kinds | Step::Batch | Step::Preview => return None,
    };
    Some(locale.say("wizard-so-far", &[("value", Value::Html(value.into()))]))
}

fn recent(wizard: &Wizard, recent: &[RecentPeer]) -> Vec<Vec<Button>> {
    let source = wizard.source.as_ref().filter(|_| wizard.step == Step::Target).map(|place| &place.address);
    let offered = recent.iter().filter(|peer| source != Some(&peer.address)).take(RECENT_SHOWN);
    let title = |peer: &RecentPeer| peer.title.as_deref().map(|title| short(title, BUTTON_LEN_MAX));
    let label =
        |peer: &RecentPeer| title(peer).filter(|title| !title.is_empty()).unwrap_or_else(|| peer.address.to_string());
    offered.map(|peer| vec![labelled(&label(peer), format!("pick:{}", pick_mark(&peer.address)))]).collect()
}

fn ranges(wizard: &Wizard, locale: &Locale) -> Vec<Vec<Button>> {
    let days = |days: &i64| {
        let label = locale.say("wizard-range-days", &[("days", days.to_string().into())]);
        labelled(&label, format!("range:{days}"))
    };
    let (long, short) = DAYS.split_at(2);
    let mut rows = vec![vec![wizard_button(locale, "wizard-range-all", "range:all")]];
    rows.extend([long, short].map(|group| group.iter().map(days).collect()));
    if let Some(message) = wizard.source.as_ref().and_then(|source| source.message) {
        let label = locale.say("wizard-range-from", &[("from", message.to_string().into())]);
        rows.insert(0, vec![labelled(&label, "range:from".to_owned())]);
    }
    rows
}

fn kinds(wizard: &Wizard, locale: &Locale) -> Vec<Vec<Button>> {
    let chosen = &wizard.selection.kinds;
    let tick = |kind| {
        let word = kind_name(kind);
        labelled(&ticked(chosen.contains(&kind), &locale.say(&format!("kind-{word}"), &[])), format!("kind:{word}"))
    };
    let mut rows: Vec<Vec<Button>> = KINDS.chunks(3).map(|group| group.iter().copied().map(tick).collect()).collect();
    let next = if chosen.is_empty() { "wizard-kinds-all" } else { "wizard-next" };
    rows.push(vec![wizard_button(locale, next, "next")]);
    rows
}

const PRESETS: [Preset; 4] = [Preset::Small, Preset::Medium, Preset::Large, Preset::None];

fn paces(locale: &Locale) -> Vec<Vec<Button>> {
    let preset = |preset: &Preset| wizard_button(locale, &format!("preset-{preset}"), &format!("pace:{preset}"));
    PRESETS.chunks(2).map(|group| group.iter().map(preset).collect()).collect()
}

fn paces_body(locale: &Locale) -> String {
    let mut lines = vec![locale.say("wizard-pace", &[])];
    for preset in PRESETS {
        let name = locale.say(&format!("preset-{preset}"), &[]);
        lines.push(format!("{name}: {}", summary::pace(&preset.pace(), locale)));
    }
    lines.push(String::new());
    lines.push(locale.say("wizard-pace-own", &[]));
    lines.join("\n")
}

fn batches(wizard: &Wizard, context: &StepContext<'_>) -> Vec<Vec<Button>> {
    let locale = context.locale;
    let size =
        |len: &u32| labelled(&ticked(wizard.batch_len == *len, &grouped(u64::from(*len))), format!("batch:{len}"));
    let unlimited = ticked(wizard.batch_len == BATCH_LEN_UNLIMITED, &locale.say("wizard-batch-none", &[]));
    let mut sizes: Vec<Button> = BATCHES.iter().map(size).collect();
    if !BATCHES.contains(&wizard.batch_len) && wizard.batch_len != BATCH_LEN_UNLIMITED {
        let own = ticked(true, &grouped(u64::from(wizard.batch_len)));
        sizes.push(Button { text: own, data: Press::Nothing.to_string() });
    }
    let after = |name: &str, word: &str, is_chosen: bool| {
        labelled(&ticked(is_chosen, &locale.say(name, &[])), format!("after:{word}"))
    };
    let mut rows = vec![
        sizes,
        vec![labelled(&unlimited, "batch:0".to_owned())],
        vec![
            after("wizard-batch-go", "go", !wizard.pause_after_batch),
            after("wizard-batch-pause", "pause", wizard.pause_after_batch),
        ],
        vec![labelled(&ticked(wizard.join, &locale.say("wizard-join", &[])), "join".to_owned())],
    ];
    rows.extend(groups(wizard, context));
    rows.push(vec![wizard_button(locale, "wizard-to-preview", "done")]);
    rows
}

/// Which accounts may carry it, where the pool has groups.
fn groups(wizard: &Wizard, context: &StepContext<'_>) -> Vec<Vec<Button>> {
    if context.groups.is_empty() && wizard.group.is_none() {
        return Vec::new();
    }
    let any = ticked(wizard.group.is_none(), &context.locale.say("wizard-group-any", &[]));
    let mut buttons = vec![labelled(&any, "group:-".to_owned())];
    let gone = wizard.group.iter().filter(|group| !context.groups.contains(group));
    for group in context.groups.iter().chain(gone).take(GROUPS_SHOWN) {
        let is_chosen = wizard.group.as_ref() == Some(group);
        buttons.push(labelled(&ticked(is_chosen, &format!("👥 {group}")), format!("group:{}", group_mark(group))));
    }
    buttons.chunks(2).map(<[Button]>::to_vec).collect()
}

/// What is shown until a host has looked.
fn looking(wizard: &Wizard, context: &StepContext<'_>) -> String {
    let locale = context.locale;
    let name = |place: &Option<Place>| place.as_ref().map(Place::name).unwrap_or_default();
    // Ids and owner are no part of what is shown.
    let lines = wizard
        .draft(TaskId::from(""), Nonce([0; 16]), ChatId(0))
        .map(|draft| summary::lines(&draft, &name(&wizard.source), &name(&wizard.target), locale));
    let word = if context.hosts_alive { "wizard-looking" } else { "wizard-no-host" };
    format!("{}\n\n{}", lines.unwrap_or_default(), locale.say(word, &[]))
}

fn expired(wizard: &Wizard, locale: &Locale) -> Screen {
    let name = |place: &Option<Place>| place.as_ref().map_or_else(|| "…".to_owned(), Place::name);
    let route = [("source", name(&wizard.source).into()), ("target", name(&wizard.target).into())];
    Screen {
        html: locale.say("wizard-expired", &route),
        buttons: vec![
            vec![wizard_button(locale, "wizard-continue", "continue")],
            vec![button(locale, "wizard-anew", &Press::NewTransfer), wizard_button(locale, "wizard-cancel", "cancel")],
        ],
    }
}

fn awaited(input: &Awaited, notice: Option<&Notice>, locale: &Locale) -> Screen {
    let mut rows: Vec<Vec<Button>> = Vec::new();
    let body = match input {
        Awaited::Priority { .. } => "await-priority",
        Awaited::Label { .. } => "await-label",
        Awaited::Group { .. } => {
            rows.push(vec![wizard_button(locale, "await-group-none", "group:-")]);
            "await-group"
        }
        Awaited::Pace { .. } => "await-pace",
        Awaited::Zone => {
            let zone = |name: &&str| labelled(name, format!("zone:{name}"));
            rows.extend(ZONES.chunks(2).map(|group| group.iter().map(zone).collect::<Vec<_>>()));
            rows.push(vec![wizard_button(locale, "await-zone-default", "zone:-")]);
            "await-zone"
        }
    };
    rows.push(vec![wizard_button(locale, "wizard-back", "back")]);
    let mut parts: Vec<String> = notice.iter().map(|notice| notice.say(locale)).collect();
    parts.push(locale.say(body, &[]));
    Screen { html: parts.join("\n\n"), buttons: rows }
}
