//! Delivery to webhooks: one task that asks the world what is due, posts it, and tells the world how that ended.
//!
//! The world decides ([`crate::world::bots::delivery`]); this carries bytes. A webhook may answer with a call in its body
//! (`{"method": "sendMessage", ...}`), which is carried out; how that ends nobody hears, as with Telegram.

use super::request::Arguments;
use super::{calls, view};
use crate::server::Shared;
use crate::world::bots::delivery::Delivery;
use axum::body::Body;
use axum::http::Request;
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use url::Url;

/// A webhook that has not answered after so long has failed.
const ANSWER_SECS_MAX: u64 = 60;
/// How often to look whether a pause is over; the world's time may be moved by hand.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const ANSWER_MAX_BYTES: usize = 10 << 20;

/// Delivers until it is dropped.
pub async fn run(shared: Arc<Shared>) {
    let mut news = shared.news();
    let mut posts = JoinSet::new();
    loop {
        news.mark_unchanged();
        let (due, pauses) = shared.with_world(|world| {
            let due = world.take_deliveries();
            let due: Vec<(Delivery, Value)> = due
                .into_iter()
                .map(|delivery| {
                    let body = view::update(world, delivery.bot, &delivery.update);
                    (delivery, body)
                })
                .collect();
            (due, world.next_delivery_at().is_some())
        });
        for (delivery, body) in due {
            posts.spawn(deliver(Arc::clone(&shared), delivery, body));
        }
        tokio::select! {
            changed = news.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            Some(ended) = posts.join_next() => {
                if let Err(error) = ended && error.is_panic() {
                    tracing::error!(%error, "a delivery to a webhook panicked");
                }
            }
            () = tokio::time::sleep(LOOK_EVERY), if pauses => {}
        }
    }
}

async fn deliver(shared: Arc<Shared>, delivery: Delivery, body: Value) {
    let posted = timeout(Duration::from_secs(ANSWER_SECS_MAX), post(&delivery, &body)).await;
    let posted = posted.unwrap_or_else(|_| Err("Read timeout expired".to_owned()));
    if let Err(error) = &posted {
        tracing::debug!(update = delivery.update.id, error, "a webhook did not take an update");
    }
    shared.with_world(|world| {
        if let Ok(Value::Object(answer)) = &posted
            && let Some(method) = answer.get("method").and_then(Value::as_str)
            && is_callable(method)
        {
            let arguments = Arguments::from_object(answer);
            if let Err(refusal) = calls::at_once(world, delivery.bot, &method.to_ascii_lowercase(), &arguments) {
                tracing::debug!(method, refusal = refusal.description, "a webhook's answer was refused");
            }
        }
        world.delivered(&delivery, posted.map(drop));
    });
}

/// Telegram does not carry out these from a webhook's answer.
fn is_callable(method: &str) -> bool {
    let method = method.to_ascii_lowercase();
    !method.starts_with("get") && !["setwebhook", "deletewebhook", "close", "logout"].contains(&method.as_str())
}

/// One request; the JSON of the answer, if it is a 2xx with JSON in it.
async fn post(delivery: &Delivery, update: &Value) -> Result<Value, String> {
    let url = Url::parse(&delivery.webhook.url).map_err(|error| error.to_string())?;
    let host = url.host_str().ok_or("the URL has no host")?;
    let port = url.port_or_known_default().ok_or("the URL has no port")?;
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
    let stream = stream.map_err(|_refused| "Connection refused".to_owned())?;
    let broken = |error: hyper::Error| format!("Connection closed: {error}");
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let path = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut request = Request::post(path)
        .header("host", format!("{host}:{port}"))
        .header("content-type", "application/json")
        .header("connection", "close");
    if let Some(secret) = &delivery.webhook.secret {
        request = request.header("X-Telegram-Bot-Api-Secret-Token", secret);
    }
    let request = request.body(Body::from(update.to_string())).map_err(|error| error.to_string())?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        let status = response.status();
        if !status.is_success() {
            let reason = status.canonical_reason().unwrap_or_default();
            return Err(format!("Wrong response from the webhook: {} {reason}", status.as_u16()));
        }
        let body = Limited::new(response.into_body(), ANSWER_MAX_BYTES).collect().await;
        let body = body.map_err(|error| format!("Connection closed: {error}"))?.to_bytes();
        Ok(serde_json::from_slice(&body).unwrap_or(Value::Null))
    };
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        // The connection may end first; then what it read decides.
        ended = connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(broken(error)),
        },
    }
}
