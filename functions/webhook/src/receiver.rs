//! What every webhook front does with a request: the gate, then the handler, then a status. The function and `ferry serve`
//! differ only in who hands the request over.
//!
//! What must stay true: 200 is answered only when the update was handled, or means nothing here; a failure is answered
//! 500, so that Telegram delivers again, and handling twice does no harm.

use std::sync::Arc;
use std::time::Duration;

use transfer::bot::Incoming;

use crate::gate::{Gate, Refused};
use crate::handler::Handler;

/// Telegram gives up on an answer after a minute, and the function's own time ends before that.
const HANDLED_WITHIN: Duration = Duration::from_secs(25);

/// The gate, and the handler behind it. Clones share both.
#[derive(Clone)]
pub struct Receiver {
    gate: Arc<Gate>,
    handler: Arc<Handler>,
}

impl Receiver {
    /// A handler behind a gate.
    pub fn new(gate: Gate, handler: Arc<Handler>) -> Self {
        Self { gate: Arc::new(gate), handler }
    }

    /// Whether the header's value is the secret, for fronts that read bodies only from those who know it.
    ///
    /// # Errors
    /// It is not.
    pub fn knock(&self, secret: Option<&[u8]>) -> Result<(), Refused> {
        self.gate.knock(secret)
    }

    /// Handles a request; gives the HTTP status.
    pub async fn receive(&self, secret: Option<&[u8]>, body: &[u8]) -> u16 {
        match self.gate.admit(secret, body) {
            Ok(None) => 200,
            Ok(Some(incoming)) => self.handle(incoming).await,
            Err(refused) => refused.status(),
        }
    }

    async fn handle(&self, incoming: Incoming) -> u16 {
        let update = incoming.id;
        match tokio::time::timeout(HANDLED_WITHIN, self.handler.handle(incoming)).await {
            Ok(Ok(())) => 200,
            Ok(Err(error)) => {
                tracing::warn!(%error, %update, "an update was not handled; Telegram delivers it again");
                500
            }
            Err(_elapsed) => {
                let within_secs = HANDLED_WITHIN.as_secs();
                tracing::warn!(%update, within_secs, "an update was not handled in time; Telegram delivers it again");
                500
            }
        }
    }
}
