//! Settling, in worlds where the truth is known: a call was carried out wholly, in part or not at all, and since then
//! strangers posted, people deleted and edited, in source and target.
//!
//! What is claimed: nothing is called delivered that was not, and nothing "not there" that was. Doubt is always allowed,
//! except where there is nothing to be in doubt about.
//!
//! What no evidence could tell is left out of these worlds, not out of the real one: a stranger who posts exactly what
//! the call lacks, where the target shows no senders; a text whose original was changed since; and a message that is gone
//! from the source beside an equal one that Telegram left out though it is there, where no header tells the two apart.

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use transfer::ids::{GroupedId, MessageId, PeerId, RandomId};
use transfer::intent::Intent;
use transfer::message::{Body, Kind, Message, Origin};
use transfer::random_id::RandomIds;
use transfer::settle::{Evidence, Settlement, settle};
use transfer::task::Style;

const SOURCE: PeerId = PeerId(-1_000_000_000_001);
const ELSEWHERE: PeerId = PeerId(-1_000_000_000_077);
const US: PeerId = PeerId(11);
const STRANGER: PeerId = PeerId(12);
const FLOOR: i32 = 500;

/// One message of the source, by few contents, so that they repeat.
#[derive(Debug, Clone)]
struct Drawn {
    content: u8,
    photo: bool,
    forwarded: bool,
    joins: bool,
}

/// What happens to the target beside the call, before or among or after its messages.
#[derive(Debug, Clone)]
enum Stranger {
    /// Something of their own.
    Posts(u8),
    /// The same as a message of the source, typed or sent again.
    Imitates(Index),
    /// The same message, forwarded with its header.
    Forwards(Index),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applied {
    Wholly,
    InPart,
    NotAtAll,
}

#[derive(Debug, Clone)]
struct World {
    source: Vec<Drawn>,
    style: Style,
    applied: Applied,
    left_out: Vec<Index>,
    strangers: Vec<(Index, Stranger)>,
    /// Whether the target shows who posted.
    senders: bool,
    /// Deleted from the target afterwards.
    deleted: Vec<Index>,
    /// Gone from the source afterwards.
    gone: Vec<Index>,
    /// Which of its messages the sending account's own difference names.
    named: Option<Vec<Index>>,
    complete: bool,
    stable: bool,
    /// Whether somebody could tell that nothing was deleted, if nothing was.
    sure: bool,
}

fn world() -> impl Strategy<Value = World> {
    let drawn = (0_u8..3, any::<bool>(), prop::bool::weighted(0.2), prop::bool::weighted(0.4))
        .prop_map(|(content, photo, forwarded, joins)| Drawn { content, photo, forwarded, joins });
    let stranger = prop_oneof![
        (0_u8..3).prop_map(Stranger::Posts),
        any::<Index>().prop_map(Stranger::Imitates),
        any::<Index>().prop_map(Stranger::Forwards),
    ];
    let style = prop::sample::select(vec![
        Style::default(),
        Style { drop_author: true, ..Style::default() },
        Style { drop_author: true, drop_captions: true, silent: false },
    ]);
    let applied = prop::sample::select(vec![Applied::Wholly, Applied::InPart, Applied::NotAtAll]);
    let indices = |max: usize| vec(any::<Index>(), 0..max);
    let happened = (style, applied, indices(3), vec((any::<Index>(), stranger), 0..5), any::<bool>());
    let since = (
        prop_oneof![2 => Just(Vec::new()), 1 => indices(3)],
        prop_oneof![2 => Just(Vec::new()), 1 => indices(3)],
        prop_oneof![2 => Just(None), 1 => indices(6).prop_map(Some)],
    );
    let read = (prop::bool::weighted(0.9), prop::bool::weighted(0.9), prop::bool::weighted(0.8));
    (vec(drawn, 1..7), happened, since, read).prop_map(
        |(source, (style, applied, left_out, strangers, senders), (deleted, gone, named), (complete, stable, sure))| {
            World { source, style, applied, left_out, strangers, senders, deleted, gone, named, complete, stable, sure }
        },
    )
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

impl World {
    /// The source as it was when the call was made. The first message's content is nobody else's.
    fn before(&self) -> Vec<Message> {
        let mut album = 0;
        let message = |(index, drawn): (usize, &Drawn)| {
            let id = i32::try_from(index).unwrap() * 2 + 1;
            let photo = drawn.photo || drawn.joins;
            if !drawn.joins {
                album += 1;
            }
            let word = if index == 0 { "ours".to_owned() } else { drawn.content.to_string() };
            Message {
                id: MessageId(id),
                date: at(i64::from(id)),
                body: Body::Content(if photo { Kind::Photo } else { Kind::Text }),
                album: photo.then_some(GroupedId(album)),
                text: if photo && drawn.content == 2 && index > 0 { String::new() } else { word },
                media: photo.then_some(if index == 0 { 99 } else { i64::from(drawn.content) }),
                origin: drawn.forwarded.then(|| Origin {
                    peer: Some(ELSEWHERE),
                    name: None,
                    post: Some(MessageId(i32::from(drawn.content) + 1)),
                    date: at(-50),
                }),
                sender: None,
            }
        };
        self.source.iter().enumerate().map(message).collect()
    }

    /// An album is what joins in a row; a photo alone is a unit without an album.
    fn units(source: &mut [Message]) -> Vec<u8> {
        let lens: Vec<u8> = source
            .chunk_by(|a, b| a.album.is_some() && a.album == b.album)
            .map(|unit| u8::try_from(unit.len()).unwrap())
            .collect();
        let mut begin = 0;
        for len in &lens {
            if *len == 1 {
                source[begin].album = None;
            }
            begin += usize::from(*len);
        }
        lens
    }

    /// What a forward makes of a message.
    fn copy(&self, message: &Message, new_id: i32, by: PeerId) -> Message {
        let first = Origin { peer: Some(SOURCE), name: None, post: Some(message.id), date: message.date };
        let no_caption = self.style.drop_captions && message.body != Body::Content(Kind::Text);
        Message {
            id: MessageId(new_id),
            date: at(1_000),
            album: message.album.map(|album| GroupedId(album.0 + 1_000)),
            text: if no_caption { String::new() } else { message.text.clone() },
            origin: if self.style.drop_author { None } else { Some(message.origin.clone().unwrap_or(first)) },
            sender: self.senders.then_some(by),
            ..message.clone()
        }
    }

    /// What a stranger posts; `None`: these worlds do not have it.
    fn strange(&self, what: &Stranger, source: &[Message], new_id: i32) -> Option<Message> {
        // Where senders are shown, strangers may do anything; elsewhere nobody but us ever posts the first message, and
        // what a call in part lacks is posted by nobody.
        let imitable = |index: &Index| {
            let index = index.index(source.len());
            (self.senders || (index > 0 && self.applied != Applied::InPart)).then(|| &source[index])
        };
        Some(match what {
            Stranger::Posts(word) if self.senders || self.applied != Applied::InPart => {
                let posted = Message { origin: None, album: None, media: None, ..source[0].clone() };
                let posted = Message { body: Body::Content(Kind::Text), text: word.to_string(), ..posted };
                Message { id: MessageId(new_id), sender: self.senders.then_some(STRANGER), ..posted }
            }
            Stranger::Posts(word) => {
                let posted = Message { origin: None, album: None, media: None, ..source[0].clone() };
                let text = format!("hello {word}");
                Message { id: MessageId(new_id), body: Body::Content(Kind::Text), text, sender: None, ..posted }
            }
            Stranger::Imitates(index) => {
                let message = imitable(index)?;
                let copy = self.copy(message, new_id, STRANGER);
                Message { origin: None, album: None, text: message.text.clone(), ..copy }
            }
            Stranger::Forwards(index) => {
                let copy = self.copy(imitable(index)?, new_id, STRANGER);
                Message { album: copy.album.map(|album| GroupedId(album.0 + 5_000)), ..copy }
            }
        })
    }
}

/// What became of a world, and what can be known of it.
struct Case {
    now: Vec<Message>,
    intent: Intent,
    evidence: Evidence,
    /// Source and target id of everything that the call made.
    truth: Vec<(MessageId, MessageId)>,
    /// What of it still stands.
    stands: Vec<MessageId>,
}

impl Case {
    fn of(world: &World) -> Self {
        let mut source = world.before();
        let units = World::units(&mut source);
        let left_out: Vec<usize> = world.left_out.iter().map(|index| index.index(source.len())).collect();
        let carried = |index: usize| match world.applied {
            Applied::Wholly => true,
            Applied::InPart => !left_out.contains(&index),
            Applied::NotAtAll => false,
        };
        // Positions in the target: ours in their order, strangers anywhere.
        let mut posts: Vec<Option<usize>> = (0..source.len()).filter(|index| carried(*index)).map(Some).collect();
        let mut strangers = Vec::new();
        for (place, stranger) in &world.strangers {
            let place = place.index(posts.len() + 1);
            let before = posts[..place].iter().filter(|post| post.is_none()).count();
            posts.insert(place, None);
            strangers.insert(before, stranger);
        }
        let (mut target, mut truth, mut strangers) = (Vec::new(), Vec::new(), strangers.into_iter());
        for (new_id, post) in (FLOOR + 1..).zip(posts) {
            match post {
                Some(index) => {
                    target.push(world.copy(&source[index], new_id, US));
                    truth.push((source[index].id, MessageId(new_id)));
                }
                None => target.extend(strangers.next().and_then(|what| world.strange(what, &source, new_id))),
            }
        }
        let random_id = |id: MessageId| RandomId(i64::from(id.0) + 7_000);
        let named = world.named.iter().flatten().filter(|_| !truth.is_empty()).map(|index| index.get(&truth));
        let new_ids = named.map(|(id, new)| (random_id(*id), *new)).collect();
        let mut nothing_deleted = true;
        for index in &world.deleted {
            if !target.is_empty() {
                target.remove(index.index(target.len()));
                nothing_deleted = false;
            }
        }
        let stands = target.iter().map(|message| message.id).collect();
        if !world.complete {
            target.truncate(target.len() / 2);
        }
        let intent = intent(&source, units, world.style, random_id);
        // What nobody else posts must stay recognisable where no sender is shown.
        let may_go = |index: &usize| world.senders || *index > 0;
        let mut gone: Vec<usize> =
            world.gone.iter().map(|index| index.index(world.source.len())).filter(may_go).collect();
        let alike = world.style.drop_author || world.source.iter().any(|drawn| drawn.forwarded);
        if alike && !gone.is_empty() {
            gone.extend(
                (0..world.source.len()).filter(|index| !carried(*index)).filter(|_| world.applied == Applied::InPart),
            );
        }
        for index in gone {
            let gone = &mut source[index];
            *gone = Message {
                body: Body::Empty,
                album: None,
                media: None,
                origin: None,
                text: String::new(),
                ..gone.clone()
            };
        }
        let evidence = Evidence {
            new_ids,
            target,
            complete: world.complete,
            stable: world.stable,
            deletions_excluded: nothing_deleted && world.sure,
            source: SOURCE,
            sender: Some(US),
        };
        Self { now: source, intent, evidence, truth, stands }
    }
}

fn intent(source: &[Message], units: Vec<u8>, style: Style, random_id: impl Fn(MessageId) -> RandomId) -> Intent {
    Intent {
        id: 1,
        account: "11".into(),
        ids: source.iter().map(|message| message.id).collect(),
        random_ids: RandomIds(source.iter().map(|message| random_id(message.id)).collect()),
        style,
        units,
        cursor_after: MessageId(0),
        ahead_after: Vec::new(),
        scanned: 0,
        skips: Vec::new(),
        target_floor: MessageId(FLOOR),
        target_pts: 0,
        made_by: "life".into(),
        made_at: Timestamp::UNIX_EPOCH,
        repeats: 0,
        tried_at: None,
        readings: 0,
        uncertain_since: None,
        looked_at: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8_192) })]

    #[test]
    fn nothing_is_called_delivered_that_was_not_nor_absent_that_was(world in world()) {
        let case = Case::of(&world);
        match settle(&case.now, &case.intent, &case.evidence) {
            Settlement::Delivered { delivered, missing } => {
                let made = |id: &MessageId| case.truth.iter().find(|(source, _)| source == id).map(|(_, new)| *new);
                prop_assert!(delivered.iter().all(|(id, _)| made(id).is_some()), "{delivered:?}, not {:?}", case.truth);
                // Where one of two equal messages was deleted, nobody can tell which is left, or whose.
                if world.deleted.is_empty() {
                    prop_assert!(delivered.iter().all(|pair| case.truth.contains(pair)), "{delivered:?}");
                    let stand = missing.iter().filter_map(made).find(|new| case.stands.contains(new));
                    prop_assert_eq!(stand, None, "called missing, and stands there");
                }
                let mut all: Vec<MessageId> = delivered.iter().map(|(id, _)| *id).chain(missing).collect();
                all.sort_unstable();
                prop_assert_eq!(all, case.intent.ids.iter().collect::<Vec<_>>());
            }
            Settlement::NotThere => prop_assert_eq!(case.truth, Vec::new()),
            Settlement::Ambiguous(why) => prop_assert!(!why.is_empty()),
        }
    }

    /// Whatever happened around it: where the sender's own difference names every message, that is the answer.
    #[test]
    fn proof_of_everything_needs_no_reading(world in world()) {
        let mut case = Case::of(&World { applied: Applied::Wholly, ..world });
        let random_id = |id: MessageId| RandomId(i64::from(id.0) + 7_000);
        case.evidence.new_ids = case.truth.iter().rev().map(|(id, new)| (random_id(*id), *new)).collect();
        let settlement = settle(&case.now, &case.intent, &case.evidence);
        prop_assert_eq!(settlement, Settlement::Delivered { delivered: case.truth, missing: Vec::new() });
    }

    /// Undisturbed there is no doubt: headers tell each message from every other, and senders ours from strangers'.
    #[test]
    fn an_undisturbed_call_is_settled(world in world(), applied: bool) {
        let applied = if applied { Applied::Wholly } else { Applied::NotAtAll };
        let quiet = World {
            applied, style: Style::default(), strangers: Vec::new(), deleted: Vec::new(), gone: Vec::new(), named: None,
            complete: true, stable: true, sure: true, ..world
        };
        let case = Case::of(&quiet);
        let expected = match applied {
            Applied::Wholly => Settlement::Delivered { delivered: case.truth.clone(), missing: Vec::new() },
            Applied::InPart | Applied::NotAtAll => Settlement::NotThere,
        };
        prop_assert_eq!(settle(&case.now, &case.intent, &case.evidence), expected);
    }
}
