//! Where updates go.

use super::{Arguments, Refusal, Reply};
use crate::bot_api::Answer;
use crate::world::bots::delivery::Webhook;
use crate::world::{UserId, World};
use serde_json::{Value, json};
use url::{Host, Url};

const SECRET_LEN_MAX: usize = 256;
const CONNECTIONS: i64 = 40;
const CONNECTIONS_MAX: i64 = 100;

pub(super) fn set(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let Some(url) = arguments.text("url") else { return delete(world, bot, arguments) };
    check_url(url)?;
    let secret = arguments.text("secret_token").map(str::to_owned);
    if let Some(secret) = &secret {
        if secret.len() > SECRET_LEN_MAX {
            return Err(Refusal::bad("secret token is too long"));
        }
        if !secret.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            return Err(Refusal::bad("secret token contains unallowed characters"));
        }
    }
    let connections = arguments.number("max_connections").unwrap_or(CONNECTIONS).clamp(1, CONNECTIONS_MAX);
    let max_connections = usize::try_from(connections).unwrap_or(1);
    let allowed: Option<Vec<String>> = arguments.json("allowed_updates", "allowed_updates")?;
    let webhook = Webhook { url: url.to_owned(), secret, max_connections, last_error: None };
    let same = world
        .bots
        .get(bot)
        .and_then(|it| it.webhook.as_ref())
        .is_some_and(|old| Webhook { last_error: None, ..old.clone() } == webhook);
    if let Some(it) = world.bots.get_mut(bot).filter(|_| allowed.is_some()) {
        it.updates.allow(allowed.unwrap_or_default());
    }
    let drop_pending = arguments.flag("drop_pending_updates");
    if same && !drop_pending {
        return Ok(Answer { result: Value::Bool(true), description: Some("Webhook is already set") });
    }
    world.set_webhook(bot, Some(webhook), drop_pending);
    Ok(Answer { result: Value::Bool(true), description: Some("Webhook was set") })
}

/// Telegram asks for HTTPS. Here it is plain HTTP, to this machine: nothing else could be meant in a test.
fn check_url(url: &str) -> Result<(), Refusal> {
    let parsed = Url::parse(url).map_err(|_unreadable| Refusal::bad("invalid webhook URL specified"))?;
    let local = match parsed.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match parsed.scheme() {
        "http" if local => Ok(()),
        "http" => Err(Refusal::bad("bad webhook: An HTTPS URL must be provided for webhook")),
        "https" => Err(Refusal::bad("bad webhook: the simulator delivers to http:// on loopback only")),
        _ => Err(Refusal::bad("invalid webhook URL specified")),
    }
}

pub(super) fn delete(world: &mut World, bot: UserId, arguments: &Arguments) -> Reply {
    let was_set = world.bots.get(bot).is_some_and(|it| it.webhook.is_some());
    world.set_webhook(bot, None, arguments.flag("drop_pending_updates"));
    let description = if was_set { "Webhook was deleted" } else { "Webhook is already deleted" };
    Ok(Answer { result: Value::Bool(true), description: Some(description) })
}

pub(super) fn info(world: &mut World, bot: UserId) -> Reply {
    let now = world.now();
    let it = world.bots.get_mut(bot).ok_or_else(|| Refusal::new(401, "Unauthorized"))?;
    it.updates.expire(now);
    let url = it.webhook.as_ref().map_or("", |webhook| webhook.url.as_str());
    let mut info = json!({ "url": url, "has_custom_certificate": false, "pending_update_count": it.updates.pending() });
    if let Some(webhook) = &it.webhook {
        info["max_connections"] = Value::from(webhook.max_connections);
        info["ip_address"] = Value::from("127.0.0.1");
        if let Some((at, error)) = &webhook.last_error {
            info["last_error_date"] = Value::from(at.unix_secs());
            info["last_error_message"] = Value::from(error.as_str());
        }
    }
    let allowed: Vec<&str> = it.updates.allowed().collect();
    if !allowed.is_empty() {
        info["allowed_updates"] = json!(allowed);
    }
    Ok(Answer::from(info))
}
