//! Refusals in the Bot API's words. The world speaks MTProto's; both are put together here, once.

use crate::world::RpcError;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use serde_json::{Value, json};

/// Why a call was not carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: u16,
    pub description: String,
    /// Seconds, with code 429.
    pub retry_after: Option<i64>,
}

impl Refusal {
    /// 400, with the words that follow "Bad Request: ".
    #[must_use]
    pub fn bad(words: impl AsRef<str>) -> Refusal {
        Refusal { code: 400, description: format!("Bad Request: {}", words.as_ref()), retry_after: None }
    }

    /// Any other code, with the whole text.
    #[must_use]
    pub fn new(code: u16, description: impl Into<String>) -> Refusal {
        Refusal { code, description: description.into(), retry_after: None }
    }

    /// 429.
    #[must_use]
    pub fn retry_after(secs: i64) -> Refusal {
        let description = format!("Too Many Requests: retry after {secs}");
        Refusal { code: 429, description, retry_after: Some(secs) }
    }

    /// 409.
    #[must_use]
    pub fn conflict(words: &str) -> Refusal {
        Refusal::new(409, format!("Conflict: {words}"))
    }

    /// The answer's body.
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = json!({ "ok": false, "error_code": self.code, "description": self.description });
        if let Some(secs) = self.retry_after {
            body["parameters"] = json!({ "retry_after": secs });
        }
        body
    }
}

impl From<RpcError> for Refusal {
    fn from(error: RpcError) -> Refusal {
        let words = match error.message.as_str() {
            "MESSAGE_NOT_MODIFIED" => {
                "message is not modified: specified new message content and reply markup are exactly the same as a \
                 current content and reply markup of the message"
            }
            "MESSAGE_EMPTY" => "message text is empty",
            "MESSAGE_TOO_LONG" => "message is too long",
            "MEDIA_CAPTION_TOO_LONG" => "message caption is too long",
            "QUERY_ID_INVALID" => "query is too old and response timeout expired or query ID is invalid",
            "REPLY_MARKUP_TOO_LONG" => "reply markup is too long",
            other => other,
        };
        match error.code {
            401 => Refusal::new(401, "Unauthorized"),
            403 => Refusal::new(403, format!("Forbidden: {words}")),
            _ => Refusal::bad(words),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self.body())).into_response();
        if let Some(secs) = self.retry_after {
            response.headers_mut().insert("retry-after", HeaderValue::from(secs));
        }
        response
    }
}
