//! What happened in a peer since a pts: evidence for settling an uncertain call.

use grammers_tl_types::{enums, functions};
use transfer::ids::{MessageId, PeerKind};

use super::connection::AccountConnection;
use super::convert::input_channel;
use super::forwarding::new_id;
use super::{CallError, Difference, Peer};

/// Updates per call; Telegram's limit for user accounts.
const PAGE_MAX: i32 = 100;
/// Calls per difference. 5,000 updates in one target since the last settled chunk are more than evidence needs; such a
/// difference is reported as incomplete.
const PAGES_MAX: u32 = 50;

/// Reads the difference to its end, or says that it could not.
pub(crate) async fn difference(account: &AccountConnection, peer: &Peer, pts: i32) -> Result<Difference, CallError> {
    let mut found = Difference { new_ids: Vec::new(), deleted: Vec::new(), complete: false, pts };
    match peer.id.kind() {
        PeerKind::Channel(bare) => of_channel(account, bare, peer.access_hash, &mut found).await?,
        PeerKind::User(_) | PeerKind::Group(_) => of_account(account, &mut found).await?,
    }
    Ok(found)
}

async fn of_channel(
    account: &AccountConnection,
    bare: i64,
    access_hash: i64,
    found: &mut Difference,
) -> Result<(), CallError> {
    use enums::updates::ChannelDifference as D;
    for _page in 0..PAGES_MAX {
        let request = functions::updates::GetChannelDifference {
            force: false,
            channel: input_channel(bare, access_hash),
            filter: enums::ChannelMessagesFilter::Empty,
            pts: found.pts,
            limit: PAGE_MAX,
        };
        let last = match account.read(&request).await? {
            D::Empty(empty) => {
                found.pts = empty.pts;
                true
            }
            D::Difference(page) => {
                found.note(&page.other_updates, Some(bare));
                found.pts = page.pts;
                page.r#final
            }
            D::TooLong(too_long) => {
                if let enums::Dialog::Dialog(dialog) = too_long.dialog {
                    found.pts = dialog.pts.unwrap_or(found.pts);
                }
                return Ok(());
            }
        };
        if last {
            found.complete = true;
            return Ok(());
        }
    }
    Ok(())
}

async fn of_account(account: &AccountConnection, found: &mut Difference) -> Result<(), CallError> {
    use enums::updates::Difference as D;
    let state = account.state().await?;
    for _page in 0..PAGES_MAX {
        let request = functions::updates::GetDifference {
            pts: found.pts,
            pts_limit: None,
            pts_total_limit: None,
            date: state.date,
            qts: state.qts,
            qts_limit: None,
        };
        match account.read(&request).await? {
            D::Empty(_) => {
                found.complete = true;
                return Ok(());
            }
            D::Difference(page) => {
                let enums::updates::State::State(end) = page.state;
                found.note(&page.other_updates, None);
                (found.pts, found.complete) = (end.pts, true);
                return Ok(());
            }
            D::Slice(page) => {
                let enums::updates::State::State(end) = page.intermediate_state;
                found.note(&page.other_updates, None);
                found.pts = end.pts;
            }
            D::TooLong(too_long) => {
                found.pts = too_long.pts;
                return Ok(());
            }
        }
    }
    Ok(())
}

impl Difference {
    /// Takes what matters of a page: `channel`, or everything that is in no channel.
    fn note(&mut self, updates: &[enums::Update], channel: Option<i64>) {
        for update in updates {
            self.new_ids.extend(new_id(update));
            match (update, channel) {
                (enums::Update::DeleteChannelMessages(gone), Some(bare)) if gone.channel_id == bare => {
                    self.deleted.extend(gone.messages.iter().copied().map(MessageId));
                }
                (enums::Update::DeleteMessages(gone), None) => {
                    self.deleted.extend(gone.messages.iter().copied().map(MessageId));
                }
                _ => {}
            }
        }
    }
}
