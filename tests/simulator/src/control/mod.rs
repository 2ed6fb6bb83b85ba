//! The control API: HTTP on loopback, for tests in other languages and for people.
//!
//! | request | what it does |
//! | --- | --- |
//! | `GET /health` | `{"ok": true, "time_ms": ...}` |
//! | `GET /server` | data centres, RSA key and fingerprint: what a client is configured with |
//! | `POST /scenario` | adds users, chats, messages, floods, faults (see [`crate::scenario`]) |
//! | `POST /export?owner=&member=&username=` | loads a `result.json`, sent as the body |
//! | `GET /codes?phone=` | login codes, newest last |
//! | `POST /qr/accept` | `{"user": 1, "token": "tg://login?token=..., or base64url, or left out"}`: the owner's phone scans it and says yes |
//! | `POST /floods` | `{"model": "reported", "scale": 60, "scripts": [{"method": "auth.sendCode", "code": 420, "message": "FLOOD_WAIT_30"}]}` |
//! | `POST /faults` | `{"scripts": [...], "rates": [...]}`, replaces the plan |
//! | `POST /quirks` | replaces the undocumented choices |
//! | `POST /accounts/{user}/state` | `{"state": "frozen"}` |
//! | `GET /accounts/{user}/sessions` | where it is signed in: `[{"auth_key": 1, "password_pending": false}]` |
//! | `POST /accounts/{user}/sign-out` | its owner ends all its sessions |
//! | `POST /time/advance` | `{"millis": 1000}` |
//! | `POST /salts/rotate`, `POST /clock/skew`, `POST /kick` | what the wire does on its own |
//! | `POST /sessions/mint` | `{"user": 1}`: a key that is signed in |
//! | `POST /protect` | `{"chat": -100..., "on": true}`: protected content |
//! | `GET /chats`, `GET /chats/{id}/messages?from=&limit=&viewer=` | what stands there |
//! | `GET /chats/{id}/created` | everything ever created there, deleted or not |
//! | `DELETE /chats/{id}/messages?ids=1,2` | deletes, as the creator would |
//! | `GET /audit?since=&limit=` | every call |
//! | `GET /bots` | bots with webhook, commands, number of waiting updates |
//! | `POST /bots/{bot}/say` | `{"user": 1, "text": "/start", "language_code": "zh-hans"}`, or `"forward_from": {"chat", "message"}` for `text` |
//! | `POST /bots/{bot}/press` | `{"user": 1, "message": 5, "button": "Yes"}` (or any `"data"`); waits for the bot's answer, 10 s at most |
//! | `GET /bots/{bot}/chat/{user}` | the chat as the user sees it: texts, HTML, buttons, number of edits, photos |
//! | `GET /bots/{bot}/chat/{user}/photo/{message}` | the bytes of a photo |
//! | `POST /bots/{bot}/block` | `{"user": 1, "on": true}` |
//! | `GET /bots/{bot}/calls`, `GET /bots/{bot}/updates` | every call of the Bot API, and whether it came during a wait; what waits |
//! | `POST /bots/limits` | `{"limits": {"on": false}, "scripts": [{"method": "sendMessage", "code": 429, "retry_after": 3}]}` |
//!
//! Errors are `{"error": "..."}` with a text that says what to do. The API is for loopback only: whoever reaches it owns the
//! world.

mod account;
mod bots;
mod chats;
mod world;

pub use crate::world::WireCommand;

use crate::server::{Shared, Simulator};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Serialize;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Exports are large.
const BODY_MAX_BYTES: usize = 1 << 30;

/// What the handlers share.
#[derive(Clone)]
struct Control {
    shared: Arc<Shared>,
    server: Arc<ServerInfo>,
}

/// What a client is configured with.
#[derive(Debug, Clone, Serialize)]
struct ServerInfo {
    dcs: Vec<DcInfo>,
    rsa_fingerprint: String,
    rsa_pem: String,
}

#[derive(Debug, Clone, Serialize)]
struct DcInfo {
    id: i32,
    address: SocketAddr,
}

/// Serves the control API of a running simulator until the future is dropped.
///
/// # Errors
/// When the listener fails.
pub async fn serve(simulator: &Simulator, listener: TcpListener) -> std::io::Result<()> {
    let app = router(simulator);
    axum::serve(listener, app).await
}

/// The routes, over a running simulator.
pub fn router(simulator: &Simulator) -> Router {
    let rsa = simulator.rsa();
    let server = ServerInfo {
        dcs: simulator.dcs().iter().map(|(id, address)| DcInfo { id: *id, address: *address }).collect(),
        rsa_fingerprint: rsa.fingerprint.to_string(),
        rsa_pem: rsa.pem.clone(),
    };
    let control = Control { shared: simulator.shared(), server: Arc::new(server) };
    Router::new()
        .route("/health", get(world::health))
        .route("/server", get(world::server))
        .route("/scenario", post(world::scenario))
        .route("/export", post(world::export))
        .route("/floods", post(world::floods))
        .route("/faults", post(world::faults))
        .route("/quirks", post(world::quirks))
        .route("/time/advance", post(world::advance))
        .route("/salts/rotate", post(world::rotate_salts))
        .route("/clock/skew", post(world::skew))
        .route("/kick", post(world::kick))
        .route("/audit", get(world::audit))
        .route("/codes", get(account::codes))
        .route("/qr/accept", post(account::accept_qr))
        .route("/sessions/mint", post(account::mint))
        .route("/accounts/{user}/state", post(account::state))
        .route("/accounts/{user}/sessions", get(account::sessions))
        .route("/accounts/{user}/sign-out", post(account::sign_out))
        .route("/protect", post(chats::protect))
        .route("/chats", get(chats::list))
        .route("/chats/{id}/messages", get(chats::messages).delete(chats::delete))
        .route("/chats/{id}/created", get(chats::created))
        .route("/bots", get(bots::list))
        .route("/bots/limits", post(bots::limits))
        .route("/bots/{bot}/say", post(bots::say))
        .route("/bots/{bot}/press", post(bots::press))
        .route("/bots/{bot}/block", post(bots::block))
        .route("/bots/{bot}/calls", get(bots::calls))
        .route("/bots/{bot}/updates", get(bots::updates))
        .route("/bots/{bot}/chat/{user}", get(bots::chat))
        .route("/bots/{bot}/chat/{user}/photo/{message}", get(bots::photo))
        .fallback(world::unknown)
        .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
        .with_state(control)
}

/// A refusal in words.
struct Refused {
    status: StatusCode,
    error: String,
}

type Reply<T> = Result<Json<T>, Refused>;

impl Refused {
    fn bad(error: impl Into<String>) -> Refused {
        Refused { status: StatusCode::BAD_REQUEST, error: error.into() }
    }

    fn missing(error: impl Into<String>) -> Refused {
        Refused { status: StatusCode::NOT_FOUND, error: error.into() }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(serde_json::json!({ "error": self.error }))).into_response()
    }
}

/// "Done."
#[derive(Serialize)]
struct Done {
    ok: bool,
}

const DONE: Json<Done> = Json(Done { ok: true });

/// Reads a JSON body; unlike axum's own extractor it answers errors as JSON, with line and column.
fn body<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, Refused> {
    let text = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(text).map_err(|error| Refused::bad(format!("the body is not what this call takes: {error}")))
}

#[cfg(test)]
mod tests;
