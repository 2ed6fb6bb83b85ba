//! What happens in Telegram by itself: accounts lose their standing, people post, edit and delete, admins of chats set
//! slow mode.

use std::sync::{MutexGuard, PoisonError};

use simulator::world::chat::{Banned, Role};
use simulator::world::forward::ForwardRequest;
use simulator::world::revise::Revision;
use simulator::world::send::{Outgoing, SendOptions};
use simulator::world::user::AccountState;
use simulator::world::{Actor, ChatId, MessageId, Ticket, UserId, World};

use crate::fault::Fault;
use crate::hosts::Surroundings;
use crate::plan::{Moment, OWNER, Plan, STRANGER};
use crate::setting;

fn lock(around: &Surroundings) -> MutexGuard<'_, World> {
    around.world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets it happen; tells what did.
pub(crate) fn strike(plan: &Plan, around: &Surroundings, moment: Moment) -> Option<Fault> {
    match moment {
        Moment::SlowMode { target, secs } => {
            let chat = &plan.targets[target];
            if !chat.group {
                return None;
            }
            around.trace.line("telegram", || format!("slow mode of {} is {secs} s", chat.chat));
            lock(around).chats.get_mut(&chat.chat)?.slow_mode_secs = secs;
            Some(Fault::SlowMode)
        }
        Moment::Account { account, fault } => {
            let id = UserId(plan.accounts[account].id);
            around.trace.line("telegram", || format!("account {}: {fault}", id.0));
            account_falls(plan, &mut lock(around), id, fault);
            Some(fault)
        }
        Moment::PutOut { account, target } => {
            let (id, target) = (UserId(plan.accounts[account].id), &plan.targets[target]);
            let mut world = lock(around);
            let now = world.now();
            let chat = world.chats.get_mut(&target.chat).filter(|_| target.group)?;
            chat.put(id, Role::Left, now);
            drop(world);
            around.trace.line("telegram", || format!("account {} is put out of {}", id.0, target.chat));
            Some(Fault::PutOut)
        }
        Moment::Source { source, fault, choice, count } => {
            let chat = plan.sources[source].chat;
            let changed = source_changes(&mut lock(around), chat, fault, choice, count);
            if changed.is_empty() {
                return None;
            }
            around.trace.line("telegram", || format!("{fault} in {chat}: {changed:?}"));
            for id in changed {
                around.oracle.source_changed(chat, id);
            }
            Some(fault)
        }
        Moment::Target { target, fault, choice, count } => {
            let chat = plan.targets[target].chat;
            let what = target_changes(plan, &mut lock(around), chat, fault, choice, count)?;
            around.trace.line("telegram", || format!("{fault} in {chat}: {what}"));
            Some(fault)
        }
        _ => None,
    }
}

/// What the owner of the chats can put right: rights and slow mode. What Telegram took from an account stays taken.
pub(crate) fn put_right(plan: &Plan, around: &Surroundings) {
    let mut world = lock(around);
    let now = world.now();
    for target in &plan.targets {
        if let Some(chat) = world.chats.get_mut(&target.chat) {
            chat.slow_mode_secs = 0;
        }
        setting::restore_roles(&mut world, plan, target, now);
    }
}

/// An account that was signed out signs in again, with a new key. What Telegram thinks of it stays.
pub(crate) fn signs_in(around: &Surroundings, id: i64) {
    let mut world = lock(around);
    if let Some(user) = world.users.get_mut(&UserId(id))
        && matches!(user.state, AccountState::Revoked | AccountState::Unregistered | AccountState::KeyDuplicated)
    {
        user.state = AccountState::Active;
    }
}

fn account_falls(plan: &Plan, world: &mut World, id: UserId, fault: Fault) {
    let state = match fault {
        Fault::PeerFlood => AccountState::PeerFlood,
        Fault::Banned => AccountState::Banned,
        Fault::SignedOut => AccountState::Revoked,
        Fault::Frozen => AccountState::Frozen,
        _ => {
            let now = world.now();
            for target in &plan.targets {
                if let Some(chat) = world.chats.get_mut(&target.chat) {
                    chat.put(id, Role::Restricted(Banned { everything: true, ..Banned::default() }), now);
                }
            }
            return;
        }
    };
    if let Some(user) = world.users.get_mut(&id) {
        user.state = state;
    }
}

/// Up to `count` messages from a drawn place on.
fn some(world: &World, chat: ChatId, choice: u64, count: u64) -> Vec<MessageId> {
    let Some(chat) = world.chat(chat) else { return Vec::new() };
    let all: Vec<MessageId> = chat.history.all().filter(|message| !message.deleted).map(|message| message.id).collect();
    let first = usize::try_from(choice % (all.len().max(1) as u64)).unwrap_or(0);
    all.into_iter().skip(first).take(usize::try_from(count).unwrap_or(1)).collect()
}

fn source_changes(world: &mut World, chat: ChatId, fault: Fault, choice: u64, count: u64) -> Vec<MessageId> {
    let owner = Actor::of(UserId(OWNER));
    let ids = some(world, chat, choice, count);
    if fault == Fault::SourceDeleted {
        return world.delete_in_channel(&owner, chat, &ids).map_or_else(|_| Vec::new(), |_| ids);
    }
    let revision = Revision { text: Some((format!("edited {choice}"), Vec::new())), media: None };
    ids.into_iter().filter(|id| world.edit(&owner, chat, *id, &revision).is_ok()).collect()
}

fn target_changes(
    plan: &Plan,
    world: &mut World,
    chat: ChatId,
    fault: Fault,
    choice: u64,
    count: u64,
) -> Option<String> {
    if fault == Fault::TargetDeleted {
        let ids = some(world, chat, choice, count);
        let deleted = world.delete_in_channel(&Actor::of(UserId(OWNER)), chat, &ids).ok()?;
        return (deleted.1 > 0).then(|| format!("{ids:?}"));
    }
    let stranger = Actor::of(UserId(STRANGER));
    let random_id = |number: u64| i64::try_from((choice << 8 | number) >> 1).unwrap_or(0) | 1;
    // The worst stranger forwards from the very source.
    if choice.is_multiple_of(3) {
        let source = plan.sources.first()?.chat;
        let ids = some(world, source, choice >> 3, count);
        let random_ids = (0..ids.len() as u64).map(random_id).collect();
        let request = ForwardRequest::new(source, chat, ids.clone(), random_ids);
        let made = world.forward(&stranger, &request, &mut Ticket::default()).ok()?;
        return Some(format!("a stranger forwards {} of the source's messages", made.events.len()));
    }
    for number in 0..count {
        let post = Outgoing { random_id: random_id(number), text: "again".into(), ..Outgoing::default() };
        world.send(&stranger, chat, vec![post], SendOptions::default(), &mut Ticket::default()).ok()?;
    }
    Some(format!("a stranger posts {count} times"))
}
