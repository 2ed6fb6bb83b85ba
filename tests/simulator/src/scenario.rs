//! Worlds to start with: as JSON for people, as a builder for tests, and generated channels for volume.
//!
//! ```json
//! { "seed": 7, "users": [{ "id": 7000000001, "phone": "+10000000001", "first_name": "Ada", "username": "ada" }],
//!   "bots": [{ "id": 7900000001, "username": "ferry_bot", "token": "7900000001:secret", "name": "Ferry" }],
//!   "chats": [{ "id": -1001500000001, "kind": "broadcast", "title": "Source", "username": "source",
//!               "members": [{ "user": 7000000001, "role": "creator" }],
//!               "generate": { "messages": 1000 } }] }
//! ```

use crate::time::{Clock, SimTime};
use crate::world::chat::{Banned, Chat, ChatKind, Role, Topic};
use crate::world::floods::{FloodModel, Script};
use crate::world::generated::{ELSEWHERE, Generated, Mix};
use crate::world::history::History;
use crate::world::message::{
    Document, DocumentKind, Entity, Extra, Forward, ForwardHeader, Media, Poll, Reply, Service, Text,
};
use crate::world::post::Draft;
use crate::world::quirks::Quirks;
use crate::world::seed::signed;
use crate::world::user::{AccountState, User};
use crate::world::{Actor, ChatId, MessageId, UserId, World, faults::Faults};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A whole world.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    pub seed: u64,
    pub users: Vec<UserSpec>,
    pub bots: Vec<BotSpec>,
    pub chats: Vec<ChatSpec>,
    pub floods: Option<FloodModel>,
    pub scripts: Vec<Script>,
    pub faults: Faults,
    /// Drawn from the seed when left out.
    pub quirks: Option<Quirks>,
}

/// A user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSpec {
    pub id: UserId,
    #[serde(default)]
    pub phone: String,
    pub first_name: String,
    #[serde(default)]
    pub last_name: String,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub password: Option<String>,
    #[serde(default)]
    pub password_hint: Option<String>,
    #[serde(default = "home_dc")]
    pub home_dc: i32,
    #[serde(default)]
    pub premium: bool,
    #[serde(default)]
    pub bot: bool,
    #[serde(default)]
    pub contacts: Vec<UserId>,
    #[serde(default)]
    pub state: AccountState,
    /// What bots are told: `en`, `zh-hans`.
    #[serde(default)]
    pub language_code: Option<String>,
}

/// A bot; whoever knows its token speaks for it through the Bot API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BotSpec {
    pub id: UserId,
    pub username: String,
    /// `ID:SECRET`, as Telegram's are.
    pub token: String,
    pub name: String,
}

fn home_dc() -> i32 {
    2
}

/// A chat with its members and messages; ids are marked as in the Bot API.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatSpec {
    pub id: ChatId,
    pub kind: ChatKind,
    pub title: String,
    #[serde(default)]
    pub username: Option<String>,
    #[serde(default)]
    pub invite: Option<String>,
    /// Whoever wants to join has to be let in.
    #[serde(default)]
    pub join_request: bool,
    #[serde(default)]
    pub members: Vec<MemberSpec>,
    #[serde(default)]
    pub default_banned: Banned,
    #[serde(default)]
    pub noforwards: bool,
    #[serde(default)]
    pub signatures: bool,
    #[serde(default)]
    pub slow_mode_secs: i32,
    #[serde(default)]
    pub topics: BTreeMap<i32, Topic>,
    /// A generated past.
    #[serde(default)]
    pub generate: Option<GenerateSpec>,
    /// Messages after the generated ones, oldest first.
    #[serde(default)]
    pub messages: Vec<MessageSpec>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSpec {
    pub user: UserId,
    #[serde(default = "member")]
    pub role: Role,
}

fn member() -> Role {
    Role::Member
}

/// How many messages of which mix.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenerateSpec {
    pub messages: i32,
    #[serde(default)]
    pub mix: Mix,
}

/// One message, or (`skip`) ids without messages.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MessageSpec {
    /// The first member when left out.
    pub from: Option<UserId>,
    pub text: String,
    pub entities: Vec<Entity>,
    pub photo: bool,
    pub document: Option<DocumentKind>,
    pub file_name: Option<String>,
    pub poll: Option<Poll>,
    pub service: Option<Service>,
    pub reply_to: Option<i32>,
    pub topic: Option<i32>,
    /// Members of one album have the same number.
    pub album: i64,
    /// The header of a forward: original channel and post.
    pub forwarded_from: Option<(ChatId, i32)>,
    pub noforwards: bool,
    /// Deleted right away: a hole.
    pub deleted: bool,
}

impl Scenario {
    /// Reads JSON.
    ///
    /// # Errors
    /// A text that names line, column and field.
    pub fn from_json(text: &str) -> Result<Scenario, String> {
        serde_json::from_str(text).map_err(|error| format!("the scenario is not valid: {error}"))
    }

    /// The world that it describes.
    ///
    /// # Errors
    /// A text that names what does not fit together.
    pub fn build(&self, clock: Clock) -> Result<World, String> {
        let mut world = World::new(self.seed, clock);
        self.add_to(&mut world)?;
        Ok(world)
    }

    /// Adds what it describes to a world.
    ///
    /// # Errors
    /// A text that names what does not fit together.
    pub fn add_to(&self, world: &mut World) -> Result<(), String> {
        for spec in &self.users {
            world.add_user(spec.user());
        }
        for bot in &self.bots {
            if !bot.token.starts_with(&format!("{}:", bot.id)) {
                return Err(format!(
                    "bot '{}': its token has to start with its id and a colon: {}:...",
                    bot.name, bot.id
                ));
            }
            world.add_bot(bot.id, &bot.username, &bot.name, &bot.token);
        }
        for spec in &self.chats {
            add_chat(world, spec)?;
        }
        if let Some(model) = &self.floods {
            world.floods.model = model.clone();
        }
        for script in &self.scripts {
            world.floods.script(script.clone());
        }
        world.faults.scripts.extend(self.faults.scripts.iter().cloned());
        world.faults.rates.extend(self.faults.rates.iter().cloned());
        if let Some(quirks) = self.quirks {
            world.quirks = quirks;
        }
        // Whoever listens starts after the scenario.
        world.take_pushes();
        Ok(())
    }
}

impl UserSpec {
    fn user(&self) -> User {
        User {
            last_name: self.last_name.clone(),
            username: self.username.as_ref().map(|name| name.trim_start_matches('@').to_lowercase()),
            password: self.password.clone(),
            password_hint: self.password_hint.clone(),
            home_dc: self.home_dc,
            premium: self.premium,
            bot: self.bot,
            language_code: self.language_code.clone(),
            contacts: self.contacts.iter().copied().collect(),
            state: self.state,
            ..User::new(self.id, &self.phone, &self.first_name)
        }
    }
}

fn add_chat(world: &mut World, spec: &ChatSpec) -> Result<(), String> {
    let title = &spec.title;
    if spec.id.is_channel() == (spec.kind == ChatKind::Basic) {
        return Err(format!(
            "chat '{title}': id {} does not fit its kind: channels are below -1000000000000, basic groups negative above it",
            spec.id
        ));
    }
    if let Some(stranger) = spec.members.iter().find(|member| !world.users.contains_key(&member.user)) {
        return Err(format!("chat '{title}': member {} is not among the users", stranger.user));
    }
    let now = world.now();
    let mut chat = Chat::new(spec.id, spec.kind, title, now.unix_secs().saturating_sub(86_400));
    chat.username = spec.username.as_ref().map(|name| name.trim_start_matches('@').to_lowercase());
    chat.invite.clone_from(&spec.invite);
    chat.join_request = spec.join_request;
    chat.default_banned = spec.default_banned.clone();
    chat.noforwards = spec.noforwards;
    chat.signatures = spec.signatures;
    chat.slow_mode_secs = spec.slow_mode_secs;
    chat.topics = spec.topics.iter().map(|(id, topic)| (MessageId(*id), topic.clone())).collect();
    for member in &spec.members {
        chat.put(member.user, member.role.clone(), now);
    }
    let first = spec.members.first().map_or(UserId(0), |member| member.user);
    if let Some(generate) = &spec.generate {
        chat = generated(world.seed, chat, first, generate.messages, generate.mix, now);
        add_elsewhere(world, now);
    }
    world.add_chat(chat);
    for message in &spec.messages {
        let by = message.from.unwrap_or(first);
        let draft = message.draft(world);
        let events = world.post(&Actor::of(by), spec.id, &[draft]);
        if message.deleted
            && let Some(chat) = world.chats.get_mut(&spec.id)
        {
            for event in events {
                chat.history.change(event.id, |message| message.deleted = true);
            }
        }
    }
    if let Some(chat) = world.chats.get_mut(&spec.id) {
        chat.last_post.clear();
    }
    Ok(())
}

impl MessageSpec {
    fn draft(&self, world: &mut World) -> Draft {
        let id = signed(world.rng.next_u64() >> 2);
        let media = if let Some(poll) = &self.poll {
            Some(Media::Poll(Arc::new(poll.clone())))
        } else if let Some(kind) = self.document {
            let file_name = self.file_name.as_deref().map(Arc::from);
            Some(Media::Document(Document { file_name, ..Document::of(kind, id) }))
        } else {
            self.photo.then_some(Media::Photo { id })
        };
        let reply = (self.reply_to.is_some() || self.topic.is_some())
            .then(|| Reply { to: self.reply_to.map(MessageId), topic: self.topic.map(MessageId) });
        let extra =
            Extra { media, entities: self.entities.clone(), reply, service: self.service.clone(), ..Extra::default() };
        let forward = self.forwarded_from.map_or(Forward::None, |(from, post)| {
            let date = world.now().unix_secs();
            Forward::Other(Box::new(ForwardHeader {
                from: Some(from),
                date,
                post: Some(MessageId(post)),
                ..ForwardHeader::default()
            }))
        });
        Draft {
            text: Text::new(&self.text),
            group: self.album,
            forward,
            extra: (extra != Extra::default()).then(|| Box::new(extra)),
            noforwards: self.noforwards,
            ..Draft::default()
        }
    }
}

/// The channel that generated forwards name.
fn add_elsewhere(world: &mut World, now: SimTime) {
    let id = ChatId::channel(ELSEWHERE);
    if world.chat(id).is_none() {
        let mut chat = Chat::new(id, ChatKind::Broadcast, "Elsewhere", now.unix_secs().saturating_sub(86_400));
        chat.username = Some("elsewhere".to_owned());
        world.add_chat(chat);
    }
}

/// The chat with a generated past that ends a minute before `now`.
#[must_use]
pub fn generated(seed: u64, chat: Chat, by: UserId, messages: i32, mix: Mix, now: SimTime) -> Chat {
    let span = messages.saturating_mul(20).saturating_add(60);
    let first_date = now.unix_secs().saturating_sub(span).max(1);
    let id = chat.id;
    chat.with_history(History::generated(Generated { seed, chat: id, by, count: messages, first_date, mix }))
}

/// First of the accounts that [`transfer`] makes; the others count up.
pub const FIRST_ACCOUNT: UserId = UserId(7_000_000_001);
/// The channel that [`transfer`] fills.
pub const SOURCE: ChatId = ChatId(-1_001_500_000_001);
/// The channel that [`transfer`] leaves empty; all its accounts may post there.
pub const TARGET: ChatId = ChatId(-1_001_500_000_002);

/// A source channel with `messages` generated ids, an empty target, and accounts that may read the one and post in the
/// other: `@source`, `@target`, phones `+10000000001` and up.
#[must_use]
pub fn transfer(seed: u64, accounts: usize, messages: i32, mix: Mix, clock: Clock) -> World {
    let mut world = World::new(seed, clock);
    let now = world.now();
    let mut source = Chat::new(SOURCE, ChatKind::Broadcast, "Source", now.unix_secs().saturating_sub(86_400));
    let mut target = Chat::new(TARGET, ChatKind::Broadcast, "Target", now.unix_secs().saturating_sub(86_400));
    source.username = Some("source".to_owned());
    target.username = Some("target".to_owned());
    for (n, offset) in (1..=accounts).zip(0_i64..) {
        let id = UserId(FIRST_ACCOUNT.0 + offset);
        world.add_user(User {
            username: Some(format!("account{n}")),
            ..User::new(id, &format!("+1{n:010}"), &format!("Account {n}"))
        });
        source.put(id, Role::Member, now);
        target.put(id, Role::Admin(crate::world::chat::AdminRights::default()), now);
    }
    let owner = FIRST_ACCOUNT;
    world.add_chat(generated(seed, source, owner, messages, mix, now));
    world.add_chat(target);
    add_elsewhere(&mut world, now);
    world
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_says_what_is_wrong_and_where() {
        let error = Scenario::from_json("{\"users\": [\n{\"id\": 1, \"first_nam\": \"Ada\"}]}").unwrap_err();
        assert!(error.contains("first_nam") && error.contains("line 2"), "{error}");
        let scenario = Scenario::from_json(
            r#"{"chats": [{"id": -1001500000001, "kind": "broadcast", "title": "A", "members": [{"user": 9}]}]}"#,
        );
        let error = scenario.unwrap().build(Clock::virtual_at(SimTime(0))).unwrap_err();
        assert!(error.contains("member 9"), "{error}");
    }

    #[test]
    fn a_scenario_fills_chats_of_every_kind() {
        let scenario = Scenario::from_json(
            r#"{"users": [{"id": 1, "first_name": "Ada"}, {"id": 2, "first_name": "Ben"}],
                "chats": [
                  {"id": -1001500000001, "kind": "broadcast", "title": "A", "username": "@A", "members": [{"user": 1, "role": "creator"}],
                   "generate": {"messages": 100}, "messages": [{"text": "hi"}, {"text": "gone", "deleted": true}, {"photo": true, "album": 5}]},
                  {"id": -77, "kind": "basic", "title": "B", "members": [{"user": 1}, {"user": 2}], "messages": [{"from": 2, "text": "yo"}]}]}"#,
        );
        let world = scenario.unwrap().build(Clock::virtual_at(SimTime(1_700_000_000_000))).unwrap();
        let channel = world.chat(ChatId(-1_001_500_000_001)).unwrap();
        assert_eq!(channel.history.last_id(), MessageId(103));
        assert_eq!(channel.username.as_deref(), Some("a"));
        assert!(channel.history.get(MessageId(102)).is_none());
        assert_eq!(world.mailbox_message(UserId(1), MessageId(1)).unwrap().text.as_str(), "yo");
        assert_eq!(world.mailbox_message(UserId(2), MessageId(1)).unwrap().by, UserId(2));
    }

    #[test]
    fn a_transfer_world_takes_a_million_messages() {
        let world = transfer(1, 3, 1_000_000, Mix::text_only(), Clock::virtual_at(SimTime(1_700_000_000_000)));
        assert_eq!(world.chat(SOURCE).unwrap().history.len(), 1_000_000);
    }
}
