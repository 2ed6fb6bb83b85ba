use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::account::{Account, Profile};

const TODAY: Date = jiff::civil::date(2024, 5, 1);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_714_500_000 + second).unwrap()
}

fn member(id: &str, priority: i32) -> Member {
    let id = AccountId::from(id);
    Member {
        account: Account::new(id.clone(), "+44…21".to_owned(), at(-1_000), TODAY),
        profile: Profile {
            label: format!("label-{id}"),
            id,
            priority,
            group: None,
            enabled: true,
            daily_budget: None,
            leaving: None,
        },
    }
}

#[derive(Debug)]
struct Asked {
    checkpoint: Option<AccountId>,
    not_for_peer: BTreeSet<AccountId>,
    busy: BTreeSet<AccountId>,
    room: u32,
}

impl Asked {
    fn nothing() -> Self {
        Self { checkpoint: None, not_for_peer: BTreeSet::new(), busy: BTreeSet::new(), room: 1 }
    }

    fn need(&self) -> Need<'_> {
        Need {
            checkpoint_account: self.checkpoint.as_ref(),
            group: None,
            bound_to: None,
            not_for_peer: &self.not_for_peer,
            busy: &self.busy,
            room: self.room,
            class: MethodClass::Write,
            midnight: at(5_000),
        }
    }
}

fn chosen(members: &[Member], asked: &Asked) -> Choice {
    choose(members, &asked.need(), at(0), TODAY)
}

fn uses(id: &str) -> Choice {
    Choice::Use(id.into())
}

#[test]
fn priority_then_never_used_then_longest_ago_then_id() {
    let mut members = [member("d", 1), member("c", 5), member("b", 5), member("a", 5)];
    assert_eq!(chosen(&members, &Asked::nothing()), uses("a"));
    members[3].account.last_used = Some(at(-10));
    assert_eq!(chosen(&members, &Asked::nothing()), uses("b"));
    members[2].account.last_used = Some(at(-20));
    members[1].account.last_used = Some(at(-5));
    assert_eq!(chosen(&members, &Asked::nothing()), uses("b"));
    members[0].profile.priority = 6;
    assert_eq!(chosen(&members, &Asked::nothing()), uses("d"));
}

#[test]
fn the_account_of_the_checkpoint_goes_on_until_it_may_not() {
    let mut members = [member("a", 1), member("b", 9)];
    let asked = Asked { checkpoint: Some("a".into()), ..Asked::nothing() };
    assert_eq!(chosen(&members, &asked), uses("a"));
    members[0].account.waits.extend(MethodClass::Write, at(1));
    assert_eq!(chosen(&members, &asked), uses("b"));
    // A wait that is over is over.
    assert_eq!(choose(&members, &asked.need(), at(1), TODAY), uses("a"));
}

#[test]
fn waits_are_kept_by_class() {
    let mut members = [member("a", 1)];
    members[0].account.waits.extend(MethodClass::Resolve, at(9_000));
    assert_eq!(chosen(&members, &Asked::nothing()), uses("a"));
}

#[test]
fn the_shortest_wait_is_the_shortest_and_says_whose() {
    let mut members = [member("a", 9), member("b", 1), member("c", 5)];
    for (member, second) in members.iter_mut().zip([300, 100, 200]) {
        member.account.waits.extend(MethodClass::Write, at(second));
    }
    match chosen(&members, &Asked::nothing()) {
        Choice::WaitUntil { at: until, why } => assert!(until == at(100) && why.contains("label-b"), "{until} {why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_spent_budget_rests_until_midnight_and_a_new_day_fills_it() {
    let mut members = [member("a", 1)];
    members[0].profile.daily_budget = Some(100);
    members[0].account.day_mut(TODAY).charged = 95;
    assert_eq!(members[0].budget_left(TODAY), Some(5));
    assert_eq!(chosen(&members, &Asked { room: 5, ..Asked::nothing() }), uses("a"));
    let album = Asked { room: 10, ..Asked::nothing() };
    assert!(matches!(chosen(&members, &album), Choice::WaitUntil { at: until, .. } if until == at(5_000)));
    assert_eq!(choose(&members, &album.need(), at(5_000), TODAY.tomorrow().unwrap()), uses("a"));
    // A flood that outlasts midnight decides.
    members[0].account.waits.extend(MethodClass::Write, at(6_000));
    assert!(matches!(chosen(&members, &album), Choice::WaitUntil { at: until, .. } if until == at(6_000)));
    // What can never fit is not waited for.
    let Choice::Exhausted(reason) = chosen(&members, &Asked { room: 101, ..Asked::nothing() }) else { panic!() };
    assert!(reason.contains("raise the daily budget"), "{reason}");
    assert_eq!(chosen(&members[..0], &album), Choice::Exhausted("the pool is empty: add an account".to_owned()));
}

#[test]
fn a_busy_account_is_waited_for_in_turn() {
    let mut members = [member("a", 1), member("b", 1)];
    let asked = Asked { busy: ["a".into()].into(), ..Asked::nothing() };
    assert_eq!(chosen(&members, &asked), uses("b"));
    members[1].account.waits.extend(MethodClass::Write, at(50));
    assert_eq!(chosen(&members, &asked), Choice::WaitForTurn { or_at: Some(at(50)) });
    members[1].profile.enabled = false;
    assert_eq!(chosen(&members, &asked), Choice::WaitForTurn { or_at: None });
}

#[test]
fn what_the_admin_has_to_do_is_said() {
    for (state, word) in [
        (AccountState::SignedOut, "log in again"),
        (AccountState::SessionDead, "used twice at once"),
        (AccountState::Frozen, "froze"),
        (AccountState::Quarantined, "PEER_FLOOD"),
        (AccountState::Banned, "banned"),
    ] {
        let mut members = [member("a", 1), member("b", 1)];
        members[0].account.state = state;
        members[1].profile.enabled = false;
        let Choice::Exhausted(reason) = chosen(&members, &Asked::nothing()) else { panic!("{state:?}") };
        assert!(reason.contains(word) && reason.contains("label-a") && reason.contains("enable"), "{reason}");
    }
    let members = [member("a", 1)];
    let not_here = Asked { not_for_peer: ["a".into()].into(), ..Asked::nothing() };
    let Choice::Exhausted(reason) = chosen(&members, &not_here) else { panic!() };
    assert!(reason.contains("read the source"), "{reason}");
}

#[test]
fn groups_and_bound_tasks_see_their_accounts_only() {
    let mut members = [member("a", 9), member("b", 1)];
    members[1].profile.group = Some("night".to_owned());
    let asked = Asked::nothing();
    let of_group = |group| Need { group: Some(group), ..asked.need() };
    assert_eq!(choose(&members, &of_group("night"), at(0), TODAY), uses("b"));
    assert!(matches!(choose(&members, &of_group("day"), at(0), TODAY), Choice::Exhausted(why) if why.contains("day")));
    let (here, gone) = (AccountId::from("b"), AccountId::from("z"));
    assert_eq!(choose(&members, &Need { bound_to: Some(&here), ..asked.need() }, at(0), TODAY), uses("b"));
    let lost = choose(&members, &Need { bound_to: Some(&gone), ..asked.need() }, at(0), TODAY);
    assert!(matches!(lost, Choice::Exhausted(why) if why.contains("account z")));
}

fn any_member() -> impl Strategy<Value = Member> {
    let state = prop_oneof![4 => Just(AccountState::Ready), 1 => Just(AccountState::SignedOut)];
    (
        0_i32..3,
        proptest::option::of(-50_i64..50),
        proptest::option::of(-100_i64..10_000),
        proptest::option::of((0_u32..30, 0_u32..30)),
        (state, proptest::bool::weighted(0.8)),
    )
        .prop_map(|(priority, last_used, flood, budget, (state, enabled))| {
            let mut member = member("", priority);
            member.account.last_used = last_used.map(at);
            member.account.waits.write = flood.map(at);
            member.account.state = state;
            member.profile.enabled = enabled;
            if let Some((budget, charged)) = budget {
                member.profile.daily_budget = Some(budget);
                member.account.today.charged = charged;
            }
            member
        })
}

/// A pool of up to six, who of them is busy or cannot use the peer, the checkpoint's account, and the room asked for.
fn any_case() -> impl Strategy<Value = (Vec<Member>, Asked)> {
    let members = proptest::collection::vec((any_member(), any::<bool>(), proptest::bool::weighted(0.1)), 0..6);
    (members, proptest::option::of(0_usize..6), 0_u32..12).prop_map(|(drawn, checkpoint, room)| {
        let mut asked = Asked { room, ..Asked::nothing() };
        asked.checkpoint = checkpoint.map(|index| AccountId(index.to_string()));
        let members = drawn.into_iter().enumerate().map(|(index, (mut member, busy, not_here))| {
            let id = AccountId(index.to_string());
            member.account.id = id.clone();
            member.profile.id = id.clone();
            asked.busy.extend(busy.then(|| id.clone()));
            asked.not_for_peer.extend(not_here.then_some(id));
            member
        });
        (members.collect(), asked)
    })
}

/// Whether somebody may go at an instant, said without any sorting or waiting.
fn may_go(member: &Member, asked: &Asked, now: Timestamp) -> bool {
    let charged = if now >= at(5_000) { 0 } else { member.account.today.charged };
    member.profile.enabled
        && member.account.state == AccountState::Ready
        && !asked.not_for_peer.contains(&member.account.id)
        && member.account.waits.write.is_none_or(|until| until <= now)
        && member.profile.daily_budget.is_none_or(|budget| budget.saturating_sub(charged) >= asked.room)
}

proptest! {
    #[test]
    fn a_choice_is_always_the_true_one((members, asked) in any_case()) {
        let now = at(0);
        let busy = |member: &&Member| asked.busy.contains(&member.account.id);
        let free: Vec<&Member> = members.iter().filter(|member| may_go(member, &asked, now)).collect();
        // The first second in which somebody may go: flood ends and midnight are whole seconds here.
        let first = |from: i64| (from..=10_000).find(|second| members.iter().any(|m| may_go(m, &asked, at(*second))));
        match chosen(&members, &asked) {
            Choice::Use(id) => {
                let idle: Vec<&&Member> = free.iter().filter(|member| !busy(member)).collect();
                let used = idle.iter().find(|member| member.account.id == id);
                prop_assert!(used.is_some());
                let of_checkpoint = idle.iter().find(|member| Some(&member.account.id) == asked.checkpoint.as_ref());
                if let Some(of_checkpoint) = of_checkpoint {
                    prop_assert_eq!(&of_checkpoint.account.id, &id);
                } else {
                    let rank = |m: &Member| (-m.profile.priority, m.account.last_used.map_or(i64::MIN, Timestamp::as_second));
                    prop_assert!(idle.iter().all(|other| rank(used.unwrap()) <= rank(other)));
                }
            }
            Choice::WaitForTurn { .. } => prop_assert!(!free.is_empty() && free.iter().all(busy)),
            Choice::WaitUntil { at: until, .. } => {
                prop_assert!(free.is_empty());
                prop_assert_eq!(first(0).map(at), Some(until));
                prop_assert!(until.duration_since(now) > SignedDuration::ZERO);
            }
            Choice::Exhausted(reason) => {
                prop_assert_eq!(first(0), None);
                prop_assert!(!reason.is_empty());
            }
        }
    }
}
