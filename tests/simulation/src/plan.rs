//! What a seed decides before its run begins: the world, the tasks, the hosts, and when which fault of time strikes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use simulator::world::quirks::Quirks;
use simulator::world::{ChatId, MessageId as SimMessageId};
use transfer::ids::MessageId;
use transfer::message::Kind;
use transfer::pace::Pace;
use transfer::selection::{Range, Selection};
use transfer::task::Style;

use crate::draw::Draw;
use crate::fault::Fault;

/// When the story of a run begins, give or take a day: 2026-09-21.
const BEGIN_SECS: i64 = 1_790_000_000;
/// Who owns the chats.
pub(crate) const OWNER: i64 = 7000;
/// Somebody who posts in the target unasked.
pub(crate) const STRANGER: i64 = 7999;

/// Everything a seed decides beforehand.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// When it begins.
    pub begin: Timestamp,
    /// What is undocumented.
    pub quirks: Quirks,
    /// Messages in a call at most.
    pub chunk_len_max: u32,
    /// The accounts of the pool.
    pub accounts: Vec<AccountPlan>,
    /// Hosts that work at the same time.
    pub hosts: usize,
    /// One machine: the host holds its lock file and takes its own leases back at once.
    pub exclusive: bool,
    /// Tasks that a host works on at the same time.
    pub tasks_max: usize,
    /// Source chats.
    pub sources: Vec<SourcePlan>,
    /// Target chats.
    pub targets: Vec<TargetPlan>,
    /// The tasks.
    pub tasks: Vec<TaskPlan>,
    /// Faults of calls, in a thousand.
    pub rates: BTreeMap<Fault, u32>,
    /// Faults of time, ascending.
    pub moments: Vec<(Duration, Moment)>,
    /// From then on nothing goes wrong any more.
    pub faults_end: Duration,
    /// The flood model's bucket and its wait, where the seed has one.
    pub bucket: Option<(u32, u32)>,
    /// Whether there is a bot, and the tasks are somebody's.
    pub bot: bool,
    /// When the admin asks for previews.
    pub asks: Vec<Duration>,
    /// How long an account is idle before its session is checked.
    pub check_idle_after: Duration,
}

/// An account of the pool.
#[derive(Debug, Clone)]
pub struct AccountPlan {
    /// Its id.
    pub id: i64,
    /// The admin's order.
    pub priority: i32,
    /// Messages a day.
    pub budget: Option<u32>,
}

/// A source.
#[derive(Debug, Clone)]
pub struct SourcePlan {
    /// The chat.
    pub chat: ChatId,
    /// How many messages, about.
    pub messages: u64,
    /// Whether it is a group, where anybody posts.
    pub group: bool,
    /// Messages that Telegram refuses to forward, with its words.
    pub unforwardable: Vec<(SimMessageId, &'static str)>,
}

/// A target.
#[derive(Debug, Clone)]
pub struct TargetPlan {
    /// The chat.
    pub chat: ChatId,
    /// Whether it is a group: accounts are members and slow mode can be on.
    pub group: bool,
}

/// A task.
#[derive(Debug, Clone)]
pub struct TaskPlan {
    /// Its id.
    pub id: String,
    /// Its random ids derive from it.
    pub nonce: [u8; 16],
    /// From where.
    pub source: ChatId,
    /// To where.
    pub target: ChatId,
    /// Which messages.
    pub selection: Selection,
    /// How fast.
    pub pace: Pace,
    /// Messages a job names.
    pub batch_len: u32,
    /// Whether it pauses after each batch.
    pub pause_after_batch: bool,
    /// The flags.
    pub style: Style,
    /// When the admin submits it.
    pub at: Duration,
}

/// A fault of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A host dies and comes back so many milliseconds later.
    Kill { host: usize, back_ms: u64 },
    /// A host is stopped cleanly and started again.
    Restart { host: usize },
    /// A host stands still so long.
    Freeze { host: usize, millis: u64 },
    /// A host's wall clock jumps.
    ClockJump { host: usize, by: SignedDuration },
    /// A target's slow mode.
    SlowMode { target: usize, secs: i32 },
    /// What Telegram does to an account.
    Account { account: usize, fault: Fault },
    /// Messages of a source are deleted or edited.
    Source { source: usize, fault: Fault, choice: u64, count: u64 },
    /// Strangers post in a target, or posts of it are deleted.
    Target { target: usize, fault: Fault, choice: u64, count: u64 },
    /// What the admin wishes of a task.
    Wish { task: usize, fault: Fault, choice: u64 },
    /// What the admin does with an account.
    Profile { account: usize, fault: Fault, choice: u64 },
    /// The admin lets an account go, and adds it again so many milliseconds later, or as soon as it is gone after that.
    Leave { account: usize, back_ms: u64 },
    /// The admin presses the panic button, and adds the accounts again so many milliseconds later.
    Panic { back_ms: u64 },
    /// An account is put out of a target.
    PutOut { account: usize, target: usize },
}

impl Plan {
    /// The plan of a seed; of the faults, only those allowed.
    pub fn of(seed: u64, allowed: &BTreeSet<Fault>) -> Self {
        let mut draw = Draw::of(seed, "plan");
        let draw = &mut draw;
        let rates = rates(&mut Draw::of(seed, "rates"), allowed);
        let hosts = [1, 1, 2, 2, 3][draw.index(5)];
        let sources = sources(draw, rates.contains_key(&Fault::BadMessage));
        let targets: Vec<TargetPlan> = (0..draw.between(1, 2))
            .map(|number| TargetPlan { chat: chat(200 + number), group: draw.chance(500) })
            .collect();
        let tasks = tasks(draw, &sources, &targets);
        let accounts = accounts(draw, sources.iter().map(|source| source.messages).sum::<u64>() * tasks.len() as u64);
        let faults_end = Duration::from_millis(draw.spread(10_000, 1_200_000));
        let mut plan = Self {
            seed,
            begin: begin(draw, accounts.iter().any(|account| account.budget.is_some())),
            quirks: Quirks::drawn(simulator::world::seed::mix(seed, 1)),
            chunk_len_max: u32::try_from(draw.spread(2, 100)).unwrap_or(100),
            exclusive: hosts == 1 && draw.chance(500),
            hosts,
            tasks_max: draw.index(4) + 1,
            accounts,
            sources,
            targets,
            tasks,
            rates,
            moments: Vec::new(),
            faults_end,
            bucket: draw.chance(400).then(|| {
                let size = u32::try_from(draw.spread(10, 100)).unwrap_or(50);
                (size, u32::try_from(draw.spread(5, 120)).unwrap_or(30))
            }),
            bot: false,
            asks: Vec::new(),
            check_idle_after: check_idle_after(&mut Draw::of(seed, "health")),
        };
        let bot = &mut Draw::of(seed, "bot");
        plan.bot = bot.chance(500);
        let latest = u64::try_from(plan.faults_end.as_millis()).unwrap_or(u64::MAX);
        if plan.bot {
            plan.asks = (0..bot.below(3)).map(|_| Duration::from_millis(bot.spread(20, latest))).collect();
        }
        plan.moments = moments(&mut Draw::of(seed, "moments"), &plan);
        plan
    }
}

/// Mostly sooner than anybody would in earnest: a run takes minutes, and a check has to meet whatever goes wrong.
fn check_idle_after(draw: &mut Draw) -> Duration {
    Duration::from_secs(draw.pick(&[30, 60, 120, 600, 6 * 3600]).copied().unwrap_or(600))
}

/// Which chat has this number.
pub(crate) fn chat(number: u64) -> ChatId {
    ChatId::channel(1_000_000_000 + i64::try_from(number).unwrap_or(0))
}

/// Near a midnight now and then, so that daily budgets begin anew.
fn begin(draw: &mut Draw, budgets: bool) -> Timestamp {
    let midnight = BEGIN_SECS - BEGIN_SECS % 86_400;
    let secs = if budgets || draw.chance(200) {
        midnight - i64::try_from(draw.between(1, 1800)).unwrap_or(0)
    } else {
        midnight + i64::try_from(draw.below(70_000)).unwrap_or(0)
    };
    Timestamp::from_second(secs).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Most seeds turn on a few faults, some many, so that each meets the others in every company.
fn rates(draw: &mut Draw, allowed: &BTreeSet<Fault>) -> BTreeMap<Fault, u32> {
    let share = draw.pick(&[0, 80, 150, 250, 400]).copied().unwrap_or(120);
    let mut rates = BTreeMap::new();
    for fault in Fault::ALL {
        // What takes an account out for good ends many a story early: it comes up less often.
        let share = if fault.is_final() { share / 3 } else { share };
        let (chosen, rate) = (draw.chance(share), draw.spread(20, 350));
        if chosen && allowed.contains(fault) {
            rates.insert(*fault, u32::try_from(rate).unwrap_or(5));
        }
    }
    rates
}

/// A budget is half of everything at least: a midnight or two are enough of virtual time.
fn accounts(draw: &mut Draw, messages: u64) -> Vec<AccountPlan> {
    let budgets = draw.chance(120);
    let number = i64::try_from(draw.between(1, 4)).unwrap_or(1);
    let accounts = (1..=number).map(|number| AccountPlan {
        id: OWNER + number,
        priority: i32::try_from(draw.below(3)).unwrap_or(0),
        budget: budgets.then(|| u32::try_from(draw.between(messages / 2, messages) + 12).unwrap_or(500)),
    });
    accounts.collect()
}

fn sources(draw: &mut Draw, bad: bool) -> Vec<SourcePlan> {
    let number = draw.between(1, 2);
    let mut sources = Vec::new();
    for source in 0..number {
        let messages = draw.spread(16, 300) / number + 1;
        sources.push(SourcePlan {
            chat: chat(100 + source),
            messages,
            group: draw.chance(300),
            unforwardable: if bad { unforwardable(draw, messages) } else { Vec::new() },
        });
    }
    sources
}

/// Messages that no account can forward, and what Telegram says to it.
fn unforwardable(draw: &mut Draw, messages: u64) -> Vec<(SimMessageId, &'static str)> {
    let words = ["MEDIA_EMPTY", "GROUPED_MEDIA_INVALID", "QUIZ_ANSWER_MISSING", "CHAT_SEND_PHOTOS_FORBIDDEN"];
    let bad = (0..draw.between(1, 3)).map(|_| {
        let id = i32::try_from(draw.between(1, messages)).unwrap_or(1);
        (SimMessageId(id), draw.pick(&words).copied().unwrap_or("MEDIA_EMPTY"))
    });
    bad.collect()
}

fn tasks(draw: &mut Draw, sources: &[SourcePlan], targets: &[TargetPlan]) -> Vec<TaskPlan> {
    let number = [1, 1, 2, 3][draw.index(4)];
    let mut tasks = Vec::new();
    for task in 0..number {
        let source = &sources[draw.index(sources.len())];
        let mut nonce = [0; 16];
        nonce.iter_mut().for_each(|byte| *byte = u8::try_from(draw.below(256)).unwrap_or(0));
        tasks.push(TaskPlan {
            id: format!("t{}", task + 1),
            nonce,
            source: source.chat,
            target: targets[draw.index(targets.len())].chat,
            selection: selection(draw, source.messages),
            pace: pace(draw),
            batch_len: u32::try_from(draw.spread(2, 500)).unwrap_or(500),
            pause_after_batch: draw.chance(60),
            style: Style { drop_author: draw.chance(200), ..Style::default() },
            at: Duration::from_millis(draw.below(3000)),
        });
    }
    tasks
}

fn selection(draw: &mut Draw, messages: u64) -> Selection {
    let id = |draw: &mut Draw| MessageId(i32::try_from(draw.between(1, messages.max(2))).unwrap_or(1));
    let range = match draw.below(10) {
        0 => {
            let (one, other) = (id(draw), id(draw));
            Range::Ids { from: one.min(other), until: one.max(other) }
        }
        1 => Range::From(id(draw)),
        _ => Range::Everything,
    };
    let kinds = match draw.below(8) {
        0 => [Kind::Photo, Kind::Video].into(),
        1 => [Kind::Text].into(),
        _ => BTreeSet::new(),
    };
    Selection { range, kinds, ..Selection::everything() }
}

fn pace(draw: &mut Draw) -> Pace {
    if draw.chance(600) {
        return Pace::none();
    }
    Pace {
        forward_rate_ms: draw.below(400),
        pause_after_files: u32::try_from(draw.below(40)).unwrap_or(0),
        pause_duration_ms: draw.spread(100, 40_000),
        long_pause_after_files: 0,
        long_pause_ms: 0,
    }
}

fn moments(draw: &mut Draw, plan: &Plan) -> Vec<(Duration, Moment)> {
    let mut moments = Vec::new();
    for fault in plan.rates.keys() {
        for _ in 0..draw.between(1, 4) {
            let latest = u64::try_from(plan.faults_end.as_millis()).unwrap_or(u64::MAX);
            // As many in the first seconds as in the minutes after them: a run without waits is short.
            let at = Duration::from_millis(draw.spread(20, latest));
            if let Some(moment) = moment(draw, plan, *fault) {
                moments.push((at, moment));
            }
        }
    }
    moments.extend(doormen(&mut Draw::of(plan.seed, "doormen"), plan));
    moments.extend(visitors(&mut Draw::of(plan.seed, "visitors"), plan));
    moments.sort_by_key(|(at, _)| *at);
    moments
}

/// Whoever is put out is put out again and again: an account that joins too often has to meet its limit.
fn doormen(draw: &mut Draw, plan: &Plan) -> Vec<(Duration, Moment)> {
    if !plan.rates.contains_key(&Fault::PutOut) {
        return Vec::new();
    }
    let moments = (0..24).filter_map(|_| {
        let at = Duration::from_millis(draw.spread(200, 300_000));
        Some((at, moment(draw, plan, Fault::PutOut)?))
    });
    moments.collect()
}

/// Where strangers post or posts are deleted, it happens all the time: what is uncertain has to meet it.
fn visitors(draw: &mut Draw, plan: &Plan) -> Vec<(Duration, Moment)> {
    let busy = [Fault::Stranger, Fault::TargetDeleted].into_iter().filter(|fault| plan.rates.contains_key(fault));
    let mut moments = Vec::new();
    for fault in busy {
        for _ in 0..8 {
            let at = Duration::from_millis(draw.spread(200, 120_000));
            moments.extend(moment(draw, plan, fault).map(|moment| (at, moment)));
        }
    }
    moments
}

fn moment(draw: &mut Draw, plan: &Plan, fault: Fault) -> Option<Moment> {
    let host = draw.index(plan.hosts);
    let (account, task) = (draw.index(plan.accounts.len()), draw.index(plan.tasks.len()));
    let (source, target) = (draw.index(plan.sources.len()), draw.index(plan.targets.len()));
    let (choice, count) = (draw.below(1 << 32), draw.spread(1, 12));
    Some(match fault {
        Fault::Kill => Moment::Kill { host, back_ms: draw.spread(1, 200_000) },
        Fault::Restart => Moment::Restart { host },
        Fault::Freeze => Moment::Freeze { host, millis: draw.spread(1_000, 200_000) },
        Fault::ClockJump => {
            let secs = i64::try_from(draw.spread(1, 3600)).unwrap_or(1);
            Moment::ClockJump { host, by: SignedDuration::from_secs(if draw.chance(500) { secs } else { -secs }) }
        }
        Fault::SlowMode => {
            let secs = draw.pick(&[0, 5, 10, 30]).copied().unwrap_or(0);
            Moment::SlowMode { target, secs }
        }
        Fault::PeerFlood | Fault::Banned | Fault::SignedOut | Fault::Frozen | Fault::WriteForbidden => {
            Moment::Account { account, fault }
        }
        Fault::SourceDeleted | Fault::SourceEdited => Moment::Source { source, fault, choice, count },
        Fault::Stranger | Fault::TargetDeleted => Moment::Target { target, fault, choice, count },
        Fault::Pause | Fault::Resume | Fault::Cancel | Fault::Repace => Moment::Wish { task, fault, choice },
        Fault::Disable | Fault::Enable => Moment::Profile { account, fault, choice },
        Fault::Leave => Moment::Leave { account, back_ms: draw.spread(1_000, 300_000) },
        Fault::Panic => Moment::Panic { back_ms: draw.spread(5_000, 300_000) },
        Fault::PutOut => Moment::PutOut { account, target },
        _ => return None,
    })
}
