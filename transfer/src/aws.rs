//! How the AWS SDK is configured: for the engines on this machine, or for AWS itself.
//!
//! Both use hyper with connections kept alive. Towards loopback there is no TLS at all, so nothing of it is built;
//! towards AWS it is rustls with ring.

mod credentials;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

pub use aws_sdk_dynamodb::Client as DynamoClient;
pub use aws_sdk_sqs::Client as SqsClient;

pub use self::credentials::renewing;
use crate::clock::Clock;

/// The embedded engines know no regions, but requests are signed for one.
const LOCAL_REGION: &str = "us-east-1";

/// For an engine behind `endpoint` (`http://127.0.0.1:…`), which believes any credentials.
pub fn local_config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(LOCAL_REGION))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::from_keys("ferry", "ferry", None)))
        .http_client(Builder::new().build_http())
        .build()
}

/// For AWS, with region and credentials from where AWS programs look for them: environment, profile, the role of the
/// container or function. `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_SQS` are honoured. Credentials are asked for
/// anew when AWS says that they have expired ([`renewing`]).
pub async fn aws_config() -> SdkConfig {
    let https = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    renewing(aws_config::defaults(BehaviorVersion::latest()).http_client(https).load().await, Clock::system())
}
