//! What is read before an update is decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use transfer::account::Member;
use transfer::admin;
use transfer::bot::{Incoming, Said};
use transfer::dialogue::press::Press;
use transfer::dialogue::{Context, Dialogue, Fresh, Seen, State};
use transfer::ids::{BotMessageId, ChatId, InquiryId, LoginId, Nonce, TaskId};
use transfer::inquiry::{Answer, Inquiry};
use transfer::lease::Host;
use transfer::login::Login;
use transfer::table::item::{RecentPeer, Settings, TakenUpdate};
use transfer::table::{Guard, Item, Key, List, Table, TableError};
use transfer::text::{Language, Locale};
use uuid::Uuid;

use super::{Handler, logins};

/// A host that has not renewed itself for so long is not there (it renews itself every 5 s).
const HOST_HEARD_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// What was read.
pub(super) struct Known {
    pub(super) now: Timestamp,
    pub(super) dialogue: Dialogue,
    pub(super) dialogue_guard: Guard,
    /// The update's mark, and its version.
    pub(super) taken: Option<(TakenUpdate, u64)>,
    pub(super) settings: Settings,
    pub(super) settings_guard: Guard,
    pub(super) recent: Vec<RecentPeer>,
    pub(super) recent_guard: Guard,
    pub(super) hosts_alive: bool,
    pub(super) locale: Locale,
    pub(super) task: Seen,
    pub(super) found: Option<(String, String)>,
    /// The logins that are open in the chat, and the one that a button belongs to.
    pub(super) logins: Vec<Login>,
    /// Their versions.
    pub(super) login_versions: BTreeMap<LoginId, u64>,
    pub(super) account: Option<Member>,
    pub(super) groups: Vec<String>,
    pub(super) fresh: Fresh,
}

impl Known {
    pub(super) async fn read(handler: &Handler, incoming: &Incoming) -> Result<Self, TableError> {
        let chat = incoming.chat;
        let table = handler.table.as_ref();
        let now = handler.clock.now();
        let keys = [Key::update(incoming.id), Key::dialogue(chat), Key::settings(chat), Key::recent(chat)];
        let [update, dialogue, settings, recent] = keys.each_ref();
        let (update, dialogue, settings, recent, hosts_alive) = tokio::try_join!(
            table.get(update),
            table.get(dialogue),
            table.get(settings),
            table.get(recent),
            hosts_alive(table, now),
        )?;
        let guard = |record: &Option<transfer::table::Record>| {
            record.as_ref().map_or(Guard::Absent, |record| Guard::Version(record.version))
        };
        let (dialogue_guard, settings_guard, recent_guard) = (guard(&dialogue), guard(&settings), guard(&recent));
        let taken = update.and_then(|record| match record.item {
            Item::Update(taken) => Some((taken, record.version)),
            _ => None,
        });
        let mut dialogue = match dialogue.map(|record| record.item) {
            Some(Item::Dialogue(dialogue)) => *dialogue,
            Some(_) | None => Dialogue::new(chat, now),
        };
        let settings = match settings.map(|record| record.item) {
            Some(Item::Settings(settings)) => settings,
            Some(_) | None => Settings::new(chat),
        };
        let recent = match recent.map(|record| record.item) {
            Some(Item::Recent(recent)) => recent.peers,
            Some(_) | None => Vec::new(),
        };
        let settings = as_told(settings, incoming);
        let (task, found) = match &incoming.what {
            Said::Pressed { data, message, .. } => {
                let about = about(table, &dialogue, chat, Press::parse(data).as_ref()).await?;
                if about.shown_by == Some(*message) {
                    // A host that did not find the message of the step sent the preview as one of its own.
                    dialogue.message = Some(*message);
                }
                (about.task, about.found)
            }
            Said::Text(_) | Said::Forwarded(_) | Said::Other => (Seen::None, None),
        };
        let press = match &incoming.what {
            Said::Pressed { data, .. } => Press::parse(data),
            Said::Text(_) | Said::Forwarded(_) | Said::Other => None,
        };
        let (logins, login_versions) = logins::read(table, &dialogue, press.as_ref()).await?;
        let account = match &press {
            Some(Press::LoginAgain(id)) => admin::member(table, id).await?,
            _ => None,
        };
        let groups = match &dialogue.state {
            State::Wizard(wizard) if wizard.offers_groups() => groups(table).await?,
            _ => Vec::new(),
        };
        let locale = locale(handler, &settings);
        Ok(Self {
            now,
            dialogue,
            dialogue_guard,
            taken,
            settings,
            settings_guard,
            recent,
            recent_guard,
            hosts_alive,
            locale,
            task,
            found,
            logins,
            login_versions,
            account,
            groups,
            fresh: fresh(),
        })
    }

    pub(super) fn context(&self, chat: ChatId) -> Context<'_> {
        Context {
            chat,
            now: self.now,
            locale: &self.locale,
            zone_name: self.settings.zone.as_deref(),
            hosts_alive: self.hosts_alive,
            recent: &self.recent,
            task: self.task.clone(),
            found: self.found.clone(),
            logins: &self.logins,
            account: self.account.clone(),
            groups: &self.groups,
            fresh: self.fresh.clone(),
        }
    }
}

/// How an admin with these settings is spoken to.
pub(super) fn locale(handler: &Handler, settings: &Settings) -> Locale {
    let chosen = settings.zone.as_deref().and_then(|name| jiff::tz::TimeZone::get(name).ok());
    Locale { language: settings.spoken(), zone: chosen.unwrap_or_else(|| handler.zone.clone()) }
}

/// The settings with the language of the person's Telegram, as far as the update tells it.
fn as_told(settings: Settings, incoming: &Incoming) -> Settings {
    match incoming.language_code.as_deref().map(Language::of_tag) {
        Some(language) => Settings { telegram_language: Some(language), ..settings },
        None => settings,
    }
}

/// Whether a host is there.
pub(crate) fn heard(host: &Host, now: Timestamp) -> bool {
    now.duration_since(host.renewed_at) <= HOST_HEARD_WITHIN
}

async fn hosts_alive(table: &dyn Table, now: Timestamp) -> Result<bool, TableError> {
    let hosts = table.list(List::Hosts).await?;
    Ok(hosts.iter().any(|record| match &record.item {
        // Clocks of two machines differ a little; a host of the future is alive.
        Item::Host(host) => heard(host, now),
        _ => false,
    }))
}

/// What a press is about.
struct About {
    task: Seen,
    /// The titles that a preview found.
    found: Option<(String, String)>,
    /// The message that shows that preview.
    shown_by: Option<BotMessageId>,
}

impl About {
    fn task(task: Seen) -> Self {
        Self { task, found: None, shown_by: None }
    }
}

async fn about(
    table: &dyn Table,
    dialogue: &Dialogue,
    chat: ChatId,
    press: Option<&Press>,
) -> Result<About, TableError> {
    if let Some(id) = press.and_then(Press::task) {
        let task = match table.get(&Key::task(id)).await?.map(|record| record.item) {
            Some(Item::Task(task)) if task.owner.is_none_or(|owner| owner == chat) => Seen::Task(task),
            Some(Item::Task(_)) => Seen::Foreign,
            Some(_) | None => Seen::Gone,
        };
        return Ok(About::task(task));
    }
    let (Some(Press::Step(_)), Some(id)) = (press, dialogue.state.inquiry()) else {
        return Ok(About::task(Seen::None));
    };
    let Some((Inquiry { message, answer, .. }, _)) = inquiry(table, id).await? else {
        return Ok(About::task(Seen::None));
    };
    let found = match answer {
        Some(Answer::Preview(preview)) => Some((preview.source, preview.target)),
        Some(Answer::Impossible { .. }) | None => None,
    };
    Ok(About { task: Seen::None, found, shown_by: message })
}

/// An inquiry, and its version.
pub(super) async fn inquiry(table: &dyn Table, id: &InquiryId) -> Result<Option<(Inquiry, u64)>, TableError> {
    let record = table.get(&Key::inquiry(id)).await?;
    Ok(record.and_then(|record| match record.item {
        Item::Inquiry(inquiry) => Some((*inquiry, record.version)),
        _ => None,
    }))
}

/// The groups of the pool's accounts.
pub(super) async fn groups(table: &dyn Table) -> Result<Vec<String>, TableError> {
    let members = admin::members(table).await?;
    let groups: BTreeSet<String> = members.into_iter().filter_map(|member| member.profile.group).collect();
    Ok(groups.into_iter().collect())
}

fn fresh() -> Fresh {
    Fresh {
        task: TaskId(Uuid::new_v4().to_string()),
        nonce: Nonce(*Uuid::new_v4().as_bytes()),
        inquiry: InquiryId(Uuid::new_v4().to_string()),
        login: LoginId(Uuid::new_v4().to_string()),
    }
}
