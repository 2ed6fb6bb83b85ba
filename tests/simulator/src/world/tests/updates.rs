use super::*;
use crate::world::revise::Revision;
use crate::world::updates::{Difference, WorldUpdate};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Act {
    Send,
    Edit(usize),
    Delete(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![3 => Just(Act::Send), 1 => (0..40_usize).prop_map(Act::Edit), 1 => (0..40_usize).prop_map(Act::Delete)];
    proptest::collection::vec(act, 1..60)
}

/// A client's copy of a channel or mailbox, kept by updates alone.
#[derive(Debug, Default)]
struct Client {
    pts: i32,
    texts: BTreeMap<MessageId, String>,
}

impl Client {
    fn look(&mut self, world: &World, me: UserId, chat: ChatId, difference: &Difference) {
        assert!(difference.pts >= self.pts);
        for event in &difference.new {
            let text = world.message(me, chat, event.id).unwrap().text.as_str().into_owned();
            assert!(self.texts.insert(event.id, text).is_none(), "{:?} came twice", event.id);
        }
        for other in &difference.others {
            match other {
                WorldUpdate::Edited { id, .. } => {
                    self.texts.insert(*id, world.message(me, chat, *id).unwrap().text.as_str().into_owned());
                }
                WorldUpdate::Deleted { ids, .. } => ids.iter().for_each(|id| {
                    self.texts.remove(id);
                }),
                _ => {}
            }
        }
        self.pts = difference.pts;
    }
}

fn act(world: &mut World, chat: ChatId, act: &Act, n: usize, sent: &mut Vec<MessageId>) {
    match act {
        Act::Send => {
            sent.extend(world.post(&ADA, chat, &[Draft::text(&format!("new {n}"))]).iter().map(|event| event.id));
        }
        Act::Edit(at) => {
            if let Some(id) = sent.get(*at) {
                let revision = Revision { text: Some((format!("edit {n}"), vec![])), media: None };
                // It may be deleted already.
                world.edit(&ADA, chat, *id, &revision).ok();
            }
        }
        Act::Delete(at) => {
            if let Some(id) = sent.get(*at) {
                if chat.is_channel() {
                    world.delete_in_channel(&ADA, chat, &[*id]).unwrap();
                } else {
                    world.delete_in_mailbox(&ADA, &[*id], true);
                }
            }
        }
    }
}

fn truth(world: &World, me: UserId, chat: ChatId) -> BTreeMap<MessageId, String> {
    let ids: Vec<_> = world.visible_ids(me, chat, MessageId(i32::MAX)).collect();
    ids.into_iter().map(|id| (id, world.message(me, chat, id).unwrap().text.as_str().into_owned())).collect()
}

proptest! {
    #[test]
    fn a_channel_client_that_asks_for_differences_misses_nothing(acts in acts(), every in 1..9_usize, limit in 1..9_usize) {
        let mut world = world(&[]);
        let (mut client, mut sent) = (Client { pts: 1, ..Client::default() }, vec![]);
        for (n, it) in acts.iter().enumerate() {
            act(&mut world, TARGET, it, n, &mut sent);
            if n % every == 0 {
                let difference = world.channel_difference(UserId(2), TARGET, client.pts, limit).unwrap();
                client.look(&world, UserId(2), TARGET, &difference);
            }
        }
        for _ in 0..200 {
            let difference = world.channel_difference(UserId(2), TARGET, client.pts, limit).unwrap();
            let last = difference.last;
            client.look(&world, UserId(2), TARGET, &difference);
            if last { break }
        }
        prop_assert_eq!(client.texts, truth(&world, UserId(2), TARGET));
        prop_assert_eq!(client.pts, world.chat(TARGET).unwrap().pts);
    }

    #[test]
    fn the_other_side_of_a_private_chat_misses_nothing(acts in acts(), every in 1..9_usize) {
        let mut world = world(&[]);
        let (mut client, mut sent) = (Client::default(), vec![]);
        for (n, it) in acts.iter().enumerate() {
            act(&mut world, ChatId(2), it, n, &mut sent);
            if n % every == 0 {
                let difference = world.difference(UserId(2), client.pts);
                client.look(&world, UserId(2), ChatId(1), &difference);
            }
        }
        let difference = world.difference(UserId(2), client.pts);
        client.look(&world, UserId(2), ChatId(1), &difference);
        prop_assert_eq!(client.texts, truth(&world, UserId(2), ChatId(1)));
    }
}

#[test]
fn members_are_told_with_pts_in_a_row_and_the_caller_is_left_out() {
    let mut world = world(&texts(3));
    world.call_forward(&BEN, &request(&[1, 2, 3])).result.unwrap();
    let pushes = world.take_pushes();
    let told: Vec<UserId> = pushes.iter().map(|push| push.to).collect();
    assert_eq!(told, vec![UserId(1), UserId(2)]);
    assert_eq!(pushes[1].except, Some((BEN.auth_key, BEN.session)), "not the session that called");
    let WorldUpdate::New { events, .. } = pushes[0].update.as_ref() else { panic!("{pushes:?}") };
    assert_eq!(events.iter().map(|event| event.pts).collect::<Vec<_>>(), vec![2, 3, 4]);
}

#[test]
fn a_difference_tells_random_ids_to_their_author_alone() {
    let mut world = world(&texts(2));
    world.call_forward(&BEN, &request(&[1, 2])).result.unwrap();
    let own = |user| world.channel_difference(user, TARGET, 1, 100).unwrap().own;
    assert_eq!(own(UserId(2)), vec![(MessageId(1), 1_001), (MessageId(2), 1_002)]);
    assert_eq!(own(UserId(1)), vec![]);
    assert_eq!(
        world.channel_difference(UserId(2), TARGET, 99, 100).unwrap_err().message,
        "PERSISTENT_TIMESTAMP_INVALID"
    );
}
