//! The calls of the port, as the process makes them: sent, waited for, heard.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use session_host::telegram::{CallError, Connection, Difference, Forward, Forwarded, Joined, Newest, Peer};
use simulator::world::forward::ForwardRequest;
use simulator::world::updates::Difference as Part;
use simulator::world::{self, Actor, ChatId, Done, World, WorldUpdate};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use transfer::address::PeerAddress;
use transfer::ids::{MessageId, PeerId, RandomId};
use transfer::message::Message;

use super::flight::{self, Access, Reply};
use super::line::Line;
use super::{convert, strike};

/// The real edge reads no longer difference either.
const DIFFERENCE_PAGES_MAX: u32 = 50;

/// A process's end of a line.
pub(super) struct InProcessConnection(Arc<Line>);

impl InProcessConnection {
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self(line)
    }

    pub(super) fn line(&self) -> &Arc<Line> {
        &self.0
    }

    /// A call that changes nothing.
    async fn read<T: Send + 'static>(
        &self,
        method: &'static str,
        access: Access,
        act: impl FnOnce(&mut World, &Actor) -> Done<T> + Send + 'static,
    ) -> Result<T, CallError> {
        self.call(method, |line, reply| flight::read(line, method, access, act, reply)).await
    }

    /// Sends something and waits for the answer as the real edge does.
    async fn call<T: Send + 'static, F: Future<Output = ()> + Send + 'static>(
        &self,
        method: &'static str,
        flight: impl FnOnce(Arc<Line>, oneshot::Sender<Reply<T>>) -> F,
    ) -> Result<T, CallError> {
        let line = &self.0;
        if let Some(why) = line.refuses() {
            line.front.process.awake().await;
            return Err(CallError::Uncertain(why.into()));
        }
        let deadline = Instant::now() + strike::patience(line.front.patience, method);
        let (reply, mut answered) = oneshot::channel();
        line.send(flight(Arc::clone(line), reply));
        let heard = tokio::select! {
            biased;
            reply = answer(&mut answered) => Ok(reply),
            () = line.lost_here() => Err("the connection was lost"),
            () = sleep_until(deadline) => Err("no answer in time"),
        };
        line.front.process.awake().await;
        let heard = heard.or_else(|why| self.look_once_more(&mut answered, why));
        match heard {
            Ok((result, usable, audit)) => {
                if let Some(audit) = audit {
                    line.front.witness.heard(&line.front.process, audit);
                }
                if !usable {
                    return Err(CallError::Uncertain("the reply cannot be used".into()));
                }
                result.map_err(|error| convert::refused(&error))
            }
            Err(why) => {
                // The call may still be unsent or under way: nothing else may go out behind it.
                line.goes_down();
                Err(CallError::Uncertain(why.into()))
            }
        }
    }

    /// A process that stood still finds the answer and the end of its patience together: which it sees first nobody knows.
    fn look_once_more<T>(
        &self,
        answered: &mut oneshot::Receiver<Reply<T>>,
        why: &'static str,
    ) -> Result<Heard<T>, &'static str> {
        match answered.try_recv() {
            Ok(Reply::Answer { result, usable, audit }) if self.0.front.faults.between(0, 1) == 0 => {
                Ok((result, usable, audit))
            }
            _ => Err(why),
        }
    }

    /// Adds what only `getFullChannel` tells, and only where there is something to tell.
    async fn completed(&self, peer: Peer) -> Result<Peer, CallError> {
        if peer.slow_mode_secs.is_some() {
            let chat = ChatId(peer.id.0);
            self.read("channels.getFullChannel", access(&peer), move |world, actor| world.call_full(actor, chat))
                .await?;
        }
        Ok(peer)
    }
}

type Heard<T> = (Result<T, world::RpcError>, bool, Option<u64>);

/// The answer; never, if there is none.
async fn answer<T>(answered: &mut oneshot::Receiver<Reply<T>>) -> Heard<T> {
    match answered.await {
        Ok(Reply::Answer { result, usable, audit }) => (result, usable, audit),
        Ok(Reply::Silence) | Err(_) => std::future::pending().await,
    }
}

fn access(peer: &Peer) -> Access {
    vec![(ChatId(peer.id.0), peer.access_hash)]
}

#[async_trait]
impl Connection for InProcessConnection {
    async fn resolve(&self, address: &PeerAddress) -> Result<Peer, CallError> {
        let peer = match address {
            PeerAddress::Username(name) => {
                let name = name.clone();
                self.read("contacts.resolveUsername", Vec::new(), move |world, actor| {
                    let done = world.call_resolve(actor, &name);
                    done.map(|id| convert::peer(world, actor.user, id))
                })
                .await?
            }
            PeerAddress::Invite(hash) => {
                let hash = hash.clone();
                self.read("messages.checkChatInvite", Vec::new(), move |world, actor| {
                    let done = world.call_invite(actor, &hash);
                    done.map(|id| convert::peer(world, actor.user, id))
                })
                .await?
            }
            PeerAddress::Id(id) => {
                let chat = ChatId(id.0);
                let access_hash = self
                    .read("messages.getDialogs", Vec::new(), move |world, actor| {
                        let done = world.call_dialogs(actor);
                        done.map(|chats| chats.contains(&chat).then(|| world.access_hash(actor.user, chat)))
                    })
                    .await?;
                let unknown = || convert::refused(&world::RpcError::bad("PEER_ID_INVALID"));
                return self.look(*id, access_hash.ok_or_else(unknown)?).await;
            }
        };
        Ok(peer)
    }

    async fn look(&self, id: PeerId, access_hash: i64) -> Result<Peer, CallError> {
        let chat = ChatId(id.0);
        let peer = self
            .read("channels.getChannels", Vec::new(), move |world, actor| {
                let done = world.call_look(actor, chat, access_hash);
                done.map(|id| convert::peer(world, actor.user, id))
            })
            .await?;
        self.completed(peer).await
    }

    async fn history(&self, peer: &Peer, after: MessageId, limit: u32) -> Result<Vec<Message>, CallError> {
        let (chat, above) = (ChatId(peer.id.0), world::MessageId(after.0));
        let limit = i32::try_from(limit.clamp(1, 100)).unwrap_or(100);
        self.read("messages.getHistory", access(peer), move |world, actor| {
            let done = world.call_history_up(actor, chat, above, limit);
            done.map(|page| page.iter().map(|found| convert::message(world, found)).collect())
        })
        .await
    }

    async fn newest(&self, peer: &Peer, before: Option<Timestamp>) -> Result<Newest, CallError> {
        let chat = ChatId(peer.id.0);
        let offset_date = before.map_or(0, |date| i32::try_from(date.as_second()).unwrap_or(i32::MAX));
        let found = self
            .read("messages.getHistory", access(peer), move |world, actor| world.call_newest(actor, chat, offset_date))
            .await?;
        let pts = match found.pts {
            Some(pts) => pts,
            None => self.read("updates.getState", Vec::new(), |world, actor| world.call_state(actor)).await?.pts,
        };
        let message = found.message.as_ref().map(|found| convert::message(&self.0.front.world(), found));
        Ok(Newest { message, count: found.total as u64, pts })
    }

    async fn messages(&self, peer: &Peer, ids: &[MessageId]) -> Result<Vec<Message>, CallError> {
        let chat = ChatId(peer.id.0);
        let asked: Vec<world::MessageId> = ids.iter().map(|id| world::MessageId(id.0)).collect();
        let found = self
            .read("channels.getMessages", access(peer), move |world, actor| world.call_messages(actor, chat, &asked))
            .await?;
        let world = self.0.front.world();
        let found = found.iter().zip(ids);
        let seen = found.map(|(found, id)| match found {
            Some(found) => convert::message(&world, found),
            None => convert::empty(*id),
        });
        Ok(seen.collect())
    }

    async fn forward(&self, forward: &Forward) -> Result<Forwarded, CallError> {
        let ids = forward.ids.iter().map(|id| world::MessageId(id.0)).collect();
        let random_ids = forward.random_ids.iter().map(|id| id.0).collect();
        let (from, to) = (ChatId(forward.source.id.0), ChatId(forward.target.id.0));
        let request = ForwardRequest {
            drop_author: forward.style.drop_author,
            drop_media_captions: forward.style.drop_captions,
            silent: forward.style.silent,
            topic: forward.topic.map(|topic| world::MessageId(topic.0)),
            ..ForwardRequest::new(from, to, ids, random_ids)
        };
        let access = vec![(from, forward.source.access_hash), (to, forward.target.access_hash)];
        let sent = |line, reply| flight::forward(line, access, request, reply);
        let done = self.call("messages.forwardMessages", sent).await?;
        let new_ids = done.ids.iter().map(|(random, id)| (RandomId(*random), MessageId(id.0))).collect();
        Ok(Forwarded { new_ids, pts: done.events.last().map(|event| event.pts) })
    }

    async fn difference(&self, peer: &Peer, pts: i32) -> Result<Difference, CallError> {
        let chat = ChatId(peer.id.0);
        let mut whole = Difference { new_ids: Vec::new(), deleted: Vec::new(), complete: false, pts };
        for _page in 0..DIFFERENCE_PAGES_MAX {
            let from = whole.pts;
            let part = if chat.is_channel() {
                let act = move |world: &mut World, actor: &Actor| world.call_channel_difference(actor, chat, from);
                self.read("updates.getChannelDifference", access(peer), act).await?
            } else {
                let act = move |world: &mut World, actor: &Actor| world.call_difference(actor, from);
                self.read("updates.getDifference", Vec::new(), act).await?
            };
            note(&mut whole, &part, chat);
            if part.too_long {
                return Ok(whole);
            }
            if part.last {
                whole.complete = true;
                return Ok(whole);
            }
        }
        Ok(whole)
    }

    async fn whoami(&self) -> Result<(), CallError> {
        self.read("users.getUsers", Vec::new(), |world, actor| world.call_me(actor)).await.map(drop)
    }

    async fn join(&self, address: &PeerAddress) -> Result<Joined, CallError> {
        let joined = match address {
            PeerAddress::Username(name) => {
                let name = name.clone();
                let resolving = self
                    .read("contacts.resolveUsername", Vec::new(), move |world, actor| world.call_resolve(actor, &name));
                let chat = resolving.await?;
                self.read("channels.joinChannel", Vec::new(), move |world, actor| world.call_join(actor, chat)).await
            }
            PeerAddress::Invite(hash) => {
                let hash = hash.clone();
                let join = move |world: &mut World, actor: &Actor| world.call_import_invite(actor, &hash);
                self.read("messages.importChatInvite", Vec::new(), join).await
            }
            PeerAddress::Id(_) => return Err(convert::refused(&world::RpcError::bad("USER_NOT_PARTICIPANT"))),
        };
        match joined {
            Ok(()) => Ok(Joined::Member),
            Err(CallError::Refused(refusal)) => match refusal.text() {
                "USER_ALREADY_PARTICIPANT" => Ok(Joined::Member),
                "INVITE_REQUEST_SENT" => Ok(Joined::Requested),
                _ => Err(CallError::Refused(refusal)),
            },
            Err(error) => Err(error),
        }
    }

    async fn log_out(&self) -> Result<(), CallError> {
        self.read("auth.logOut", Vec::new(), |world, actor| world.call_log_out(actor)).await
    }

    async fn close(&self) {
        self.0.close().await;
    }
}

impl Drop for InProcessConnection {
    fn drop(&mut self) {
        self.0.let_go();
    }
}

/// Takes what matters of a page: `chat`, or everything that is in no channel.
fn note(whole: &mut Difference, part: &Part, chat: ChatId) {
    whole.pts = part.pts;
    whole.new_ids.extend(part.own.iter().map(|(id, random)| (RandomId(*random), MessageId(id.0))));
    for other in &part.others {
        if let WorldUpdate::Deleted { chat: of, ids, .. } = other
            && *of == chat.is_channel().then_some(chat)
        {
            whole.deleted.extend(ids.iter().map(|id| MessageId(id.0)));
        }
    }
}
