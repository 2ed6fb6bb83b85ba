use super::*;
use crate::world::call::Ticket;
use crate::world::history::Window;
use crate::world::message::Reply;
use crate::world::send::{Outgoing, SendOptions};

fn say(world: &mut World, who: &Actor, to: ChatId, text: &str, random_id: i64) -> MessageId {
    let message = Outgoing { random_id, text: text.into(), ..Outgoing::default() };
    world.send(who, to, vec![message], SendOptions::default(), &mut Ticket::default()).unwrap().ids[0].1
}

#[test]
fn ids_are_per_account_in_private_chats_and_groups() {
    let mut world = world(&[]);
    world.add_user(User::new(UserId(3), "+33", "Cay"));
    assert_eq!(say(&mut world, &BEN, ChatId(3), "between us", 1), MessageId(1));
    assert_eq!(say(&mut world, &ADA, GROUP, "to all", 2), MessageId(1), "Ada's first");
    let seen_by_ben = world.mailbox_message(UserId(2), MessageId(2)).unwrap();
    assert_eq!((seen_by_ben.text.as_str().as_ref(), seen_by_ben.chat), ("to all", GROUP));
    assert_eq!(world.mailbox_message(UserId(3), MessageId(1)).unwrap().chat, ChatId(2), "Cay sees Ben's chat");
    let window = Window { limit: 10, ..Window::default() };
    assert_eq!(world.history(UserId(2), GROUP, window).unwrap().ids, vec![MessageId(2)]);
    assert_eq!(world.history(UserId(3), GROUP, window).unwrap_err().message, "CHAT_ID_INVALID");
}

#[test]
fn replies_point_to_each_readers_own_copy() {
    let mut world = world(&[]);
    world.add_user(User::new(UserId(3), "+33", "Cay"));
    say(&mut world, &BEN, ChatId(3), "shifts Ben's ids", 1);
    let asked = say(&mut world, &ADA, GROUP, "a question", 2);
    let options = SendOptions { reply: Some(Reply { to: Some(asked), topic: None }), ..SendOptions::default() };
    let answer = Outgoing { random_id: 3, text: "an answer".into(), ..Outgoing::default() };
    world.send(&ADA, GROUP, vec![answer], options, &mut Ticket::default()).unwrap();
    let reply = |user, id| world.mailbox_message(user, MessageId(id)).unwrap().reply().unwrap().to;
    assert_eq!(reply(UserId(1), 2), Some(MessageId(1)));
    assert_eq!(reply(UserId(2), 3), Some(MessageId(2)));
}

#[test]
fn deleting_for_oneself_leaves_the_other_copy() {
    let mut world = world(&[]);
    let mine = say(&mut world, &ADA, ChatId(2), "one", 1);
    world.delete_in_mailbox(&ADA, &[mine], false);
    assert!(world.mailbox_message(UserId(1), mine).is_none());
    assert!(world.mailbox_message(UserId(2), MessageId(1)).is_some());
    let second = say(&mut world, &ADA, ChatId(2), "two", 2);
    world.delete_in_mailbox(&ADA, &[second], true);
    assert!(world.mailbox_message(UserId(2), MessageId(2)).is_none());
}

#[test]
fn dialogs_are_newest_first() {
    let mut world = world(&texts(1));
    world.clock.advance(std::time::Duration::from_secs(60));
    say(&mut world, &ADA, ChatId(2), "hello", 1);
    let dialogs: Vec<ChatId> = world.dialogs(UserId(1)).iter().map(|dialog| dialog.chat).collect();
    assert_eq!(dialogs, vec![ChatId(2), SOURCE, TARGET, GROUP]);
}
