//! Forwards: each is the open intent of its task, byte for byte, made by the holder of the leases.

use std::sync::Arc;

use simulator::world::UserId;
use simulator::world::audit::{Entry, Outcome};
use simulator::world::forward::ForwardRequest;
use transfer::ids::TaskId;

use super::state::{OpenIntent, State, TaskView};
use super::{Invariant, expected, told};
use crate::process::Process;

/// Nothing that was sent applies later than this (the stated assumption of takeover).
const APPLIES_WITHIN_MILLIS: i64 = 120_000;
/// A life acts until 15 s after it sent its last renewal; a call travels a little.
const ACTS_FOR_MILLIS: i64 = 17_000;

/// A forward that the world is deciding.
pub(super) struct Going {
    request: Arc<ForwardRequest>,
    task: Option<TaskId>,
    /// The first call of its intent, by the life that committed it.
    pub(super) first: bool,
    open: bool,
    /// Random ids that no earlier call was bound to.
    newly_bound: Vec<i64>,
    held_against: Vec<(Invariant, String)>,
}

impl State {
    pub(super) fn forwarding(&mut self, by: &Process, account: UserId, request: &ForwardRequest) {
        let task = self.task_of(&request.random_ids).cloned().or_else(|| self.task_with(account, request));
        let mut going = Going {
            request: Arc::new(request.clone()),
            task: task.clone(),
            first: false,
            open: false,
            newly_bound: Vec::new(),
            held_against: Vec::new(),
        };
        let mut broken: Vec<(Invariant, String)> = self.random_ids_broken(account, request).into_iter().collect();
        broken.extend(self.bytes_broken(account, request));
        match task.as_ref().and_then(|task| self.tasks.get(task)) {
            None => broken.push((
                Invariant::IntentFirst,
                format!("{} forwards {} with account {account}: no task asked for it", by.incarnation(), ids(request)),
            )),
            Some(view) => {
                broken.extend(self.albums_broken(view, request));
                broken.extend(self.intent_broken(by, account, request, view, &mut going));
                going.held_against.extend(self.holder_broken(by, account, request, view));
            }
        }
        for (invariant, text) in broken {
            self.violated(invariant, text);
        }
        self.bind(account, &mut going);
        // One that is still there is late: it may be carried out at any moment, and stays bound.
        self.calls.going.insert(account, going);
    }

    /// From its arrival on a request may be carried out.
    fn bind(&mut self, account: UserId, going: &mut Going) {
        for random in &going.request.random_ids {
            if let std::collections::btree_map::Entry::Vacant(free) = self.bound.entry((account.0, *random)) {
                free.insert(going.request.clone());
                going.newly_bound.push(*random);
            }
        }
        let now = self.now();
        let open = going.task.as_ref().and_then(|task| self.tasks.get_mut(task)).and_then(|view| view.open.as_mut());
        if let Some(open) = open.filter(|_| going.open) {
            open.calls += 1;
            open.last_call = Some(now);
        }
    }

    /// Random ids that nobody derived: whose intent has these messages?
    fn task_with(&self, account: UserId, request: &ForwardRequest) -> Option<TaskId> {
        let fits = |view: &&TaskView| {
            let between = view.plan.source == request.from && view.plan.target == request.to;
            let same =
                |open: &OpenIntent| open.account == account.0 && open.ids().eq(request.ids.iter().map(|id| id.0));
            between && view.open.as_ref().is_some_and(same)
        };
        self.tasks.values().find(fits).map(|view| view.plan.id.clone())
    }

    fn random_ids_broken(&self, account: UserId, request: &ForwardRequest) -> Option<(Invariant, String)> {
        let pairs = request.ids.iter().zip(&request.random_ids);
        let mut wrong = pairs.filter_map(|(id, random)| {
            let (task, of) = self.random.get(random)?;
            (*of != id.0).then_some((id, random, task, of))
        });
        let (id, random, task, of) = wrong.next()?;
        let text = format!("account {account} forwards {id} with the random id {random} of message {of} of {task}");
        Some((Invariant::RandomIds, text))
    }

    /// A random id that may have been carried out goes only in the same request again.
    fn bytes_broken(&self, account: UserId, request: &ForwardRequest) -> Option<(Invariant, String)> {
        let bound = request.random_ids.iter().find_map(|random| self.bound.get(&(account.0, *random)))?;
        if **bound == *request {
            return None;
        }
        let text = format!(
            "account {account} forwards {}, though an earlier call with some of these random ids, which may have been \
             carried out, was for {} (flags, ids or random ids differ)",
            ids(request),
            ids(bound)
        );
        Some((Invariant::ByteIdentical, text))
    }

    fn albums_broken(&self, view: &TaskView, request: &ForwardRequest) -> Option<(Invariant, String)> {
        let (source, window) = (self.sources.get(&view.plan.source)?, view.window?);
        let asked = |id: i32| request.ids.iter().any(|asked| asked.0 == id);
        let whole = |id: i32| expected::companions(source, window, id).find(|other| !asked(*other));
        let (id, other) = request.ids.iter().find_map(|id| Some((id.0, whole(id.0)?)))?;
        let text = format!("{}: a call carries {} without {other}, of the album of {id}", view.plan.id, ids(request));
        Some((Invariant::AlbumWhole, text))
    }

    /// The call has to be that of an intent. One that was closed lately may be a call that was long on its way.
    fn intent_broken(
        &self,
        by: &Process,
        account: UserId,
        request: &ForwardRequest,
        view: &TaskView,
        going: &mut Going,
    ) -> Option<(Invariant, String)> {
        let task = &view.plan.id;
        if let Some(open) = view.open.as_ref().filter(|open| is_of(open, account, request, view)) {
            going.open = true;
            going.first = open.calls == 0 && open.intent.made_by == *by.incarnation();
            return None;
        }
        let Some(past) = view.past.iter().rev().find(|past| is_of(past, account, request, view)) else {
            let near = view.open.as_ref().filter(|open| open.account == account.0);
            let near = near.filter(|open| open.ids().eq(request.ids.iter().map(|id| id.0)));
            let invariant = if near.is_some() { Invariant::ByteIdentical } else { Invariant::IntentFirst };
            let open = view.open.as_ref().map_or_else(
                || "no intent is open".to_owned(),
                |open| format!("the open intent is {} by account {}", told(open.ids()), open.account),
            );
            let (by, ids) = (by.incarnation(), ids(request));
            let text = format!("{by} forwards {ids} of {task} with account {account}, but {open}, or other random ids");
            return Some((invariant, text));
        };
        let text = format!(
            "{} forwards {} of {task} with account {account} though that intent is closed",
            by.incarnation(),
            ids(request)
        );
        let since = past.closed.map_or(0, |closed| self.now().since(closed));
        if since > APPLIES_WITHIN_MILLIS {
            return Some((Invariant::IntentFirst, text));
        }
        going.held_against.push((Invariant::IntentFirst, text));
        None
    }

    /// Whether the caller holds what it needs: held against it if the call is heard.
    fn holder_broken(
        &self,
        by: &Process,
        account: UserId,
        request: &ForwardRequest,
        view: &TaskView,
    ) -> Vec<(Invariant, String)> {
        let mut broken = Vec::new();
        let task = &view.plan.id;
        let (who, what) = (by.incarnation(), || ids(request));
        if view.holder() != Some(who) {
            let holder = view.holder().map_or("nobody", |holder| holder.0.as_str());
            let text = format!("{who} forwards {} of {task}, whose lease {holder} has", what());
            broken.push((Invariant::LeaseFence, text));
        }
        if let Some(silent) = self.lives.silent_millis(who, self.now()).filter(|silent| *silent > ACTS_FOR_MILLIS) {
            let text = format!(
                "{who} forwards {} with account {account} {silent} ms after its last renewal was committed",
                what()
            );
            broken.push((Invariant::LeaseFence, text));
        }
        let lock = self.locks.get(&transfer::ids::PeerId(view.plan.target.0));
        if lock != Some(task) {
            let holder = lock.map_or("nobody", |task| task.0.as_str());
            let text = format!("{task} forwards {} into {}, whose lock {holder} has", what(), view.plan.target);
            broken.push((Invariant::OneTaskPerTarget, text));
        }
        broken
    }

    /// The world has decided a forward: what it refused was not carried out.
    pub(super) fn decided(&mut self, going: Going, entry: &Entry) -> Vec<(Invariant, String)> {
        if let (Outcome::Refused(_), Some(account)) = (&entry.outcome, entry.account) {
            for random in &going.newly_bound {
                self.bound.remove(&(account.0, *random));
            }
        }
        going.held_against
    }
}

/// Whether a request is the call of an intent.
fn is_of(intent: &OpenIntent, account: UserId, request: &ForwardRequest, view: &TaskView) -> bool {
    let style = intent.intent.style;
    intent.account == account.0
        && view.plan.source == request.from
        && view.plan.target == request.to
        && intent.ids().eq(request.ids.iter().map(|id| id.0))
        && intent.intent.random_ids.0.iter().map(|random| random.0).eq(request.random_ids.iter().copied())
        && style.drop_author == request.drop_author
        && style.drop_captions == request.drop_media_captions
        && style.silent == request.silent
        && !request.background
        && !request.noforwards
        && request.topic.is_none()
}

fn ids(request: &ForwardRequest) -> String {
    told(request.ids.iter().map(|id| id.0))
}
