//! The world as a whole: scenarios, exports, floods, faults, time, audit.

use super::{Control, DONE, Done, Refused, Reply, ServerInfo, body};
use crate::export::{self, Loaded, Loading};
use crate::scenario::Scenario;
use crate::world::audit::{Entry, EntryView};
use crate::world::chat::{AdminRights, Role};
use crate::world::faults::Faults;
use crate::world::floods::{FloodModel, Script};
use crate::world::quirks::Quirks;
use crate::world::{AuthKeyId, UserId, WireCommand};
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::Json;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize)]
pub(super) struct Health {
    ok: bool,
    time_ms: i64,
}

pub(super) async fn health(State(control): State<Control>) -> Json<Health> {
    Json(Health { ok: true, time_ms: control.shared.with_world(|world| world.now().0) })
}

pub(super) async fn server(State(control): State<Control>) -> Json<ServerInfo> {
    Json(control.server.as_ref().clone())
}

pub(super) async fn unknown(uri: Uri) -> Refused {
    Refused::missing(format!("there is no {}: see the table of calls in the simulator's control module", uri.path()))
}

/// `seed` is looked at only when a world begins, so it has no effect here.
pub(super) async fn scenario(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let scenario: Scenario = body(&bytes)?;
    control.shared.with_world(|world| scenario.add_to(world)).map_err(Refused::bad)?;
    Ok(DONE)
}

#[derive(Deserialize)]
pub(super) struct ExportQuery {
    /// Who gets private chats and basic groups.
    owner: Option<UserId>,
    /// An admin of every channel that is loaded.
    member: Option<UserId>,
    username: Option<String>,
}

pub(super) async fn export(
    State(control): State<Control>,
    Query(query): Query<ExportQuery>,
    bytes: Bytes,
) -> Reply<Vec<Loaded>> {
    let admin = Role::Admin(AdminRights::default());
    let members = query.member.map(|user| (user, admin)).into_iter().collect();
    let loading = Loading { owner: query.owner, members, username: query.username };
    let loaded = control.shared.with_world(|world| {
        let strangers = [query.owner, query.member].into_iter().flatten().find(|user| !world.users.contains_key(user));
        match strangers {
            Some(user) => Err(format!("there is no user {user}: add it with POST /scenario first")),
            None => export::load(world, &bytes, &loading).map_err(|error| error.to_string()),
        }
    });
    loaded.map(Json).map_err(Refused::bad)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FloodsBody {
    /// `none`, `reported`, `BUCKET:WAIT_SECS`, or a model in full.
    #[serde(default)]
    model: Option<ModelBody>,
    #[serde(default = "unscaled")]
    scale: f64,
    #[serde(default)]
    scripts: Vec<Script>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ModelBody {
    Named(String),
    Full(FloodModel),
}

fn unscaled() -> f64 {
    1.0
}

/// A model replaces the old one and forgets all waits; scripts are added.
pub(super) async fn floods(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let request: FloodsBody = body(&bytes)?;
    if !(request.scale.is_finite() && request.scale > 0.0) {
        return Err(Refused::bad(format!("scale {} has to be a number above 0", request.scale)));
    }
    let model = match request.model {
        None => None,
        Some(ModelBody::Full(model)) => Some(model),
        Some(ModelBody::Named(name)) => Some(FloodModel::parse(&name, request.scale).map_err(Refused::bad)?),
    };
    control.shared.with_world(|world| {
        if let Some(model) = model {
            world.floods.reset(model);
        }
        for script in request.scripts {
            world.floods.script(script);
        }
    });
    Ok(DONE)
}

pub(super) async fn faults(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let faults: Faults = body(&bytes)?;
    control.shared.with_world(|world| world.faults = faults);
    Ok(DONE)
}

pub(super) async fn quirks(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let quirks: Quirks = body(&bytes)?;
    control.shared.with_world(|world| world.quirks = quirks);
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AdvanceBody {
    millis: u64,
}

pub(super) async fn advance(State(control): State<Control>, bytes: Bytes) -> Reply<Health> {
    let AdvanceBody { millis } = body(&bytes)?;
    let time_ms = control.shared.with_world(|world| {
        world.clock.advance(Duration::from_millis(millis));
        world.now().0
    });
    Ok(Json(Health { ok: true, time_ms }))
}

pub(super) async fn rotate_salts(State(control): State<Control>) -> Json<Done> {
    control.shared.command(WireCommand::RotateSalts);
    DONE
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SkewBody {
    millis: i64,
}

pub(super) async fn skew(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let SkewBody { millis } = body(&bytes)?;
    control.shared.command(WireCommand::ClockSkew { millis });
    Ok(DONE)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KickBody {
    /// All connections when left out.
    #[serde(default)]
    auth_key: Option<AuthKeyId>,
}

pub(super) async fn kick(State(control): State<Control>, bytes: Bytes) -> Reply<Done> {
    let KickBody { auth_key } = body(&bytes)?;
    control.shared.command(WireCommand::Kick { auth_key });
    Ok(DONE)
}

#[derive(Deserialize)]
pub(super) struct AuditQuery {
    #[serde(default)]
    since: u64,
    limit: Option<usize>,
}

/// At most so many entries in one answer, unless asked otherwise.
const AUDIT_PAGE: usize = 10_000;

pub(super) async fn audit(State(control): State<Control>, Query(query): Query<AuditQuery>) -> Json<Vec<EntryView>> {
    let limit = query.limit.unwrap_or(AUDIT_PAGE);
    let entries = control
        .shared
        .with_world(|world| world.audit.since(query.since).iter().take(limit).map(Entry::view).collect::<Vec<_>>());
    Json(entries)
}
