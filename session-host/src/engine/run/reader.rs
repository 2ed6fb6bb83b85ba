//! Reads the source ahead of the chunks, upward, a few pages at a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use transfer::ids::MessageId;
use transfer::message::Message;

use crate::telegram::{CallError, Connection, Peer};

/// Messages in a page (Telegram's limit).
const PAGE_LEN: u32 = 100;
/// Pages read ahead: enough to hide a page's way behind a forward's, few enough to stay small.
const PAGES_AHEAD: usize = 3;
/// After this many pages in a row the reader is polite, unless the task has no pace (Telethon does the same above
/// 3,000 messages).
const PAGES_IN_A_ROW: u32 = 30;
const POLITE_PAUSE: Duration = Duration::from_secs(1);

/// What comes out of the reader.
pub(super) enum Page {
    /// Messages above everything before them.
    Messages(Vec<Message>),
    /// There are no more.
    End,
    /// The call failed; the reader has stopped.
    Failed(CallError),
}

/// A reader at work; it stops when it is dropped. A call that it has under way goes on, and holds up the next one.
pub(super) struct Reader {
    pages: mpsc::Receiver<Page>,
    _task: JoinSet<()>,
}

impl Reader {
    /// Starts reading `source` above `after`, up to `last`.
    pub(super) fn start(
        connection: Arc<dyn Connection>,
        source: Peer,
        after: MessageId,
        last: MessageId,
        polite: bool,
    ) -> Self {
        let (send, pages) = mpsc::channel(PAGES_AHEAD);
        let mut task = JoinSet::new();
        let reading = Reading { connection, source, last, polite };
        task.spawn(reading.read(after, send));
        Self { pages, _task: task }
    }

    /// A page that is here already.
    pub(super) fn ready(&mut self) -> Option<Page> {
        self.pages.try_recv().ok()
    }

    /// The next page.
    pub(super) async fn next(&mut self) -> Page {
        // A reader that ends says so first: one that is just gone has died.
        self.pages.recv().await.unwrap_or_else(|| Page::Failed(CallError::Uncertain("the reader died".into())))
    }
}

struct Reading {
    connection: Arc<dyn Connection>,
    source: Peer,
    last: MessageId,
    polite: bool,
}

impl Reading {
    async fn read(self, mut after: MessageId, pages: mpsc::Sender<Page>) {
        let mut in_a_row = 0_u32;
        while after < self.last {
            if self.polite && in_a_row >= PAGES_IN_A_ROW {
                tokio::time::sleep(POLITE_PAUSE).await;
            }
            in_a_row = in_a_row.saturating_add(1);
            let page = match self.connection.history(&self.source, after, PAGE_LEN).await {
                Ok(mut messages) => {
                    // Telegram may answer with more than was asked for; what lies outside is not this task's.
                    messages.retain(|message| message.id > after);
                    let Some(highest) = messages.last().map(|message| message.id) else { break };
                    after = highest;
                    messages.retain(|message| message.id <= self.last);
                    Page::Messages(messages)
                }
                Err(error) => Page::Failed(error),
            };
            let failed = matches!(page, Page::Failed(_));
            // Nobody listens any more: the run has another account, or is over.
            if pages.send(page).await.is_err() || failed {
                return;
            }
        }
        // The receiver may be gone; then nobody needs to know.
        drop(pages.send(Page::End).await);
    }
}
