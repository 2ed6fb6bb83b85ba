//! The Lambda function: wires settings, clients and handler, once per instance, and answers a function URL's requests.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_http::{Body, Error, Request, Response, service_fn};
use metrics::counter;
use transfer::aws::{DynamoClient, SqsClient, aws_config};
use transfer::bot::telegram::TelegramBot;
use transfer::clock::Clock;
use transfer::measuring::Measuring;
use transfer::queue::sqs::SqsQueue;
use transfer::seal::Sealer;
use transfer::table::dynamo::DynamoTable;
use webhook::gate::{Gate, SECRET_HEADER};
use webhook::handler::Handler;
use webhook::receiver::Receiver;
use webhook::settings::{Settings, Unset};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().json().flatten_event(true).with_writer(std::io::stderr).with_target(false).init();
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            tracing::error!("the function does not start: {error}{cause}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Error> {
    #[expect(clippy::disallowed_methods, reason = "the function's configuration is its environment")]
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    let metrics = settings.metrics.clone();
    let measuring = metrics.map(|(namespace, stage)| Measuring::start(namespace, stage)).transpose()?;
    let receiver = receiver(settings).await?;
    lambda_http::run(service_fn(|request: Request| answer(&receiver, request, measuring))).await
}

async fn receiver(settings: Settings) -> Result<Receiver, Error> {
    let aws = aws_config().await;
    let bot = TelegramBot::new(&settings.telegram).map_err(Unset::Bot)?;
    let gate = Gate::new(&settings.secret, settings.admins.clone()).map_err(Unset::Gate)?;
    let handler = Handler {
        table: Arc::new(DynamoTable::new(&DynamoClient::new(&aws), settings.table, settings.bot_id)),
        queue: Arc::new(SqsQueue::new(&SqsClient::new(&aws), settings.queue_url)),
        bot: Arc::new(bot),
        clock: Clock::system(),
        admins: settings.admins.chats(),
        zone: settings.zone,
        sealer: Sealer::fixed(settings.sealing_key),
    };
    Ok(Receiver::new(gate, Arc::new(handler)))
}

async fn answer(receiver: &Receiver, request: Request, measuring: Option<Measuring>) -> Result<Response<Body>, Error> {
    let (head, body) = request.into_parts();
    let secret = head.headers.get(SECRET_HEADER).map(|value| value.as_bytes());
    let status = receiver.receive(secret, body.as_ref()).await;
    counter!(if status == 200 { "updates_taken" } else { "updates_refused" }).increment(1);
    if let Some(measuring) = measuring {
        // The instance may be frozen after the answer, and never wake up.
        measuring.write_out();
    }
    Ok(Response::builder().status(status).body(Body::Empty)?)
}
