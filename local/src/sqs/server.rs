//! The endpoint: one POST for each call, named by a header. A receive that finds nothing waits to be notified, or for
//! the next visibility to end.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use transfer::clock::Clock;

use super::attributes::Texts;
use super::request::{self, ReceiveMessage};
use super::store::{NewMessage, Queue, Store};
use super::wire::{self, Fault};

/// Room for a batch of SQS's largest, in JSON.
const REQUEST_LEN_MAX: usize = 8 * 1024 * 1024;

/// Serves until `stop`; receives that wait are answered with nothing then.
///
/// # Errors
/// The listener failed.
pub async fn serve(listener: TcpListener, store: Store, clock: Clock, stop: CancellationToken) -> io::Result<()> {
    let base = format!("http://{}", listener.local_addr()?);
    let endpoint = Endpoint { store: Mutex::new(store), changed: Notify::new(), clock, base, stop: stop.clone() };
    let router =
        Router::new().fallback(answer).layer(DefaultBodyLimit::max(REQUEST_LEN_MAX)).with_state(Arc::new(endpoint));
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

struct Endpoint {
    store: Mutex<Store>,
    /// Something may have become visible.
    changed: Notify,
    clock: Clock,
    /// Queue URLs begin with this.
    base: String,
    stop: CancellationToken,
}

async fn answer(State(endpoint): State<Arc<Endpoint>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let action = target.strip_prefix("AmazonSQS.").unwrap_or_default();
    wire::response(match action {
        "ReceiveMessage" => endpoint.receive(&body).await,
        _ => endpoint.act(action, &body),
    })
}

impl Endpoint {
    fn store(&self) -> MutexGuard<'_, Store> {
        // Each of the store's methods is a transaction, rolled back if it panics.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn url(&self, name: &str) -> String {
        format!("{}/000000000000/{name}", self.base)
    }

    fn act(&self, action: &str, body: &[u8]) -> Result<Value, Fault> {
        match action {
            "CreateQueue" => {
                let create: request::CreateQueue = wire::parse(body)?;
                create.check()?;
                self.store().create_queue(&create.queue_name, create.attributes, self.now())?;
                Ok(json!({ "QueueUrl": self.url(&create.queue_name) }))
            }
            "GetQueueUrl" => {
                let get: request::GetQueueUrl = wire::parse(body)?;
                self.store().queue(&get.queue_name)?;
                Ok(json!({ "QueueUrl": self.url(&get.queue_name) }))
            }
            "ListQueues" => {
                let list: request::ListQueues = wire::parse(body)?;
                let names = self.store().queue_names(&list.queue_name_prefix)?;
                Ok(json!({ "QueueUrls": names.iter().map(|name| self.url(name)).collect::<Vec<_>>() }))
            }
            "DeleteQueue" => {
                let of: request::OfQueue = wire::parse(body)?;
                self.store().delete_queue(name(&of.queue_url))?;
                Ok(json!({}))
            }
            "PurgeQueue" => {
                let of: request::OfQueue = wire::parse(body)?;
                self.store().purge(name(&of.queue_url))?;
                Ok(json!({}))
            }
            "GetQueueAttributes" => self.attributes(&wire::parse(body)?),
            "SetQueueAttributes" => {
                let set: request::SetQueueAttributes = wire::parse(body)?;
                self.store().set_attributes(name(&set.queue_url), set.attributes, self.now())?;
                Ok(json!({}))
            }
            _ => self.act_on_messages(action, body),
        }
    }

    fn act_on_messages(&self, action: &str, body: &[u8]) -> Result<Value, Fault> {
        let answer = match action {
            "SendMessage" => {
                let send: request::SendMessage = wire::parse(body)?;
                self.send(&send.queue_url, |content_based| send.message(content_based))
            }
            "SendMessageBatch" => {
                let batch: request::Batch<request::SendEntry> = wire::parse(body)?;
                batch.each(|entry| self.send(&batch.queue_url, |content_based| entry.message(content_based)))
            }
            "DeleteMessage" => {
                let delete: request::DeleteMessage = wire::parse(body)?;
                self.delete(&delete.queue_url, &delete.receipt_handle)
            }
            "DeleteMessageBatch" => {
                let batch: request::Batch<request::DeleteEntry> = wire::parse(body)?;
                batch.each(|entry| self.delete(&batch.queue_url, &entry.receipt_handle))
            }
            "ChangeMessageVisibility" => {
                let change: request::ChangeMessageVisibility = wire::parse(body)?;
                self.change(&change.queue_url, &change.receipt_handle, change.secs()?)
            }
            "ChangeMessageVisibilityBatch" => {
                let batch: request::Batch<request::ChangeEntry> = wire::parse(body)?;
                batch.each(|entry| self.change(&batch.queue_url, &entry.receipt_handle, entry.secs()?))
            }
            _ => Err(Fault::unsupported(format!("The action {action:?} is not supported here."))),
        };
        self.changed.notify_waiters();
        answer
    }

    fn send(&self, queue_url: &str, message: impl FnOnce(bool) -> Result<NewMessage, Fault>) -> Result<Value, Fault> {
        let mut store = self.store();
        let queue = store.queue(name(queue_url))?;
        let message = message(queue.attributes.content_based_deduplication)?;
        let sent = store.send(name(queue_url), &message, self.now())?;
        Ok(wire::sent(&sent, &message.body))
    }

    fn delete(&self, queue_url: &str, receipt: &str) -> Result<Value, Fault> {
        self.store().delete(name(queue_url), receipt, self.now())?;
        Ok(json!({}))
    }

    fn change(&self, queue_url: &str, receipt: &str, secs: u32) -> Result<Value, Fault> {
        self.store().change_visibility(name(queue_url), receipt, secs, self.now())?;
        Ok(json!({}))
    }

    fn attributes(&self, get: &request::GetQueueAttributes) -> Result<Value, Fault> {
        let name = name(&get.queue_url);
        let store = self.store();
        let Queue { attributes, created_at, modified_at } = store.queue(name)?;
        let counts = store.counts(name, self.now())?;
        let mut shown = attributes.shown(name);
        shown.extend(Texts::from([
            ("ApproximateNumberOfMessages".to_owned(), counts.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible".to_owned(), counts.in_flight.to_string()),
            ("CreatedTimestamp".to_owned(), (created_at / 1000).to_string()),
            ("LastModifiedTimestamp".to_owned(), (modified_at / 1000).to_string()),
        ]));
        shown.retain(|attribute, _| get.attribute_names.iter().any(|asked| asked == "All" || asked == attribute));
        Ok(json!({ "Attributes": shown }))
    }

    async fn receive(&self, body: &[u8]) -> Result<Value, Fault> {
        let request: ReceiveMessage = wire::parse(body)?;
        let name = name(&request.queue_url);
        let asked = request.asked()?;
        let wait_secs = match asked.wait_secs {
            Some(secs) => secs,
            None => self.store().queue(name)?.attributes.wait_secs,
        };
        let give_up_at = Instant::now() + Duration::from_secs(wait_secs.into());
        loop {
            // Registered before looking, so that a change between the look and the wait is not missed.
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.now();
            let next_visible_at = {
                let mut store = self.store();
                let reception = store.receive(name, asked.max, asked.visibility_secs, now)?;
                if reception.buried > 0 {
                    // Somebody may be waiting for dead letters.
                    self.changed.notify_waiters();
                }
                if !reception.received.is_empty() || Instant::now() >= give_up_at || self.stop.is_cancelled() {
                    return Ok(wire::received(&request, reception.received));
                }
                store.next_visible_at(name, now)?
            };
            let in_millis = next_visible_at.map(|at| Duration::from_millis((at - now).unsigned_abs()));
            let next_look = in_millis.map_or(give_up_at, |wait| give_up_at.min(Instant::now() + wait));
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(next_look) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }
}

/// The queue that a URL names; whatever host it has, since the port changes with every start.
fn name(queue_url: &str) -> &str {
    queue_url.rsplit('/').next().unwrap_or_default()
}
