//! What a process that stands still, a dead one, a second one and a bad wire see of Telegram.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_host::telegram::{CallError, Connection, Forward, OpenError, Telegram};
use simulator::world::audit::Entry;
use simulator::world::forward::ForwardRequest;
use simulator::world::generated::Mix;
use simulator::world::{SessionId, UserId};
use tokio::time::{Instant, sleep};
use transfer::address::PeerAddress;
use transfer::ids::{AccountId, HostId, Incarnation, MessageId, RandomId};
use transfer::refusal::Meaning;
use transfer::task::Style;

use super::{InProcess, Witness};
use crate::{Fault, Faults, Process, Stage, Trace};

/// Writes down what it sees.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn count(&self, beginning: &str) -> usize {
        self.all().iter().filter(|note| note.starts_with(beginning)).count()
    }
}

impl Witness for Notes {
    fn opened(&self, by: &Process, account: UserId, session: SessionId) {
        self.note(format!("opened {account} {} by {}", session.0, by.incarnation().0));
    }

    fn closed(&self, session: SessionId) {
        self.note(format!("closed {}", session.0));
    }

    fn called(&self, by: &Process, entry: &Entry) {
        self.note(format!("called {} by {}: {}", entry.method, by.incarnation().0, entry.outcome_text()));
    }

    fn forwarding(&self, by: &Process, account: UserId, request: &ForwardRequest) {
        self.note(format!("forwarding {} of {account} by {}", request.ids.len(), by.incarnation().0));
    }

    fn heard(&self, by: &Process, audit_seq: u64) {
        self.note(format!("heard {audit_seq} by {}", by.incarnation().0));
    }
}

/// A world, and those who look at it.
struct Scene {
    stage: Stage,
    notes: Arc<Notes>,
    faults: Faults,
    trace: Trace,
}

impl Scene {
    async fn new(seed: u64, rates: &[(Fault, u32)]) -> Self {
        let faults = Faults::new(seed, rates.iter().copied().collect::<BTreeMap<_, _>>());
        let stage = Stage::new(40, Mix::default(), 2).await;
        Self { stage, notes: Arc::default(), faults, trace: Trace::on() }
    }

    fn host(&self, name: &str) -> (Process, InProcess) {
        let process = Process::new(HostId::from(name), Incarnation::from(name), self.stage.clock.clone());
        let (world, witness) = (self.stage.world.clone(), self.notes.clone());
        let telegram = InProcess::of(process.clone(), world, self.faults.clone(), witness, self.trace.clone());
        (process, telegram)
    }

    fn applied(&self) -> usize {
        self.stage.delivered().len()
    }
}

async fn opened(telegram: &InProcess) -> Box<dyn Connection> {
    telegram.open(&AccountId::from("7001")).await.expect("the connection opens")
}

async fn forward_of(connection: &dyn Connection, ids: &[i32]) -> Forward {
    let source = connection.resolve(&PeerAddress::Username("source".into())).await.unwrap();
    let target = connection.resolve(&PeerAddress::Username("target".into())).await.unwrap();
    Forward {
        source,
        target,
        topic: None,
        ids: ids.iter().copied().map(MessageId).collect(),
        random_ids: ids.iter().map(|id| RandomId(i64::from(*id) + 1_000)).collect(),
        style: Style::default(),
    }
}

/// Content ids of the stage's source.
fn content(scene: &Scene) -> Vec<i32> {
    scene.stage.carriable().0.into_iter().take(3).collect()
}

fn meaning(error: CallError) -> Option<Meaning> {
    match error {
        CallError::Refused(refusal) => Some(refusal.meaning()),
        CallError::Uncertain(_) => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_stands_still_sends_when_it_goes_on() {
    let scene = Scene::new(1, &[]).await;
    let (process, telegram) = scene.host("a");
    let connection = opened(&telegram).await;
    let forward = forward_of(&*connection, &content(&scene)).await;
    process.freeze();
    let asked = tokio::time::timeout(Duration::from_secs(10), connection.forward(&forward)).await;
    assert!(asked.is_err() && scene.applied() == 0, "nothing leaves it");
    let heard = scene.notes.count("heard");
    // Whoever asked is gone, but what was handed over is sent.
    process.thaw();
    sleep(Duration::from_secs(1)).await;
    assert_eq!((scene.applied(), scene.notes.count("heard")), (3, heard));
}

#[tokio::test(start_paused = true)]
async fn a_reply_is_heard_when_the_process_goes_on() {
    let scene = Scene::new(1, &[]).await;
    let (process, telegram) = scene.host("a");
    let connection = opened(&telegram).await;
    let forward = forward_of(&*connection, &content(&scene)).await;
    let begun = Instant::now();
    let (made, ()) = tokio::join!(connection.forward(&forward), async {
        sleep(Duration::from_millis(10)).await;
        process.freeze();
        sleep(Duration::from_secs(20)).await;
        assert_eq!(scene.applied(), 3, "it had left");
        process.thaw();
    });
    assert_eq!(made.unwrap().new_ids.len(), 3);
    assert!(begun.elapsed() >= Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_by_the_server_and_carries_nothing_more() {
    let scene = Scene::new(1, &[]).await;
    let (process, telegram) = scene.host("a");
    let connection = opened(&telegram).await;
    let forward = forward_of(&*connection, &content(&scene)).await;
    sleep(Duration::from_secs(3600)).await;
    assert_eq!(scene.notes.count("closed"), 0, "pings keep it open");
    process.freeze();
    sleep(Duration::from_secs(14)).await;
    assert_eq!(scene.notes.count("closed"), 0);
    sleep(Duration::from_secs(62)).await;
    assert_eq!(scene.notes.count("closed"), 1);
    process.thaw();
    assert!(matches!(connection.forward(&forward).await, Err(CallError::Uncertain(_))));
    assert_eq!((scene.applied(), scene.notes.count("forwarding")), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_left_a_process_before_it_died_is_applied_and_nothing_else() {
    let scene = Scene::new(1, &[]).await;
    let (process, telegram) = scene.host("a");
    let connection = opened(&telegram).await;
    let ids = content(&scene);
    let (first, second) = (forward_of(&*connection, &ids[..1]).await, forward_of(&*connection, &ids[1..]).await);
    tokio::select! {
        biased;
        _ = connection.forward(&first) => panic!("it is answered after 40 ms"),
        () = sleep(Duration::from_millis(5)) => {}
    }
    process.freeze();
    tokio::select! {
        biased;
        _ = connection.forward(&second) => panic!("it is not sent"),
        () = sleep(Duration::from_millis(5)) => process.kill(),
    }
    drop(connection);
    telegram.process_died();
    assert_eq!(scene.applied(), 0);
    sleep(Duration::from_secs(1)).await;
    let notes = scene.notes.all();
    let called = "called messages.forwardMessages by a: ok";
    assert_eq!((scene.applied(), &notes[notes.len() - 2..]), (1, &[called.to_owned(), "closed 1".to_owned()][..]));
}

#[tokio::test(start_paused = true)]
async fn nothing_unsent_is_sent_after_close() {
    let scene = Scene::new(1, &[]).await;
    let (process, telegram) = scene.host("a");
    let connection = opened(&telegram).await;
    let forward = forward_of(&*connection, &content(&scene)).await;
    process.freeze();
    tokio::select! {
        biased;
        _ = connection.forward(&forward) => panic!("it is not sent"),
        () = sleep(Duration::from_millis(5)) => {}
    }
    drop(connection);
    // A frozen process does not even close.
    sleep(Duration::from_secs(1)).await;
    assert_eq!(scene.notes.count("closed"), 0);
    telegram.process_died();
    process.thaw();
    sleep(Duration::from_secs(100)).await;
    assert_eq!((scene.applied(), scene.notes.count("closed")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_in_use_from_two_places_is_dead() {
    let scene = Scene::new(1, &[]).await;
    let ((_, here), (_, there)) = (scene.host("a"), scene.host("b"));
    let connection = opened(&here).await;
    let again = opened(&here).await;
    again.close().await;
    let Err(OpenError::Refused(refusal)) = there.open(&AccountId::from("7001")).await else {
        panic!("it is in use elsewhere")
    };
    assert_eq!(refusal.meaning(), Meaning::SessionDead);
    let notes = scene.notes.all();
    assert_eq!(notes[notes.len() - 2..], ["opened 7001 3 by b", "closed 3"]);
    let error = connection.resolve(&PeerAddress::Username("source".into())).await.unwrap_err();
    assert_eq!(meaning(error), Some(Meaning::SessionDead));
    assert!(there.open(&AccountId::from("7002")).await.is_ok(), "other accounts are well");
}

#[tokio::test(start_paused = true)]
async fn a_lost_forward_can_be_applied_later_and_is_in_flight_until_then() {
    let scene = Scene::new(5, &[(Fault::AppliesLate, 1_000)]).await;
    let (_, telegram) = scene.host("a");
    let connection = opened(&telegram).await;
    let forward = forward_of(&*connection, &content(&scene)).await;
    let begun = Instant::now();
    assert!(matches!(connection.forward(&forward).await, Err(CallError::Uncertain(_))));
    connection.close().await;
    let connection = opened(&telegram).await;
    let mut duplicates = 0;
    while scene.applied() == 0 {
        let error = connection.forward(&forward).await.expect_err("it is in flight");
        assert_eq!(meaning(error), Some(Meaning::RandomIdDuplicate));
        duplicates += 1;
        sleep(Duration::from_secs(1)).await;
    }
    assert!(begun.elapsed() <= Duration::from_secs(101) && duplicates > 0, "{:?}", begun.elapsed());
    assert_eq!(scene.faults.tally()[&Fault::DuplicateInFlight], duplicates);
    assert_eq!(connection.forward(&forward).await.unwrap().new_ids.len(), 3);
    assert_eq!(scene.applied(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_off_opens_nothing_and_sends_nothing() {
    let scene = Scene::new(1, &[]).await;
    let (process, telegram) = scene.host("a");
    let connection = opened(&telegram).await;
    process.clock().jump(jiff::SignedDuration::from_secs(60));
    let name = PeerAddress::Username("source".into());
    assert!(matches!(connection.resolve(&name).await, Err(CallError::Uncertain(_))));
    let refused = telegram.open(&AccountId::from("7002")).await;
    assert!(matches!(refused, Err(OpenError::ClockSkew { skew_secs: 60 })));
}

/// Asks for this and that until nothing is left to go wrong; what happened, as a story.
async fn troubled(seed: u64) -> (String, Faults) {
    use Fault::{
        AppliesLate, CutAfter, CutBefore, DuplicateInFlight, Flood, InternalAfter, OpenFails, PartialResult, ReadFlood,
        SlowReply, Stall, StallBefore, StrangeReply, UnknownError,
    };
    let all = [
        AppliesLate,
        CutAfter,
        CutBefore,
        DuplicateInFlight,
        Flood,
        InternalAfter,
        OpenFails,
        PartialResult,
        ReadFlood,
        SlowReply,
        Stall,
        StallBefore,
        StrangeReply,
        UnknownError,
    ];
    let scene = Scene::new(seed, &all.map(|fault| (fault, 60))).await;
    let (process, telegram) = scene.host("a");
    let (mut connection, mut peers) = (None, None);
    for round in 0..60 {
        if round % 13 == 7 {
            process.freeze();
            let process = process.clone();
            let mut later = tokio::task::JoinSet::new();
            later.spawn(async move {
                sleep(Duration::from_secs(round)).await;
                process.thaw();
            });
            later.detach_all();
        }
        let Some(open) = &connection else {
            connection = telegram.open(&AccountId::from("7001")).await.ok();
            continue;
        };
        let name = |name: &str| PeerAddress::Username(name.into());
        let failed = match &peers {
            None => match (open.resolve(&name("source")).await, open.resolve(&name("target")).await) {
                (Ok(source), Ok(target)) => {
                    peers = Some((source, target));
                    None
                }
                (Err(error), _) | (_, Err(error)) => Some(error),
            },
            Some((source, target)) => {
                let ids = vec![MessageId(1 + i32::try_from(round / 3).unwrap())];
                let random_ids = vec![RandomId(i64::from(ids[0].0))];
                let (source, target) = (source.clone(), target.clone());
                let forward = Forward { source, target, topic: None, ids, random_ids, style: Style::default() };
                let read = open.history(&forward.source, MessageId(0), 10).await.err();
                read.or(open.forward(&forward).await.err())
            }
        };
        if let Some(CallError::Uncertain(_)) = failed {
            open.close().await;
            connection = None;
        }
        sleep(Duration::from_secs(70)).await;
    }
    (scene.trace.text(), scene.faults.clone())
}

#[tokio::test(start_paused = true)]
async fn a_seed_repeats_itself_and_everything_strikes() {
    let mut tally: BTreeMap<Fault, u64> = BTreeMap::new();
    for seed in 0..12 {
        let (story, faults) = troubled(seed).await;
        assert_eq!(story, troubled(seed).await.0, "seed {seed}");
        for (fault, times) in faults.tally() {
            *tally.entry(fault).or_default() += times;
        }
    }
    assert!(tally.len() == 14 && tally.values().all(|times| *times > 3), "{tally:?}");
}

#[tokio::test(start_paused = true)]
async fn pages_come_short_here_too_and_nothing_is_missing() {
    let scene = Scene::new(1, &[]).await;
    scene.stage.world().quirks.short_history_pages = true;
    let (_, telegram) = scene.host("a");
    let connection = opened(&telegram).await;
    let source = connection.resolve(&PeerAddress::Username("source".into())).await.unwrap();
    let (mut short, mut rounds) = (0, 0);
    while rounds < 40 {
        rounds += 1;
        let (mut seen, mut after) = (Vec::new(), MessageId(0));
        loop {
            let page = connection.history(&source, after, 10).await.unwrap();
            let Some(last) = page.last() else { break };
            after = last.id;
            seen.extend(page.iter().map(|message| message.id.0));
            short += usize::from(page.len() < 10);
        }
        let (mut all, services) = scene.stage.carriable();
        all.extend(services);
        all.sort_unstable();
        assert_eq!(seen, all);
    }
    assert!(short > rounds, "{short} short pages in {rounds} readings, of which each has one at its end");
}
