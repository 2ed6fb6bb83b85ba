//! Updates by webhook, behind the user's own proxy, which does the TLS and passes on what comes to the public address.
//!
//! What must stay true: nothing of a body is read before the secret was right, and no more of it than an update may have;
//! a client that is slow with its body holds nothing but its own connection, and not for long.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use webhook::gate::{BODY_LEN_MAX, Refused, SECRET_HEADER};
use webhook::receiver::Receiver;

use crate::failure::Failure;

/// How long a body may take to arrive.
const BODY_SECS_MAX: u64 = 10;

/// Takes the address, so that Telegram finds somebody there from the first delivery on.
///
/// # Errors
/// Somebody else has it, or it is not this machine's.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| Failure::Input(format!("bot.webhook: cannot listen on {address}: {error}")))
}

/// Serves until it is told to stop; requests that are being handled then are handled to the end.
///
/// # Errors
/// The listener fails.
pub async fn serve(listener: TcpListener, receiver: Receiver, stop: CancellationToken) -> io::Result<()> {
    // The proxy may have its own idea of the path: the secret says who may come.
    let app = Router::new().fallback(post(receive)).with_state(receiver);
    axum::serve(listener, app).with_graceful_shutdown(stop.cancelled_owned()).await
}

async fn receive(State(receiver): State<Receiver>, request: Request<Body>) -> StatusCode {
    let (head, body) = request.into_parts();
    let secret = head.headers.get(SECRET_HEADER).map(|value| value.as_bytes());
    let status = match receiver.knock(secret) {
        Err(refused) => refused.status(),
        Ok(()) => match read(body).await {
            Ok(body) => receiver.receive(secret, &body).await,
            Err(status) => status,
        },
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

async fn read(body: Body) -> Result<axum::body::Bytes, u16> {
    let whole = axum::body::to_bytes(body, BODY_LEN_MAX);
    match tokio::time::timeout(Duration::from_secs(BODY_SECS_MAX), whole).await {
        Ok(Ok(body)) => Ok(body),
        // Too long, or broken off: then nobody reads the status.
        Ok(Err(_cut)) => Err(Refused::TooLarge.status()),
        Err(_elapsed) => Err(StatusCode::REQUEST_TIMEOUT.as_u16()),
    }
}
