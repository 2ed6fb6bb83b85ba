//! A person meets a bot through MTProto: writes to it, presses its buttons, sees its edits, blocks it.

use crate::client::{Running, refusal, run};
use crate::{ALICE, world};
use grammers_client::tl::{enums, functions as f, types};
use simulator::server::{Config, Simulator};
use simulator::world::bots::callback::CallbackAnswer;
use simulator::world::bots::speak::{BotEdit, BotMessage};
use simulator::world::bots::updates::Happening;
use simulator::world::keyboard::{Button, Keyboard, Press};
use simulator::world::{ChatId, MessageId, UserId};

const BOT: UserId = UserId(7_900_000_001);

async fn start() -> (Simulator, Running, enums::InputPeer) {
    let mut world = world();
    world.add_bot(BOT, "ferry_bot", "Ferry", "7900000001:secret");
    let simulator = Simulator::start(Config::new(world)).await.unwrap();
    let key = simulator.mint_session(ALICE).unwrap();
    let alice = run(&simulator, 2, key);
    let resolve = f::contacts::ResolveUsername { username: "ferry_bot".into(), referer: None };
    let enums::contacts::ResolvedPeer::Peer(found) = alice.client.invoke(&resolve).await.unwrap();
    let enums::User::User(bot) = &found.users[0] else { panic!("no bot") };
    assert!(bot.bot);
    let peer = types::InputPeerUser { user_id: bot.id, access_hash: bot.access_hash.unwrap() };
    (simulator, alice, peer.into())
}

fn send(peer: &enums::InputPeer, text: &str, random_id: i64) -> f::messages::SendMessage {
    f::messages::SendMessage {
        no_webpage: false,
        silent: false,
        background: false,
        clear_draft: false,
        noforwards: false,
        update_stickersets_order: false,
        invert_media: false,
        allow_paid_floodskip: false,
        peer: peer.clone(),
        reply_to: None,
        message: text.into(),
        random_id,
        reply_markup: None,
        entities: None,
        schedule_date: None,
        schedule_repeat_period: None,
        send_as: None,
        quick_reply_shortcut: None,
        effect: None,
        allow_paid_stars: None,
        suggested_post: None,
        rich_message: None,
    }
}

fn press(peer: &enums::InputPeer, msg_id: i32) -> f::messages::GetBotCallbackAnswer {
    let data = Some(b"yes".to_vec());
    f::messages::GetBotCallbackAnswer { game: false, peer: peer.clone(), msg_id, data, password: None }
}

async fn newest(alice: &Running, peer: &enums::InputPeer) -> types::Message {
    let history = f::messages::GetHistory {
        peer: peer.clone(),
        offset_id: 0,
        offset_date: 0,
        add_offset: 0,
        limit: 1,
        max_id: 0,
        min_id: 0,
        hash: 0,
    };
    let messages = match alice.client.invoke(&history).await.unwrap() {
        enums::messages::Messages::Messages(it) => it.messages,
        enums::messages::Messages::Slice(it) => it.messages,
        other => panic!("{other:?}"),
    };
    let enums::Message::Message(message) = messages.into_iter().next().unwrap() else { panic!("no message") };
    message
}

#[tokio::test]
async fn a_person_writes_presses_and_sees_what_the_bot_does() {
    let (simulator, alice, peer) = start().await;
    alice.client.invoke(&send(&peer, "/start", 1)).await.unwrap();
    let button = Button { text: "Yes".into(), press: Press::Callback("yes".into()) };
    let keyboard = Some(Keyboard { rows: vec![vec![button]] });
    let question = BotMessage { text: "sure?".into(), keyboard, ..BotMessage::default() };
    let chat = ChatId::user(ALICE);
    let sent = simulator.with_world(|world| world.bot_send(BOT, chat, question).unwrap());
    let seen = newest(&alice, &peer).await;
    let Some(enums::ReplyMarkup::ReplyInlineMarkup(markup)) = &seen.reply_markup else { panic!("no keyboard") };
    let enums::KeyboardInlineButtonRow::Row(row) = &markup.rows[0];
    let enums::KeyboardInlineButton::Button(button) = &row.buttons[0];
    assert_eq!(button.text, "Yes");
    let call = press(&peer, seen.id);
    let bot = async {
        let mut news = simulator.shared().news();
        loop {
            news.mark_unchanged();
            let done = simulator.with_world(|world| {
                let query = world.take_updates(BOT, 0, 9).into_iter().find_map(|update| match update.happening {
                    Happening::Callback { id, data, .. } if data == "yes" => Some(id),
                    _ => None,
                })?;
                let edit = BotEdit { text: Some(("thanks".into(), vec![])), ..BotEdit::default() };
                world.bot_edit(BOT, chat, sent, &edit).unwrap();
                let answer = CallbackAnswer { text: Some("noted".into()), alert: true, url: None };
                world.answer_callback(BOT, query, answer).unwrap();
                Some(query)
            });
            if done.is_some() {
                return;
            }
            news.changed().await.unwrap();
        }
    };
    let (answer, ()) = tokio::join!(alice.client.invoke(&call), bot);
    let enums::messages::BotCallbackAnswer::Answer(answer) = answer.unwrap();
    assert_eq!((answer.message.as_deref(), answer.alert), (Some("noted"), true));
    let seen = newest(&alice, &peer).await;
    assert_eq!((seen.message.as_str(), seen.reply_markup.is_none(), seen.edit_date.is_some()), ("thanks", true, true));
    assert_eq!(refusal(alice.client.invoke(&press(&peer, 1)).await), "400 MESSAGE_ID_INVALID");
}

#[tokio::test]
async fn a_blocked_bot_cannot_write_until_it_is_written_to() {
    let (simulator, alice, peer) = start().await;
    alice.client.invoke(&send(&peer, "/start", 1)).await.unwrap();
    alice.client.invoke(&f::contacts::Block { my_stories_from: false, id: peer.clone() }).await.unwrap();
    let text = |text: &str| BotMessage { text: text.into(), ..BotMessage::default() };
    let say = |words: &str| simulator.with_world(|world| world.bot_send(BOT, ChatId::user(ALICE), text(words)));
    assert_eq!(say("x").unwrap_err().message, "bot was blocked by the user");
    alice.client.invoke(&send(&peer, "again", 2)).await.unwrap();
    assert_eq!(say("y").unwrap(), MessageId(3));
}
