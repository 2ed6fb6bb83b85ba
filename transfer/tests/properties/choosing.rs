//! Choosing an account, in pools where everything is drawn: states, groups, waits of every class, budgets, rivals.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use proptest::collection::{btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use transfer::account::{Account, AccountState, Member, MethodClass, Profile, Waits};
use transfer::ids::AccountId;
use transfer::pool::{Choice, Need, choose};

const TODAY: Date = jiff::civil::date(2024, 5, 1);
const MIDNIGHT: i64 = 60;
/// Later than every wait and the midnight that are drawn.
const FAR: i64 = 10_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_714_500_000 + second).unwrap()
}

fn today(now: Timestamp) -> Date {
    if now < at(MIDNIGHT) { TODAY } else { TODAY.tomorrow().unwrap() }
}

fn id(number: usize) -> AccountId {
    AccountId(number.to_string())
}

fn state() -> impl Strategy<Value = AccountState> {
    use AccountState as S;
    prop_oneof![
        8 => Just(S::Ready),
        1 => prop::sample::select(vec![S::SignedOut, S::SessionDead, S::Frozen, S::Quarantined, S::Banned]),
    ]
}

fn waits() -> impl Strategy<Value = Waits> {
    let wait = || of((-5_i64..100).prop_map(at));
    (wait(), wait(), wait()).prop_map(|(write, read, resolve)| Waits { write, read, resolve })
}

fn member() -> impl Strategy<Value = Member> {
    let profile = (0_i32..3, of(prop::sample::select(vec!["day", "night"])), prop::bool::weighted(0.85), of(0_u32..20));
    (profile, state(), waits(), of((-50_i64..0).prop_map(at)), 0_u32..20, any::<bool>()).prop_map(
        |((priority, group, enabled, daily_budget), state, waits, last_used, charged, of_yesterday)| {
            let mut account = Account::new(id(0), "+44…21".to_owned(), at(-1_000), TODAY);
            (account.state, account.waits, account.last_used, account.today.charged) =
                (state, waits, last_used, charged);
            if of_yesterday {
                account.today.date = TODAY.yesterday().unwrap();
            }
            let group = group.map(str::to_owned);
            let profile =
                Profile { id: id(0), label: String::new(), priority, group, enabled, daily_budget, leaving: None };
            Member { account, profile }
        },
    )
}

/// What a task asks for, owned.
#[derive(Debug, Clone)]
struct Asked {
    checkpoint: Option<AccountId>,
    group: Option<&'static str>,
    bound_to: Option<AccountId>,
    not_for_peer: BTreeSet<AccountId>,
    busy: BTreeSet<AccountId>,
    room: u32,
    class: MethodClass,
}

impl Asked {
    fn need(&self) -> Need<'_> {
        Need {
            checkpoint_account: self.checkpoint.as_ref(),
            group: self.group,
            bound_to: self.bound_to.as_ref(),
            not_for_peer: &self.not_for_peer,
            busy: &self.busy,
            room: self.room,
            class: self.class,
            midnight: at(MIDNIGHT),
        }
    }

    fn choose(&self, members: &[Member], now: Timestamp) -> Choice {
        choose(members, &self.need(), now, today(now))
    }

    /// Whether the account may go at `now`, rule by rule; whether it is busy is another matter.
    fn may(&self, member: &Member, now: Timestamp) -> bool {
        let (account, profile) = (&member.account, &member.profile);
        let wait = match self.class {
            MethodClass::Write => account.waits.write,
            MethodClass::Read => account.waits.read,
            MethodClass::Resolve => account.waits.resolve,
        };
        let charged = if account.today.date == today(now) { account.today.charged } else { 0 };
        profile.enabled
            && account.state == AccountState::Ready
            && self.bound_to.as_ref().is_none_or(|bound| *bound == account.id)
            && self.group.is_none_or(|group| profile.group.as_deref() == Some(group))
            && !self.not_for_peer.contains(&account.id)
            && wait.is_none_or(|until| until <= now)
            && profile.daily_budget.is_none_or(|budget| budget.saturating_sub(charged) >= self.room)
    }
}

fn case() -> impl Strategy<Value = (Vec<Member>, Asked)> {
    let ids = || btree_set((0_usize..6).prop_map(id), 0..4);
    let class = prop::sample::select(vec![MethodClass::Write, MethodClass::Read, MethodClass::Resolve]);
    let who = (of((0_usize..7).prop_map(id)), prop::option::weighted(0.1, (0_usize..7).prop_map(id)));
    let asked =
        (who, prop::option::weighted(0.2, prop::sample::select(vec!["day", "night"])), ids(), ids(), 0_u32..15, class)
            .prop_map(|((checkpoint, bound_to), group, busy, not_for_peer, room, class)| Asked {
                checkpoint,
                group,
                bound_to,
                not_for_peer: not_for_peer.into_iter().take(1).collect(),
                busy,
                room,
                class,
            });
    (vec(member(), 0..6), asked).prop_map(|(mut members, asked)| {
        for (number, member) in members.iter_mut().enumerate() {
            (member.account.id, member.profile.id) = (id(number), id(number));
            member.profile.label = format!("label-{number}");
        }
        (members, asked)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_048) })]

    #[test]
    fn only_who_may_goes_and_nobody_better_was_left((members, asked) in case(), now in (-10_i64..120).prop_map(at)) {
        let free: Vec<&Member> = members.iter().filter(|member| asked.may(member, now)).collect();
        let idle: Vec<&&Member> = free.iter().filter(|member| !asked.busy.contains(&member.account.id)).collect();
        match asked.choose(&members, now) {
            Choice::Use(chosen) => {
                let chosen = idle.iter().find(|member| member.account.id == chosen);
                prop_assert!(chosen.is_some(), "it may not go, or is busy");
                let rank = |member: &Member| (
                    asked.checkpoint.as_ref() != Some(&member.account.id),
                    -member.profile.priority,
                    member.account.last_used.map_or(i64::MIN, Timestamp::as_second),
                );
                prop_assert!(idle.iter().all(|other| rank(chosen.unwrap()) <= rank(other)));
            }
            Choice::WaitForTurn { .. } => prop_assert!(idle.is_empty() && !free.is_empty()),
            Choice::WaitUntil { .. } | Choice::Exhausted(_) => prop_assert!(free.is_empty()),
        }
    }

    #[test]
    fn a_wait_ends_at_the_first_instant_at_which_somebody_may((members, asked) in case(), now in 0_i64..80) {
        // Every end of a wait that is drawn is a whole second.
        let first = (now + 1..FAR).map(at).find(|then| members.iter().any(|member| asked.may(member, *then)));
        match asked.choose(&members, at(now)) {
            Choice::Use(_) => {}
            Choice::WaitUntil { at: until, why } => {
                prop_assert_eq!(Some(until), first);
                prop_assert!(why.contains("label-"));
                let nobody_busy = Asked { busy: BTreeSet::new(), ..asked };
                prop_assert!(matches!(nobody_busy.choose(&members, until), Choice::Use(_)));
            }
            Choice::WaitForTurn { or_at } => {
                // Who is free already and busy is waited for; of the others the first.
                let others = |member: &&Member| !asked.may(member, at(now));
                let others: Vec<&Member> = members.iter().filter(others).collect();
                let first = (now + 1..FAR).map(at).find(|then| others.iter().any(|member| asked.may(member, *then)));
                prop_assert_eq!(or_at, first);
            }
            Choice::Exhausted(why) => {
                prop_assert_eq!(first, None);
                prop_assert!(!why.is_empty());
            }
        }
    }

    #[test]
    fn the_order_of_the_pool_decides_nothing(
        (members, shuffled, asked) in case().prop_flat_map(|(members, asked)| {
            (Just(members.clone()), Just(members).prop_shuffle(), Just(asked))
        }),
        now in (-10_i64..120).prop_map(at),
    ) {
        match (asked.choose(&members, now), asked.choose(&shuffled, now)) {
            // Names are listed in the pool's order.
            (Choice::Exhausted(_), Choice::Exhausted(_)) => {}
            (one, other) => prop_assert_eq!(one, other),
        }
    }
}
