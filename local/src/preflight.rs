//! Looking before a transfer is asked for: does anybody know source and target, and may an account carry between them?
//!
//! The host finds all of this out by itself and parks the task; a person at a terminal wants to know at once, with
//! nothing half done. Nobody else acts on the data directory meanwhile. Accounts that have to wait are not asked; a wait
//! that is given here is committed before anything else is done.

use jiff::{SignedDuration, Timestamp};
use session_host::telegram::{CallError, Connection, OpenError, Peer, Telegram};
use transfer::account::{AccountState, Member, MethodClass};
use transfer::address::PeerAddress;
use transfer::clock::Clock;
use transfer::ids::AccountId;
use transfer::refusal::Meaning;
use transfer::table::{Guard, Item, Key, Record, Table, Write};

use crate::failure::{Failure, told};

/// From where to where.
pub struct Route<'a> {
    /// The source.
    pub source: &'a PeerAddress,
    /// The target.
    pub target: &'a PeerAddress,
}

/// Why one account cannot carry, the more it could do the later.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Obstacle {
    NoConnection(String),
    NoSession(String),
    UnknownPeer(String),
    Unreadable(String),
    Unpostable(String),
    /// Nobody could do better.
    Protected(String),
    Empty(String),
}

/// What an account can do.
enum Finding {
    Good,
    Bad(Obstacle),
    /// It has to wait, or something else that says nothing about the route.
    Unclear,
}

/// Looks with one account after the other until one can carry.
///
/// # Errors
/// None can, with what stands in the way of the one that comes nearest.
pub async fn check(
    telegram: &dyn Telegram,
    table: &dyn Table,
    members: &[Member],
    route: &Route<'_>,
    clock: &Clock,
) -> Result<(), Failure> {
    let now = clock.now();
    let usable = members.iter().filter(|member| member.profile.enabled && member.account.state == AccountState::Ready);
    let mut nearest: Option<Obstacle> = None;
    let mut unclear = false;
    for member in usable {
        let limited = [MethodClass::Read, MethodClass::Resolve]
            .iter()
            .any(|class| member.account.waits.until(*class, now).is_some());
        let looking = Looking { telegram, table, account: &member.account.id, clock };
        let finding = if limited { Finding::Unclear } else { looking.look(route).await };
        match finding {
            Finding::Good => return Ok(()),
            Finding::Unclear => unclear = true,
            Finding::Bad(obstacle) => {
                let is_final = matches!(obstacle, Obstacle::Protected(_) | Obstacle::Empty(_));
                nearest = nearest.max(Some(obstacle));
                if is_final {
                    break;
                }
            }
        }
    }
    match nearest {
        Some(Obstacle::NoConnection(why)) if !unclear => Err(Failure::Failed(why)),
        Some(obstacle) if !unclear || obstacle > Obstacle::Unpostable(String::new()) => {
            Err(Failure::Input(obstacle.words()))
        }
        // The host finds out when somebody may call.
        Some(_) => Ok(()),
        None if unclear => Ok(()),
        None => Err(Failure::Input("no account may work: see ferry account list".to_owned())),
    }
}

impl Obstacle {
    fn words(self) -> String {
        match self {
            Self::NoConnection(why)
            | Self::NoSession(why)
            | Self::UnknownPeer(why)
            | Self::Unreadable(why)
            | Self::Unpostable(why)
            | Self::Protected(why)
            | Self::Empty(why) => why,
        }
    }
}

struct Looking<'a> {
    telegram: &'a dyn Telegram,
    table: &'a dyn Table,
    account: &'a AccountId,
    clock: &'a Clock,
}

impl Looking<'_> {
    async fn look(&self, route: &Route<'_>) -> Finding {
        let connection = match self.telegram.open(self.account).await {
            Ok(connection) => connection,
            Err(error) => {
                let why = told(&error);
                return match error {
                    OpenError::NoSession { .. } | OpenError::Refused(_) => Finding::Bad(Obstacle::NoSession(why)),
                    OpenError::Unreachable(_) | OpenError::ClockSkew { .. } => {
                        Finding::Bad(Obstacle::NoConnection(why))
                    }
                };
            }
        };
        let finding = self.look_with(connection.as_ref(), route).await;
        connection.close().await;
        finding
    }

    async fn look_with(&self, connection: &dyn Connection, route: &Route<'_>) -> Finding {
        let source = match self.peer(connection, route.source).await {
            Ok(peer) => peer,
            Err(finding) => return finding,
        };
        let target = match self.peer(connection, route.target).await {
            Ok(peer) => peer,
            Err(finding) => return finding,
        };
        if source.id == target.id {
            return Finding::Bad(Obstacle::Protected(format!(
                "{} and {} are the same chat: choose another target",
                route.source, route.target
            )));
        }
        if !source.readable {
            return Finding::Bad(Obstacle::Unreadable(unreadable(route.source)));
        }
        if source.protected {
            let words = "its content is protected: Telegram lets nobody forward from it";
            return Finding::Bad(Obstacle::Protected(format!("{} cannot be carried from: {words}", route.source)));
        }
        if target.postable == Some(false) {
            return Finding::Bad(Obstacle::Unpostable(format!(
                "no account may post in {}: make one of them an administrator there",
                route.target
            )));
        }
        match connection.newest(&source, None).await {
            Ok(newest) if newest.message.is_none() => {
                Finding::Bad(Obstacle::Empty(format!("there are no messages in {}", route.source)))
            }
            Ok(_) => Finding::Good,
            Err(error) => self.failed(error, MethodClass::Read, Obstacle::Unreadable(unreadable(route.source))).await,
        }
    }

    async fn peer(&self, connection: &dyn Connection, address: &PeerAddress) -> Result<Peer, Finding> {
        match connection.resolve(address).await {
            Ok(peer) => Ok(peer),
            Err(error) => {
                let text = error.to_string();
                let obstacle =
                    if ["CHANNEL_PRIVATE", "CHAT_FORBIDDEN", "USER_BANNED"].iter().any(|word| text.contains(word)) {
                        Obstacle::Unreadable(unreadable(address))
                    } else {
                        Obstacle::UnknownPeer(format!("no account knows a chat {address} ({text})"))
                    };
                Err(self.failed(error, MethodClass::Resolve, obstacle).await)
            }
        }
    }

    /// What a failed call says: a wait is written down, a lost connection says nothing, anything else is `obstacle`.
    async fn failed(&self, error: CallError, class: MethodClass, obstacle: Obstacle) -> Finding {
        match error {
            CallError::Uncertain(why) => Finding::Bad(Obstacle::NoConnection(why)),
            CallError::Refused(refusal) => match refusal.meaning() {
                Meaning::FloodWait { secs } => {
                    let wait = SignedDuration::from_secs(i64::try_from(secs).unwrap_or(i64::MAX));
                    let until = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
                    self.note_wait(class, until).await;
                    Finding::Unclear
                }
                _ => Finding::Bad(obstacle),
            },
        }
    }

    async fn note_wait(&self, class: MethodClass, until: Timestamp) {
        let key = Key::account(self.account);
        let Ok(Some(Record { item: Item::Account(mut account), version })) = self.table.get(&key).await else { return };
        account.waits.extend(class, until);
        let write = Write::Put { item: Item::Account(account), guard: Guard::Version(version) };
        if let Err(error) = self.table.commit(vec![write]).await {
            tracing::warn!(account = %self.account, %error, "a wait was not written down");
        }
    }
}

fn unreadable(address: &PeerAddress) -> String {
    format!("no account may read {address}: join it with one of them")
}
