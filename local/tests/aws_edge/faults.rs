//! What AWS and the network do to a call, as the SDK sees it. Status, body and headers are those of AWS's services.

use serde_json::{Value, json};

use super::proxy::{Answer, Call, Fate, Loss};

/// One fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An error of DynamoDB's own, of the 400s, that tells that nothing was done.
    Refused(&'static str),
    /// An error of DynamoDB's own that does not tell what was done.
    Unclear(&'static str),
    /// A transaction, cancelled with this reason for its last write.
    Cancelled(&'static str),
    /// An error of the service's own, of the 500s.
    Server(&'static str),
    /// The answer is lost, of a call that was heard or not.
    Lost(bool, Loss),
    /// A BatchGetItem of which only a part is answered.
    LeftOut,
    /// An error of SQS's own.
    Queue(&'static str, &'static str),
}

/// What SQS says of a receipt whose visibility ran out.
pub(crate) const RECEIPT_EXPIRED: Fault = Fault::Queue(
    "InvalidParameterValue",
    "Value AQEB for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.",
);
/// What it says of one that it does not know at all.
pub(crate) const RECEIPT_INVALID: Fault =
    Fault::Queue("ReceiptHandleIsInvalid", "The input receipt handle \"AQEB\" is not a valid receipt handle.");
/// What it says to a caller that asks too much.
pub(crate) const QUEUE_THROTTLED: Fault = Fault::Queue("RequestThrottled", "Request is throttled.");
/// What every service says when a role's credentials have run out.
pub(crate) const EXPIRED: &str = "ExpiredTokenException";

impl Fault {
    /// What becomes of a call that it strikes.
    pub(crate) fn fate(self, call: &Call) -> Fate {
        let dynamo = |code: &str| format!("com.amazonaws.dynamodb.v20120810#{code}");
        let error = |status, code: String| Answer::json(status, &json!({ "__type": code, "message": "as asked for" }));
        match self {
            Self::Refused(EXPIRED) => Fate::Answered(error(400, format!("com.amazon.coral.service#{EXPIRED}"))),
            Self::Refused(code) | Self::Unclear(code) => Fate::Answered(error(400, dynamo(code))),
            Self::Server(code) => {
                let status = if code == "ServiceUnavailable" { 503 } else { 500 };
                Fate::Answered(error(status, dynamo(code)))
            }
            Self::Cancelled(reason) => Fate::Answered(cancelled(call, reason)),
            Self::Lost(heard, how) => Fate::Lost { heard, how },
            Self::LeftOut => Fate::Passed,
            Self::Queue(code, message) => {
                let body = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": message });
                let mut answer = Answer::json(400, &body);
                answer.headers.push_str(&format!("x-amzn-query-error: {code};Sender\r\n"));
                Fate::Answered(answer)
            }
        }
    }
}

fn cancelled(call: &Call, reason: &str) -> Answer {
    let asked: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let writes = asked["TransactItems"].as_array().map_or(1, Vec::len).max(1);
    let mut reasons = vec![json!({ "Code": "None" }); writes - 1];
    reasons.push(json!({ "Code": reason, "Message": "as asked for" }));
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    });
    Answer::json(400, &body)
}

/// Takes all but one item out of the answer to a BatchGetItem, and names them as left out. `false`: there was only one.
pub(crate) fn leave_out(answer: &mut Answer) -> bool {
    let mut body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some(tables) = body["Responses"].as_object_mut() else { return false };
    let mut left = serde_json::Map::new();
    for (table, items) in tables {
        let Some(items) = items.as_array_mut().filter(|items| items.len() > 1) else { continue };
        let keys: Vec<Value> = items.drain(1..).map(|item| json!({ "pk": item["pk"], "sk": item["sk"] })).collect();
        left.insert(table.clone(), json!({ "Keys": keys, "ConsistentRead": true }));
    }
    let any = !left.is_empty();
    if any {
        body["UnprocessedKeys"] = Value::Object(left);
        answer.body = body.to_string().into_bytes();
    }
    any
}
