//! Answers and errors as the awsJson 1.0 protocol has them.
//! (Source: the service's API reference, <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/>.)

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use md5::{Digest, Md5};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::attributes::{BadAttribute, Texts};
use super::request::ReceiveMessage;
use super::store::{Received, Sent, StoreError};

const JSON: &str = "application/x-amz-json-1.0";

/// One of SQS's errors.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    status: StatusCode,
    /// What the model calls it.
    shape: &'static str,
    /// What the older query protocol calls it; some clients look at this.
    query_code: &'static str,
    message: String,
}

impl Fault {
    pub(super) fn new(shape: &'static str, query_code: &'static str, message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, shape, query_code, message: message.into() }
    }

    pub(super) fn plain(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(code, code, message)
    }

    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self::new("UnsupportedOperation", "AWS.SimpleQueueService.UnsupportedOperation", message)
    }

    pub(super) fn invalid(parameter: &str, why: &str) -> Self {
        Self::plain("InvalidParameterValue", format!("Value for parameter {parameter} is invalid. Reason: {why}"))
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::plain("MissingParameter", format!("The request must contain the parameter {parameter}."))
    }

    /// As one entry of a batch shows it.
    pub(super) fn entry(&self, id: &str) -> Value {
        json!({
            "Id": id, "Code": self.query_code, "Message": self.message, "SenderFault": self.status.is_client_error(),
        })
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::NoQueue => Self::new("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message),
            StoreError::NameTaken(_) => Self::new("QueueNameExists", "QueueAlreadyExists", message),
            StoreError::Attribute(BadAttribute::Name(_)) => Self::plain("InvalidAttributeName", message),
            StoreError::Attribute(BadAttribute::Value(_)) => Self::plain("InvalidAttributeValue", message),
            StoreError::NoReceipt => Self::plain("ReceiptHandleIsInvalid", message),
            StoreError::ReceiptExpired => Self::plain("InvalidParameterValue", message),
            StoreError::Sqlite(_) | StoreError::Json(_) => {
                tracing::error!(%error, "the embedded queue's file failed; is the disk full?");
                Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..Self::plain("InternalFailure", message) }
            }
        }
    }
}

/// The answer to a request, or its refusal.
pub(super) fn response(answered: Result<Value, Fault>) -> Response {
    match answered {
        Ok(answer) => ([("content-type", JSON.to_owned())], answer.to_string()).into_response(),
        Err(fault) => {
            let side = if fault.status.is_client_error() { "Sender" } else { "Receiver" };
            let headers =
                [("content-type", JSON.to_owned()), ("x-amzn-query-error", format!("{};{side}", fault.query_code))];
            let body = json!({ "__type": format!("com.amazonaws.sqs#{}", fault.shape), "message": fault.message });
            (fault.status, headers, body.to_string()).into_response()
        }
    }
}

/// The parameters of a request.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        match text.split('`').nth(1) {
            Some(parameter) if text.starts_with("missing field") => Fault::missing(parameter),
            Some(parameter) if text.starts_with("unknown field") => {
                Fault::unsupported(format!("The parameter {parameter} is not supported here."))
            }
            Some(_) | None => Fault::plain("SerializationException", text),
        }
    })
}

/// What a receive answers.
pub(super) fn received(request: &ReceiveMessage, received: Vec<Received>) -> Value {
    if received.is_empty() {
        return json!({});
    }
    let messages: Vec<ReceivedAnswer> =
        received.into_iter().map(|message| message.answer(|attribute| request.wants(attribute))).collect();
    json!({ "Messages": messages })
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ReceivedAnswer {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: String,
    body: String,
    attributes: Texts,
}

impl Received {
    fn answer(self, wanted: impl Fn(&str) -> bool) -> ReceivedAnswer {
        let attributes = [
            ("ApproximateReceiveCount", self.receives.to_string()),
            ("ApproximateFirstReceiveTimestamp", self.first_received_at.to_string()),
            ("SentTimestamp", self.sent_at.to_string()),
            ("MessageGroupId", self.group_id),
            ("MessageDeduplicationId", self.deduplication_id),
            ("SequenceNumber", sequence_number(self.sequence)),
        ];
        let attributes = attributes.into_iter().filter(|(name, _)| wanted(name));
        ReceivedAnswer {
            message_id: self.message_id,
            receipt_handle: self.receipt,
            md5_of_body: md5_of(&self.body),
            body: self.body,
            attributes: attributes.map(|(name, value)| (name.to_owned(), value)).collect(),
        }
    }
}

/// What a send answers.
pub(super) fn sent(sent: &Sent, body: &str) -> Value {
    json!({
        "MessageId": sent.message_id,
        "MD5OfMessageBody": md5_of(body),
        "SequenceNumber": sequence_number(sent.sequence),
    })
}

/// Twenty digits, so that text order is order.
fn sequence_number(sequence: i64) -> String {
    format!("{sequence:020}")
}

fn md5_of(body: &str) -> String {
    hex(&Md5::digest(body.as_bytes()))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
