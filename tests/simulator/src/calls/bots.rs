//! Bots as people meet them: pressed buttons, blocking, and keyboards under messages.

use super::{Answer, Call, Later, peers};
use crate::world::bots::callback::CallbackAnswer;
use crate::world::keyboard::{Keyboard, Press};
use crate::world::{About, MessageId, Peer, Rpc, RpcError, UserId, World};
use grammers_tl_types::{Serializable, enums, functions as f, types};

/// `messages.getBotCallbackAnswer`: answered when the bot has answered, or does not in time.
pub(super) fn get_callback_answer(call: &mut Call<'_>, r: &f::messages::GetBotCallbackAnswer) -> Answer {
    let about = About::of("messages.getBotCallbackAnswer").to(peers::named(call.actor.user, &r.peer));
    let mut later = None;
    let answer = call.run(about, |world, me, _| {
        let bot = bot(world, me.user, &r.peer)?;
        let data = r.data.as_deref().and_then(|data| std::str::from_utf8(data).ok());
        let data = data.ok_or_else(|| RpcError::bad("DATA_INVALID"))?;
        let query = world.press_button(me.user, bot, MessageId(r.msg_id), data)?;
        later = Some(Later { bot, query });
        Ok(Vec::new())
    });
    let later = later.filter(|_| answer.body.is_ok());
    Answer { later, ..answer }
}

/// What the bot said, as the answer of that call.
pub(crate) fn callback_answer(answer: &CallbackAnswer) -> Vec<u8> {
    let answer = types::messages::BotCallbackAnswer {
        alert: answer.alert,
        has_url: answer.url.is_some(),
        native_ui: true,
        message: answer.text.clone(),
        url: answer.url.clone(),
        cache_time: 0,
    };
    enums::messages::BotCallbackAnswer::Answer(answer).to_bytes()
}

/// `contacts.block`.
pub(super) fn block(call: &mut Call<'_>, r: &f::contacts::Block) -> Answer {
    set_blocked(call, "contacts.block", &r.id, true)
}

/// `contacts.unblock`.
pub(super) fn unblock(call: &mut Call<'_>, r: &f::contacts::Unblock) -> Answer {
    set_blocked(call, "contacts.unblock", &r.id, false)
}

/// Bots notice; people do not, here.
fn set_blocked(call: &mut Call<'_>, method: &'static str, id: &enums::InputPeer, on: bool) -> Answer {
    call.run(About::of(method), |world, me, _| {
        if let Peer::User(bot) = peers::chat(world, me.user, id)?.peer() {
            world.block_bot(bot, me.user, on);
        }
        Ok(true.to_bytes())
    })
}

fn bot(world: &World, me: UserId, peer: &enums::InputPeer) -> Rpc<UserId> {
    match peers::chat(world, me, peer)?.peer() {
        Peer::User(user) if world.bots.get(user).is_some() => Ok(user),
        Peer::User(_) | Peer::Group(_) | Peer::Channel(_) => Err(RpcError::bad("BOT_INVALID")),
    }
}

/// The buttons under a message.
pub(super) fn keyboard(keyboard: &Keyboard) -> enums::ReplyMarkup {
    let rows = keyboard.rows.iter().map(|row| {
        let buttons = row.iter().map(|button| {
            let r#type = match &button.press {
                Press::Callback(data) => {
                    types::InlineButtonTypeCallback { requires_password: false, data: data.clone().into_bytes() }.into()
                }
                Press::Url(url) => types::InlineButtonTypeUrl { url: url.clone() }.into(),
            };
            types::KeyboardInlineButton { style: None, text: button.text.clone(), r#type }.into()
        });
        types::KeyboardInlineButtonRow { buttons: buttons.collect() }.into()
    });
    types::ReplyInlineMarkup { force_reply: false, rows: rows.collect() }.into()
}
