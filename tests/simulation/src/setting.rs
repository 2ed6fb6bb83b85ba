//! The world of a run and the table's first items, made from its plan.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use simulator::time::{Clock as SimClock, SimTime};
use simulator::world::chat::{AdminRights, Chat, ChatKind, Role};
use simulator::world::floods::FloodModel;
use simulator::world::user::User;
use simulator::world::{ChatId, UserId, World};
use transfer::account::{Account, Profile};
use transfer::address::PeerAddress;
use transfer::ids::{AccountId, Nonce, TaskId};
use transfer::table::{Guard, Item, Write};
use transfer::task::{Checkpoint, Endpoint, Task, TaskState};

use crate::draw::Draw;
use crate::plan::{OWNER, Plan, STRANGER, TargetPlan, TaskPlan};
use crate::source;

/// The world as the plan wants it.
pub(crate) fn world(plan: &Plan) -> World {
    let now = SimTime(plan.begin.as_millisecond());
    let mut world = World::new(plan.seed, SimClock::tokio_from(now));
    world.quirks = plan.quirks;
    world.pushes_on = false;
    if let Some((size, wait_secs)) = plan.bucket {
        world.floods.reset(FloodModel::fixed(size, wait_secs, 1.0));
    }
    for id in [OWNER, STRANGER].into_iter().chain(plan.accounts.iter().map(|account| account.id)) {
        world.add_user(User::new(UserId(id), &format!("+1{id}"), "Somebody"));
    }
    let date = now.unix_secs();
    for (number, source) in plan.sources.iter().enumerate() {
        let mut draw = Draw::of(plan.seed, &format!("source {number}"));
        let history = source::history(&mut draw, source.chat, UserId(OWNER), source.messages, date - 100);
        let mut chat = chat(source.chat, source.group, date).with_history(history);
        chat.put(UserId(OWNER), Role::Creator, now);
        for account in &plan.accounts {
            chat.put(UserId(account.id), Role::Member, now);
        }
        world.add_chat(chat);
        for (id, words) in &source.unforwardable {
            world.unforwardable.insert((source.chat, *id), words);
        }
    }
    for target in &plan.targets {
        let mut chat = chat(target.chat, target.group, date);
        chat.put(UserId(OWNER), Role::Creator, now);
        chat.put(UserId(STRANGER), Role::Admin(AdminRights::default()), now);
        world.add_chat(chat);
        restore_roles(&mut world, plan, target, now);
    }
    world
}

/// Every account may post in the target (again).
pub(crate) fn restore_roles(world: &mut World, plan: &Plan, target: &TargetPlan, now: SimTime) {
    let Some(chat) = world.chats.get_mut(&target.chat) else { return };
    for account in &plan.accounts {
        let role = if target.group { Role::Member } else { Role::Admin(AdminRights::default()) };
        chat.put(UserId(account.id), role, now);
    }
}

fn chat(id: ChatId, group: bool, date: i32) -> Chat {
    let kind = if group { ChatKind::Supergroup } else { ChatKind::Broadcast };
    let mut chat = Chat::new(id, kind, &format!("chat {id}"), date - 100_000);
    chat.username = Some(username(id));
    chat
}

fn username(id: ChatId) -> String {
    format!("chat{}", id.0.unsigned_abs())
}

/// The pool as the admin made it.
pub(crate) fn pool(plan: &Plan) -> Vec<Write> {
    let today = plan.begin.to_zoned(TimeZone::UTC).date();
    let items = plan.accounts.iter().flat_map(|account| {
        let id = AccountId(account.id.to_string());
        let profile = Profile {
            id: id.clone(),
            label: format!("account {id}"),
            priority: account.priority,
            group: None,
            enabled: true,
            daily_budget: account.budget,
            leaving: None,
        };
        [Item::Account(Account::new(id, "+1…".into(), plan.begin, today)), Item::Profile(profile)]
    });
    items.map(|item| Write::Put { item, guard: Guard::Absent }).collect()
}

/// A task as the admin submits it.
pub(crate) fn task(plan: &TaskPlan, join: bool, now: Timestamp) -> Task {
    let endpoint = |chat: ChatId| Endpoint {
        address: PeerAddress::Username(username(chat)),
        peer: None,
        title: None,
        topic: None,
    };
    Task {
        id: TaskId::from(plan.id.as_str()),
        title: plan.id.clone(),
        description: None,
        owner: None,
        created_at: now,
        source: endpoint(plan.source),
        target: endpoint(plan.target),
        selection: plan.selection.clone(),
        style: plan.style,
        pace: plan.pace,
        batch_len: plan.batch_len,
        pause_after_batch: plan.pause_after_batch,
        group: None,
        join,
        bound_to: None,
        nonce: Nonce(plan.nonce),
        state: TaskState::Ready { since: now },
        last_id: None,
        checkpoint: Checkpoint::default(),
        seq: 1,
        lease: None,
        lease_epoch: 0,
        restored: None,
    }
}
