//! The TL front: one decoded request in, one serialized answer out. Thin translations over `world`; no rule lives here.
//!
//! What must stay true: [`handle`] never panics, whatever the bytes; an unknown call is refused and noted in the audit.

pub mod auth;
pub(crate) mod bots;
mod channels;
mod contacts;
mod dialogs;
mod forward;
mod help;
mod history;
mod layers;
mod media;
mod messages;
mod peers;
mod revise;
mod send;
mod topics;
mod updates;
mod views;

use crate::world::{
    About, Actor, AuthKeyId, Push, ReplyShape, Rpc, RpcError, SessionId, Ticket, UserId, WireCommand, WireFault, World,
};
use grammers_tl_types::{Cursor, Deserializable, Identifiable, Serializable, functions as f, name_for_id};

pub use layers::unwrap;

/// Who calls, as the session layer knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    pub auth_key: AuthKeyId,
    pub session: SessionId,
    pub dc: i32,
    /// The layer that `unwrap` found, or the one remembered for this key.
    pub layer: i32,
    pub user: Option<UserId>,
    pub connection: u64,
}

/// What to send back, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub body: Result<Vec<u8>, RpcError>,
    pub wire: WireFault,
    /// The audit entry to close with `World::audit_end` when the reply was written or the connection died.
    pub audit: Option<u64>,
    /// The body follows when a bot has answered.
    pub later: Option<Later>,
}

/// A pressed button whose answer is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Later {
    pub bot: UserId,
    pub query: i64,
}

impl Answer {
    /// An answer that the wire leaves alone.
    #[must_use]
    pub fn plain(body: Result<Vec<u8>, RpcError>) -> Answer {
        Answer { body, wire: WireFault::None, audit: None, later: None }
    }
}

/// What the wrappers around a request said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wrapped {
    /// `invokeWithLayer`: to be remembered for the key.
    pub layer: Option<i32>,
    /// `initConnection`: device and application.
    pub client: Option<String>,
    /// `invokeWithoutUpdates`: this session wants none.
    pub without_updates: bool,
    /// Where the request itself starts in the body.
    pub start: usize,
}

/// A call on its way through: who makes it, and in which world.
struct Call<'a> {
    world: &'a mut World,
    actor: Actor,
}

/// Answers one request (`body` may still carry its wrappers). Never panics, whatever the bytes.
pub fn handle(world: &mut World, caller: &Caller, body: &[u8]) -> Answer {
    let wrapped = match unwrap(body) {
        Ok(wrapped) => wrapped,
        Err(error) => return Answer::plain(Err(error)),
    };
    let request = body.get(wrapped.start..).unwrap_or_default();
    let Some((id, arguments)) = request.split_first_chunk::<4>() else {
        return Answer::plain(Err(RpcError::bad("INPUT_METHOD_INVALID")));
    };
    let id = u32::from_le_bytes(*id);
    let mut answer = dispatch(world, caller, id, arguments);
    if let Ok(body) = answer.body.as_mut() {
        layers::downgrade(body, wrapped.layer.unwrap_or(caller.layer));
    }
    answer
}

fn dispatch(world: &mut World, caller: &Caller, id: u32, arguments: &[u8]) -> Answer {
    if let Some(answer) = auth::handle(world, caller, id, arguments) {
        return noted(world, caller, id, answer);
    }
    if let Some(body) = help::without_login(world, caller, id) {
        return noted(world, caller, id, Answer::plain(Ok(body)));
    }
    let Some(user) = caller.user else {
        return noted(world, caller, id, Answer::plain(Err(RpcError::unregistered())));
    };
    let actor = Actor { user, auth_key: caller.auth_key, session: caller.session };
    let mut call = Call { world, actor };
    let answer = about_messages(&mut call, id, arguments).or_else(|| about_chats(&mut call, id, arguments));
    let answer = answer.unwrap_or_else(|| {
        tracing::debug!(method = name_for_id(id), id, "a call that is not simulated");
        call.run(About::of(name_for_id(id)), |_, _, _| Err(RpcError::bad("METHOD_INVALID")))
    });
    noted(world, caller, id, answer)
}

/// The answer to a call that did not go through [`Call::run`], noted in the audit too.
fn noted(world: &mut World, caller: &Caller, id: u32, answer: Answer) -> Answer {
    if answer.audit.is_some() {
        return answer;
    }
    let seq = world.open_audit(caller.user, caller.auth_key, caller.session, About::of(name_for_id(id)));
    world.audit_outcome(seq, &answer.body);
    Answer { audit: Some(seq), ..answer }
}

/// Calls about messages.
fn about_messages(call: &mut Call<'_>, id: u32, arguments: &[u8]) -> Option<Answer> {
    Some(match id {
        f::messages::GetHistory::CONSTRUCTOR_ID => call.with(arguments, history::get_history),
        f::messages::Search::CONSTRUCTOR_ID => call.with(arguments, history::search),
        f::messages::GetSearchCounters::CONSTRUCTOR_ID => call.with(arguments, history::search_counters),
        f::messages::GetReplies::CONSTRUCTOR_ID => call.with(arguments, history::get_replies),
        f::messages::GetMessages::CONSTRUCTOR_ID => call.with(arguments, messages::get_messages),
        f::channels::GetMessages::CONSTRUCTOR_ID => call.with(arguments, messages::get_channel_messages),
        f::messages::ForwardMessages::CONSTRUCTOR_ID => call.with(arguments, forward::forward_messages),
        f::messages::SendMessage::CONSTRUCTOR_ID => call.with(arguments, send::send_message),
        f::messages::SendMedia::CONSTRUCTOR_ID => call.with(arguments, send::send_media),
        f::messages::SendMultiMedia::CONSTRUCTOR_ID => call.with(arguments, send::send_multi_media),
        f::messages::EditMessage::CONSTRUCTOR_ID => call.with(arguments, revise::edit_message),
        f::messages::DeleteMessages::CONSTRUCTOR_ID => call.with(arguments, revise::delete_messages),
        f::channels::DeleteMessages::CONSTRUCTOR_ID => call.with(arguments, revise::delete_channel_messages),
        f::messages::ReadHistory::CONSTRUCTOR_ID => call.with(arguments, messages::read_history),
        f::channels::ReadHistory::CONSTRUCTOR_ID => call.with(arguments, messages::read_channel_history),
        f::updates::GetState::CONSTRUCTOR_ID => call.with(arguments, updates::get_state),
        f::updates::GetDifference::CONSTRUCTOR_ID => call.with(arguments, updates::get_difference),
        f::updates::GetChannelDifference::CONSTRUCTOR_ID => call.with(arguments, updates::get_channel_difference),
        f::messages::GetBotCallbackAnswer::CONSTRUCTOR_ID => call.with(arguments, bots::get_callback_answer),
        f::messages::GetForumTopics::CONSTRUCTOR_ID => call.with(arguments, topics::get_topics),
        f::messages::GetForumTopicsById::CONSTRUCTOR_ID => call.with(arguments, topics::get_topics_by_id),
        _ => return None,
    })
}

/// Calls about people and chats.
fn about_chats(call: &mut Call<'_>, id: u32, arguments: &[u8]) -> Option<Answer> {
    Some(match id {
        f::users::GetUsers::CONSTRUCTOR_ID => call.with(arguments, contacts::get_users),
        f::users::GetFullUser::CONSTRUCTOR_ID => call.with(arguments, contacts::get_full_user),
        f::contacts::ResolveUsername::CONSTRUCTOR_ID => call.with(arguments, contacts::resolve_username),
        f::contacts::ResolvePhone::CONSTRUCTOR_ID => call.with(arguments, contacts::resolve_phone),
        f::contacts::Block::CONSTRUCTOR_ID => call.with(arguments, bots::block),
        f::contacts::Unblock::CONSTRUCTOR_ID => call.with(arguments, bots::unblock),
        f::contacts::GetContacts::CONSTRUCTOR_ID => call.with(arguments, contacts::get_contacts),
        f::messages::CheckChatInvite::CONSTRUCTOR_ID => call.with(arguments, contacts::check_invite),
        f::messages::ImportChatInvite::CONSTRUCTOR_ID => call.with(arguments, contacts::import_invite),
        f::messages::GetDialogs::CONSTRUCTOR_ID => call.with(arguments, dialogs::get_dialogs),
        f::messages::GetPeerDialogs::CONSTRUCTOR_ID => call.with(arguments, dialogs::get_peer_dialogs),
        f::messages::GetPinnedDialogs::CONSTRUCTOR_ID => call.with(arguments, dialogs::get_pinned_dialogs),
        f::channels::GetChannels::CONSTRUCTOR_ID => call.with(arguments, channels::get_channels),
        f::channels::GetFullChannel::CONSTRUCTOR_ID => call.with(arguments, channels::get_full_channel),
        f::channels::GetParticipant::CONSTRUCTOR_ID => call.with(arguments, channels::get_participant),
        f::channels::JoinChannel::CONSTRUCTOR_ID => call.with(arguments, channels::join_channel),
        f::channels::LeaveChannel::CONSTRUCTOR_ID => call.with(arguments, channels::leave_channel),
        f::messages::GetFullChat::CONSTRUCTOR_ID => call.with(arguments, channels::get_full_chat),
        f::messages::GetChats::CONSTRUCTOR_ID => call.with(arguments, channels::get_chats),
        f::account::UpdateStatus::CONSTRUCTOR_ID => call.with(arguments, help::update_status),
        f::help::GetAppConfig::CONSTRUCTOR_ID => call.with(arguments, help::get_app_config),
        f::help::GetTermsOfServiceUpdate::CONSTRUCTOR_ID => call.with(arguments, help::get_terms_update),
        _ => return None,
    })
}

impl Call<'_> {
    /// Decodes the arguments and answers.
    fn with<T: Deserializable>(
        &mut self,
        arguments: &[u8],
        answer: impl FnOnce(&mut Call<'_>, &T) -> Answer,
    ) -> Answer {
        match T::deserialize(&mut Cursor::from_slice(arguments)) {
            Ok(request) => answer(self, &request),
            Err(_) => Answer::plain(Err(RpcError::bad("INPUT_REQUEST_INVALID"))),
        }
    }

    /// Runs the call in the world, with all that surrounds it.
    fn run(&mut self, about: About, act: impl FnOnce(&mut World, &Actor, &mut Ticket) -> Rpc<Vec<u8>>) -> Answer {
        let actor = self.actor;
        let done = self.world.call(&actor, about, |world, ticket| act(world, &actor, ticket));
        let body = match (done.result, done.shape) {
            (Ok(_), ReplyShape::UnknownConstructor) => Ok(updates::undecodable(self.world.now())),
            (Ok(_), ReplyShape::OtherUpdates) => Ok(grammers_tl_types::enums::Updates::TooLong.to_bytes()),
            (result, _) => result,
        };
        Answer { body, wire: done.wire, audit: Some(done.audit), later: None }
    }
}

/// The updates queued since the last call.
pub fn take_pushes(world: &mut World) -> Vec<Push> {
    world.take_pushes()
}

/// What faults and rules ask of the wire since the last call.
pub fn take_wire_commands(world: &mut World) -> Vec<WireCommand> {
    world.take_wire_commands()
}

/// A complete serialized `Updates` for the sessions of `push.to`.
#[must_use]
pub fn encode_push(world: &World, push: &Push, layer: i32) -> Vec<u8> {
    let mut body = updates::pushed(world, push);
    layers::downgrade(&mut body, layer);
    body
}

#[cfg(test)]
mod tests;
