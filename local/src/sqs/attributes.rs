//! A queue's attributes: which there are, what they may say, and what they mean.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Attributes as they are set and shown: name to text.
pub(super) type Texts = BTreeMap<String, String>;

/// What a queue is told at its making, read once and checked.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Attributes {
    pub(super) visibility_secs: u32,
    pub(super) retention_secs: u32,
    pub(super) wait_secs: u32,
    pub(super) content_based_deduplication: bool,
    pub(super) redrive: Option<Redrive>,
    /// As they were set.
    pub(super) texts: Texts,
}

/// Where messages go that fail too often.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Redrive {
    pub(super) queue: String,
    pub(super) receives_max: u32,
}

/// Why attributes are refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadAttribute {
    /// There is none of that name, or it cannot be set.
    #[error("Unknown Attribute {0}.")]
    Name(String),
    /// It cannot have this value.
    #[error("Invalid value for the parameter {0}.")]
    Value(String),
}

/// Visibility and waiting as SQS bounds them, in seconds.
pub(super) const VISIBILITY_SECS_MAX: u32 = 43_200;
pub(super) const WAIT_SECS_MAX: u32 = 20;
const RETENTION_SECS: (u32, u32) = (60, 1_209_600);
/// What holds where nothing is set.
const VISIBILITY_SECS_DEFAULT: u32 = 30;
const RETENTION_SECS_DEFAULT: u32 = 345_600;

/// The queue's name as an ARN. Region and owner mean nothing here.
pub(super) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:000000000000:{queue}")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RedrivePolicy {
    dead_letter_target_arn: String,
    max_receive_count: Count,
}

/// SQS takes the number with and without quotes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u32),
    Text(String),
}

impl Attributes {
    pub(super) fn parse(texts: Texts) -> Result<Self, BadAttribute> {
        let mut parsed = Self {
            visibility_secs: VISIBILITY_SECS_DEFAULT,
            retention_secs: RETENTION_SECS_DEFAULT,
            wait_secs: 0,
            content_based_deduplication: false,
            redrive: None,
            texts: Texts::new(),
        };
        for (name, value) in &texts {
            match name.as_str() {
                "FifoQueue" if value == "true" => {}
                "FifoQueue" => return Err(BadAttribute::Value(name.clone())),
                "VisibilityTimeout" => parsed.visibility_secs = secs(name, value, (0, VISIBILITY_SECS_MAX))?,
                "MessageRetentionPeriod" => parsed.retention_secs = secs(name, value, RETENTION_SECS)?,
                "ReceiveMessageWaitTimeSeconds" => parsed.wait_secs = secs(name, value, (0, WAIT_SECS_MAX))?,
                "ContentBasedDeduplication" => {
                    parsed.content_based_deduplication =
                        value.parse().map_err(|_no_bool| BadAttribute::Value(name.clone()))?;
                }
                "RedrivePolicy" if value.is_empty() => {}
                "RedrivePolicy" => {
                    parsed.redrive = Some(redrive(value).ok_or_else(|| BadAttribute::Value(name.clone()))?);
                }
                _ => return Err(BadAttribute::Name(name.clone())),
            }
        }
        parsed.texts = texts;
        Ok(parsed)
    }

    /// Everything that can be asked about, beside the counts.
    pub(super) fn shown(&self, queue: &str) -> Texts {
        let mut shown = Texts::from([
            ("QueueArn".to_owned(), arn(queue)),
            ("FifoQueue".to_owned(), "true".to_owned()),
            ("VisibilityTimeout".to_owned(), self.visibility_secs.to_string()),
            ("MessageRetentionPeriod".to_owned(), self.retention_secs.to_string()),
            ("ReceiveMessageWaitTimeSeconds".to_owned(), self.wait_secs.to_string()),
            ("ContentBasedDeduplication".to_owned(), self.content_based_deduplication.to_string()),
        ]);
        shown.extend(self.texts.clone());
        shown
    }
}

fn secs(name: &str, value: &str, (min, max): (u32, u32)) -> Result<u32, BadAttribute> {
    let parsed = value.parse().ok().filter(|secs| (min..=max).contains(secs));
    parsed.ok_or_else(|| BadAttribute::Value(name.to_owned()))
}

fn redrive(value: &str) -> Option<Redrive> {
    let policy: RedrivePolicy = serde_json::from_str(value).ok()?;
    let receives_max = match policy.max_receive_count {
        Count::Number(number) => number,
        Count::Text(text) => text.parse().ok()?,
    };
    let queue = policy.dead_letter_target_arn.strip_prefix(&arn(""))?.to_owned();
    (1..=1000).contains(&receives_max).then_some(Redrive { queue, receives_max })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> Texts {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_redrive_policy_names_queue_and_count() {
        for count in ["5", "\"5\""] {
            let policy = format!(r#"{{"deadLetterTargetArn":"{}","maxReceiveCount":{count}}}"#, arn("dead.fifo"));
            let parsed = Attributes::parse(texts(&[("RedrivePolicy", &policy)])).unwrap();
            assert_eq!(parsed.redrive, Some(Redrive { queue: "dead.fifo".to_owned(), receives_max: 5 }));
        }
    }

    #[test]
    fn what_sqs_would_refuse_is_refused() {
        let refused = |name: &str, value: &str| Attributes::parse(texts(&[(name, value)])).unwrap_err();
        assert_eq!(refused("Policy", "{}"), BadAttribute::Name("Policy".to_owned()));
        for (name, value) in [
            ("FifoQueue", "false"),
            ("VisibilityTimeout", "43201"),
            ("VisibilityTimeout", "-1"),
            ("MessageRetentionPeriod", "59"),
            ("ContentBasedDeduplication", "yes"),
            ("RedrivePolicy", "{}"),
            ("RedrivePolicy", r#"{"deadLetterTargetArn":"dead","maxReceiveCount":5}"#),
        ] {
            assert_eq!(refused(name, value), BadAttribute::Value(name.to_owned()), "{value}");
        }
    }
}
