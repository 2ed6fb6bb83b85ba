//! Credentials that are asked for anew when AWS says that they have expired.
//!
//! The SDK keeps what its provider gave until the time that the provider named, and goes on signing with it though each
//! answer says ExpiredToken: a role that was taken back, or a clock that is wrong, would silence a host until then. So
//! credentials are kept here instead, and what AWS answers is looked at: after such an answer the next call asks the
//! provider again. The call that was answered so has failed and changed nothing; whoever made it tries it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use tokio::sync::Mutex;

use crate::clock::Clock;

/// So long before their end credentials are not used any more: a call may take a while to arrive.
const BEFORE_THE_END: Duration = Duration::from_secs(60);
/// What AWS's services call it: ExpiredToken, ExpiredTokenException.
const EXPIRED: &[u8] = b"ExpiredToken";

/// The same configuration, with credentials that are renewed when AWS says so. Without a provider or an HTTP client there
/// is nothing to renew, or nobody to listen to, and it stays as it is.
pub fn renewing(config: SdkConfig, clock: Clock) -> SdkConfig {
    let (Some(source), Some(http)) = (config.credentials_provider(), config.http_client()) else {
        return config;
    };
    let kept = Kept { source, clock, state: Arc::default() };
    let listening = Listening { http, refused: kept.state.clone() };
    config
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(kept))
        .identity_cache(IdentityCache::no_cache())
        .http_client(listening)
        .build()
}

#[derive(Debug, Default)]
struct State {
    /// Counts AWS's refusals.
    refusals: AtomicU64,
    /// What was given last, and how many refusals there were when it was asked for.
    last: Mutex<Option<(Credentials, u64)>>,
}

#[derive(Debug)]
struct Kept {
    source: SharedCredentialsProvider,
    clock: Clock,
    state: Arc<State>,
}

impl Kept {
    async fn give(&self) -> Result<Credentials, CredentialsError> {
        // One asks, the others wait for what comes.
        let mut last = self.state.last.lock().await;
        let refusals = self.state.refusals.load(Ordering::Acquire);
        let now = SystemTime::from(self.clock.now());
        if let Some((credentials, seen)) = last.as_ref()
            && *seen == refusals
            && credentials.expiry().is_none_or(|end| end > now + BEFORE_THE_END)
        {
            return Ok(credentials.clone());
        }
        match self.source.provide_credentials().await {
            Ok(credentials) => {
                *last = Some((credentials.clone(), refusals));
                Ok(credentials)
            }
            // Those that were given before may still be good: AWS is the judge of that.
            Err(error) => match last.as_ref() {
                Some((credentials, _)) if credentials.expiry().is_none_or(|end| end > now) => {
                    tracing::warn!(%error, "no fresh credentials; going on with those of before");
                    Ok(credentials.clone())
                }
                _ => Err(error),
            },
        }
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.give())
    }
}

/// An HTTP client whose answers are looked at for that one word.
#[derive(Debug)]
struct Listening {
    http: SharedHttpClient,
    refused: Arc<State>,
}

impl HttpClient for Listening {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let connector = self.http.http_connector(settings, components);
        SharedHttpConnector::new(Connection { connector, refused: self.refused.clone() })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.http.connector_metadata()
    }
}

#[derive(Debug)]
struct Connection {
    connector: SharedHttpConnector,
    refused: Arc<State>,
}

impl HttpConnector for Connection {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, refused) = (self.connector.call(request), self.refused.clone());
        HttpConnectorFuture::new(async move { listen(answer.await?, &refused).await })
    }
}

async fn listen(mut answer: HttpResponse, refused: &State) -> Result<HttpResponse, ConnectorError> {
    // Errors alone are read here: they are short.
    if !answer.status().is_client_error() {
        return Ok(answer);
    }
    let body = std::mem::replace(answer.body_mut(), SdkBody::empty());
    let read = ByteStream::new(body).collect().await;
    let body = read.map_err(|error| ConnectorError::io(error.into()))?.into_bytes();
    if body.windows(EXPIRED.len()).any(|word| word == EXPIRED) {
        tracing::warn!("AWS says that the credentials have expired: they are asked for anew");
        refused.refusals.fetch_add(1, Ordering::AcqRel);
    }
    *answer.body_mut() = SdkBody::from(body);
    Ok(answer)
}
