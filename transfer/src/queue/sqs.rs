//! The queue in SQS, or behind any endpoint that speaks its protocol. Group: the task; deduplication id: `task:seq`.
//!
//! Every call may be sent again without harm: sends are deduplicated, a receive whose answer is lost only delays its
//! jobs by their visibility, extending and deleting are the same done twice. So the SDK's retries stay on.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

use super::{Delivery, Job, Queue, QueueError, RECEIVE_MAX, RECEIVES_MAX, Receipt};

/// How long one call may take, beside what it was asked to wait.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// SQS waits no longer than this for a message.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// SQS keeps nothing invisible for longer.
const VISIBILITY_MAX: Duration = Duration::from_secs(12 * 3600);
/// Visibility of jobs where a receive does not say.
const VISIBILITY_SECS_DEFAULT: u32 = 120;

/// One SQS FIFO queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    /// The same with time to wait in.
    waiting: Client,
    queue_url: String,
}

impl SqsQueue {
    /// The queue with this URL. Timeouts of `client` are replaced.
    pub fn new(client: &Client, queue_url: impl Into<String>) -> Self {
        let within = |timeout: Duration| {
            let timeouts = TimeoutConfig::builder().operation_attempt_timeout(timeout).build();
            Client::from_conf(client.config().to_builder().timeout_config(timeouts).build())
        };
        Self { client: within(CALL_TIMEOUT), waiting: within(WAIT_MAX + CALL_TIMEOUT), queue_url: queue_url.into() }
    }

    /// Creates `name` (without `.fifo`) and its dead-letter queue `name-dead` unless they exist. For one machine and
    /// for tests; in AWS the template does it.
    ///
    /// # Errors
    /// The service refused, or does not answer as SQS does.
    pub async fn create(client: &Client, name: &str) -> Result<Self, QueueError> {
        let dead_url = create_fifo(client, &format!("{name}-dead.fifo"), None).await?;
        let attributes = client.get_queue_attributes().queue_url(&dead_url);
        let attributes =
            attributes.attribute_names(QueueAttributeName::QueueArn).send().await.map_err(failed)?.attributes;
        let dead_arn = attributes
            .and_then(|mut attributes| attributes.remove(&QueueAttributeName::QueueArn))
            .ok_or_else(|| QueueError::Failed(format!("the queue {dead_url} has no ARN")))?;
        let redrive = serde_json::json!({ "deadLetterTargetArn": dead_arn, "maxReceiveCount": RECEIVES_MAX });
        let queue_url = create_fifo(client, &format!("{name}.fifo"), Some(redrive.to_string())).await?;
        Ok(Self::new(client, queue_url))
    }

    /// Its dead letters, as [`Self::create`] names them.
    ///
    /// # Errors
    /// There is no such queue.
    pub async fn dead_letters(&self) -> Result<Self, QueueError> {
        let name = self.queue_url.rsplit('/').next().unwrap_or_default().trim_end_matches(".fifo");
        let found = self.client.get_queue_url().queue_name(format!("{name}-dead.fifo")).send().await.map_err(failed)?;
        let queue_url = found.queue_url.ok_or_else(|| QueueError::Failed(format!("{name}-dead.fifo has no URL")))?;
        Ok(Self { queue_url, ..self.clone() })
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.queue_url
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, job: &Job) -> Result<(), QueueError> {
        let body = serde_json::to_string(job).map_err(|error| QueueError::Failed(error.to_string()))?;
        let send = self.client.send_message().queue_url(&self.queue_url).message_body(body);
        let send = send.message_group_id(job.group()).message_deduplication_id(job.deduplication_id());
        send.send().await.map_err(failed)?;
        Ok(())
    }

    /// SQS counts whole seconds, so both times are rounded up; it waits 20 s at most.
    async fn receive(&self, max: u32, visibility: Duration, wait: Duration) -> Result<Vec<Delivery>, QueueError> {
        let receive = self.waiting.receive_message().queue_url(&self.queue_url);
        let receive = receive
            .max_number_of_messages(i32::try_from(max.clamp(1, RECEIVE_MAX)).unwrap_or(1))
            .visibility_timeout(secs(visibility.min(VISIBILITY_MAX)))
            .wait_time_seconds(secs(wait.min(WAIT_MAX)))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount);
        let received = receive.send().await.map_err(failed)?;
        received.messages.unwrap_or_default().into_iter().map(delivery).collect()
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<(), QueueError> {
        let change = self.client.change_message_visibility().queue_url(&self.queue_url).receipt_handle(&receipt.0);
        change.visibility_timeout(secs(visibility.min(VISIBILITY_MAX))).send().await.map_err(receipt_failed)?;
        Ok(())
    }

    async fn delete(&self, receipt: &Receipt) -> Result<(), QueueError> {
        let delete = self.client.delete_message().queue_url(&self.queue_url).receipt_handle(&receipt.0);
        delete.send().await.map_err(receipt_failed)?;
        Ok(())
    }

    async fn purge(&self) -> Result<(), QueueError> {
        self.client.purge_queue().queue_url(&self.queue_url).send().await.map_err(failed)?;
        Ok(())
    }
}

async fn create_fifo(client: &Client, name: &str, redrive: Option<String>) -> Result<String, QueueError> {
    let create = client
        .create_queue()
        .queue_name(name)
        .attributes(QueueAttributeName::FifoQueue, "true")
        .attributes(QueueAttributeName::VisibilityTimeout, VISIBILITY_SECS_DEFAULT.to_string());
    let create = match redrive {
        Some(policy) => create.attributes(QueueAttributeName::RedrivePolicy, policy),
        None => create,
    };
    let created = create.send().await.map_err(failed)?;
    created.queue_url.ok_or_else(|| QueueError::Failed(format!("the new queue {name} has no URL")))
}

fn delivery(message: Message) -> Result<Delivery, QueueError> {
    let count =
        message.attributes.as_ref().and_then(|known| known.get(&MessageSystemAttributeName::ApproximateReceiveCount));
    let attempt = count.and_then(|count| count.parse().ok());
    match (message.receipt_handle, attempt) {
        (Some(receipt), Some(attempt)) => {
            let (id, body) = (message.message_id.unwrap_or_default(), message.body.unwrap_or_default());
            Ok(Delivery { id, body, receipt: Receipt(receipt), attempt })
        }
        (None, _) | (_, None) => Err(QueueError::Failed("a message came without receipt or count".to_owned())),
    }
}

fn secs(duration: Duration) -> i32 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

fn failed<E>(error: SdkError<E, HttpResponse>) -> QueueError
where
    E: std::error::Error + Send + Sync + 'static,
{
    QueueError::Failed(DisplayErrorContext(error).to_string())
}

/// SQS has several words for a receipt that is no longer good.
fn receipt_failed<E>(error: SdkError<E, HttpResponse>) -> QueueError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let expired = error.as_service_error().is_some_and(|error| {
        let code = error.code().unwrap_or_default();
        let about_receipt = error.message().is_some_and(|message| message.contains("ReceiptHandle"));
        code.ends_with("MessageNotInflight")
            || code.ends_with("ReceiptHandleIsInvalid")
            || (code.starts_with("InvalidParameterValue") && about_receipt)
    });
    if expired { QueueError::ReceiptExpired } else { failed(error) }
}
