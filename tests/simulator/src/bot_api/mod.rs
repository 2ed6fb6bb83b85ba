//! The HTTP Bot API over the same world: `/bot<TOKEN>/<method>`, as <https://core.telegram.org/bots/api> has it.
//!
//! Arguments come as query, JSON, form or multipart; answers are Telegram's, texts of errors included. Updates go out by
//! `getUpdates` or by webhook ([`delivery`]). What a person does in a bot's chat is in [`person`]: for tests in Rust, and
//! behind the control API's `/bots/...`.
//!
//! Different from Telegram, on purpose: a webhook may be plain `http://` and must be on loopback; pauses before a webhook
//! is tried again are shorter ([`Limits`](crate::world::bots::limits::Limits)); files are not fetched from URLs. Left out:
//! everything but private chats, `parse_mode` Markdown and `MarkdownV2`, reply keyboards (taken and forgotten), inline mode,
//! payments, and the methods that `methods` does not list, which are answered 404.

mod calls;
pub mod delivery;
pub mod entity;
pub mod html;
mod methods;
pub mod person;
mod polling;
pub mod refusal;
pub mod request;
pub mod view;

use crate::server::{Shared, Simulator};
use crate::world::{UserId, World};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, get};
use refusal::Refusal;
use request::Arguments;
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::net::TcpListener;

/// Telegram's own servers take no more.
const BODY_MAX_BYTES: usize = 50 << 20;

/// What a call that was carried out is answered with.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub result: Value,
    /// A remark, as `setWebhook` makes one.
    pub description: Option<&'static str>,
}

/// How a call ended.
pub type Reply = Result<Answer, Refusal>;

impl From<Value> for Answer {
    fn from(result: Value) -> Answer {
        Answer { result, description: None }
    }
}

/// Serves the Bot API of a running simulator, and delivers updates to webhooks, until the future is dropped.
///
/// # Errors
/// When the listener fails.
pub async fn serve(simulator: &Simulator, listener: TcpListener) -> std::io::Result<()> {
    serve_shared(simulator.shared(), listener).await
}

/// The same for whoever holds no more than what the simulator's tasks share.
///
/// # Errors
/// When the listener fails.
pub async fn serve_shared(shared: Arc<Shared>, listener: TcpListener) -> std::io::Result<()> {
    let app = router(Arc::clone(&shared));
    tokio::select! {
        ended = axum::serve(listener, app) => ended,
        () = delivery::run(shared) => Ok(()),
    }
}

/// Carries out one call (any but `getUpdates`, which waits) without HTTP around it.
///
/// # Errors
/// Telegram's.
pub fn perform(world: &mut World, bot: UserId, method: &str, arguments: &Arguments) -> Reply {
    calls::at_once(world, bot, &method.to_ascii_lowercase(), arguments)
}

/// The routes alone; nobody delivers to webhooks.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/file/{token}/{*path}", get(file))
        .route("/{token}/{method}", any(method))
        .fallback(|| async { Refusal::new(404, "Not Found") })
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(shared)
}

async fn method(
    State(shared): State<Arc<Shared>>,
    Path((token, method)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(token) = token.strip_prefix("bot") else {
        return Refusal::new(404, "Not Found").into_response();
    };
    let Some(bot) = shared.with_world(|world| world.bots.by_token(token)) else {
        return Refusal::new(401, "Unauthorized").into_response();
    };
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    let arguments = match Arguments::parse(query.as_deref(), content_type, &body) {
        Ok(arguments) => arguments,
        Err(refusal) => return refusal.into_response(),
    };
    match calls::call(&shared, bot, &method, &arguments).await {
        Ok(Answer { result, description }) => {
            let mut body = json!({ "ok": true, "result": result });
            if let Some(description) = description {
                body["description"] = Value::from(description);
            }
            Json(body).into_response()
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// What `getFile` points to.
async fn file(State(shared): State<Arc<Shared>>, Path((token, path)): Path<(String, String)>) -> Response {
    let token = token.strip_prefix("bot").unwrap_or_default();
    let number = path.strip_prefix("photos/file_").and_then(|number| number.parse::<i64>().ok());
    let bytes = shared.with_world(|world| {
        world.bots.by_token(token)?;
        Some(world.bots.files.get(&number?)?.bytes.to_vec())
    });
    bytes.map_or_else(
        || Refusal::new(404, "Not Found").into_response(),
        |bytes| (StatusCode::OK, [("content-type", "application/octet-stream")], bytes).into_response(),
    )
}

#[cfg(test)]
mod tests;
