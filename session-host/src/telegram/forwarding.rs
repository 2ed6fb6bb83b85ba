//! `messages.forwardMessages`, and what an answer to it proves.

use std::collections::HashSet;

use grammers_tl_types::{enums, functions};
use transfer::ids::{MessageId, PeerId, PeerKind, RandomId};

use super::convert::input_peer;
use super::{CallError, Forward, Forwarded};

/// The call, exactly as the intent says.
pub(crate) fn request(forward: &Forward) -> functions::messages::ForwardMessages {
    functions::messages::ForwardMessages {
        silent: forward.style.silent,
        background: false,
        with_my_score: false,
        drop_author: forward.style.drop_author,
        drop_media_captions: forward.style.drop_captions,
        noforwards: false,
        allow_paid_floodskip: false,
        from_ephemeral: false,
        from_peer: input_peer(forward.source.id, forward.source.access_hash),
        id: forward.ids.iter().map(|id| id.0).collect(),
        random_id: forward.random_ids.iter().map(|id| id.0).collect(),
        to_peer: input_peer(forward.target.id, forward.target.access_hash),
        top_msg_id: forward.topic.map(|topic| topic.0),
        reply_to: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        video_timestamp: None,
        allow_paid_stars: None,
        suggested_post: None,
    }
}

/// Reads the answer. Only `updates` and `updatesCombined` are complete; anything else says nothing about the call.
pub(crate) fn answer(forward: &Forward, answer: enums::Updates) -> Result<Forwarded, CallError> {
    let updates = match answer {
        enums::Updates::Updates(updates) => updates.updates,
        enums::Updates::Combined(updates) => updates.updates,
        enums::Updates::TooLong
        | enums::Updates::UpdateShort(_)
        | enums::Updates::UpdateShortMessage(_)
        | enums::Updates::UpdateShortChatMessage(_)
        | enums::Updates::UpdateShortSentMessage(_) => {
            return Err(CallError::Uncertain("the answer is no complete Updates".to_owned()));
        }
    };
    let asked: HashSet<RandomId> = forward.random_ids.iter().copied().collect();
    let mut forwarded = Forwarded { new_ids: Vec::with_capacity(forward.ids.len()), pts: None };
    for update in &updates {
        if let Some((random_id, id)) = new_id(update).filter(|(random_id, _)| asked.contains(random_id)) {
            forwarded.new_ids.push((random_id, id));
        }
        forwarded.pts = forwarded.pts.max(pts_of(update, forward.target.id));
    }
    Ok(forwarded)
}

/// `updateMessageID`: what became of a random id.
pub(crate) fn new_id(update: &enums::Update) -> Option<(RandomId, MessageId)> {
    match update {
        enums::Update::MessageId(new) => Some((RandomId(new.random_id), MessageId(new.id))),
        _ => None,
    }
}

/// The pts that an update brings its peer (a channel) or the account (everything else).
fn pts_of(update: &enums::Update, target: PeerId) -> Option<i32> {
    match (update, target.kind()) {
        (enums::Update::NewChannelMessage(new), PeerKind::Channel(_)) => Some(new.pts),
        (enums::Update::NewMessage(new), PeerKind::User(_) | PeerKind::Group(_)) => Some(new.pts),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telegram::Peer;
    use grammers_tl_types::types;
    use transfer::task::Style;

    fn peer(id: PeerId) -> Peer {
        Peer {
            id,
            access_hash: 9,
            title: String::new(),
            readable: true,
            postable: None,
            protected: false,
            slow_mode_secs: None,
        }
    }

    fn forward() -> Forward {
        Forward {
            source: peer(PeerId::channel(1)),
            target: peer(PeerId::channel(2)),
            topic: Some(MessageId(5)),
            ids: vec![MessageId(3), MessageId(4)],
            random_ids: vec![RandomId(30), RandomId(40)],
            style: Style { drop_author: true, drop_captions: false, silent: true },
        }
    }

    fn complete(updates: Vec<enums::Update>) -> enums::Updates {
        types::Updates { updates, users: vec![], chats: vec![], date: 0, seq: 0 }.into()
    }

    #[test]
    fn ids_random_ids_and_flags_go_out_as_written() {
        let request = request(&forward());
        assert_eq!((request.id, request.random_id, request.top_msg_id), (vec![3, 4], vec![30, 40], Some(5)));
        assert!(request.drop_author && !request.drop_media_captions && request.silent && !request.background);
        assert_eq!(request.from_peer, types::InputPeerChannel { channel_id: 1, access_hash: 9 }.into());
    }

    #[test]
    fn an_answer_is_read_by_random_id_and_others_updates_are_left_alone() {
        let own = enums::Update::MessageId(types::UpdateMessageId { id: 77, random_id: 40 });
        let other = enums::Update::MessageId(types::UpdateMessageId { id: 78, random_id: 41 });
        let forwarded = answer(&forward(), complete(vec![other, own])).unwrap();
        assert_eq!(forwarded.new_ids, [(RandomId(40), MessageId(77))]);
    }

    #[test]
    fn an_incomplete_answer_is_uncertain() {
        assert!(matches!(answer(&forward(), enums::Updates::TooLong), Err(CallError::Uncertain(_))));
        let short = types::UpdateShort { update: types::UpdateMessageId { id: 77, random_id: 40 }.into(), date: 0 };
        assert!(matches!(answer(&forward(), short.into()), Err(CallError::Uncertain(_))));
    }
}
