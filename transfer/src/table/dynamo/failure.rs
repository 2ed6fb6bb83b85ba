//! What the SDK's errors mean for a commit.
//!
//! Conflict and Refused promise that nothing was written, so whatever is not known to be harmless is Unknown: no answer,
//! half an answer, an answer of the 500s.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

use super::super::{CommitError, Key, TableError};

/// A write to an item that another transaction is just writing, or whose condition did not hold.
const CONFLICTS: [&str; 3] =
    ["ConditionalCheckFailedException", "TransactionConflictException", "ReplicatedWriteConflictException"];
/// Errors of the 400s that promise nothing.
const UNCERTAIN: [&str; 3] = ["TransactionInProgressException", "RequestTimeout", "RequestTimeoutException"];
/// The same as [`CONFLICTS`], in the reasons of a cancelled transaction.
const CANCELLED_BY_CONFLICT: [&str; 2] = ["ConditionalCheckFailed", "TransactionConflict"];
/// What stands there for a write that did not get in the way.
const NO_REASON: &str = "None";

pub(super) fn of_read<E>(error: SdkError<E, HttpResponse>) -> TableError
where
    E: std::error::Error + Send + Sync + 'static,
{
    TableError::Failed(DisplayErrorContext(error).to_string())
}

pub(super) fn of_put(error: SdkError<PutItemError, HttpResponse>) -> CommitError {
    of_write(error)
}

pub(super) fn of_delete(error: SdkError<DeleteItemError, HttpResponse>) -> CommitError {
    of_write(error)
}

/// `keys`: where the transaction was to write, in its order, which is that of the reasons.
pub(super) fn of_commit(error: SdkError<TransactWriteItemsError, HttpResponse>, keys: &[Key]) -> CommitError {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return of_write(error);
    };
    let reasons: Vec<&str> =
        cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap_or("?")).collect();
    let blamed: Vec<String> = keys
        .iter()
        .zip(&reasons)
        .filter(|(_, reason)| **reason != NO_REASON)
        .map(|(key, reason)| format!("{reason} at {key}"))
        .collect();
    let text = format!("the transaction was cancelled: {}", blamed.join(", "));
    // One throttled item among conflicts: the caller reads again anyway.
    if reasons.iter().any(|reason| CANCELLED_BY_CONFLICT.contains(reason)) {
        CommitError::Conflict(text)
    } else {
        CommitError::Refused(text)
    }
}

fn of_write<E>(error: SdkError<E, HttpResponse>) -> CommitError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let judged = judge(&error);
    let text = DisplayErrorContext(error).to_string();
    match judged {
        Written::NotByConflict => CommitError::Conflict(text),
        Written::No => CommitError::Refused(text),
        Written::Perhaps => CommitError::Unknown(text),
    }
}

enum Written {
    NotByConflict,
    No,
    Perhaps,
}

fn judge<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Written {
    match error {
        // Never sent.
        SdkError::ConstructionFailure(_) => Written::No,
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or_default();
            if CONFLICTS.contains(&code) {
                Written::NotByConflict
            } else if answer.raw().status().is_client_error() && !code.is_empty() && !UNCERTAIN.contains(&code) {
                Written::No
            } else {
                // A 200 that cannot be decoded comes here too, and so does what some proxy says.
                Written::Perhaps
            }
        }
        // Timeouts, connections that broke, answers that were cut off; and whatever the SDK invents next.
        _ => Written::Perhaps,
    }
}
