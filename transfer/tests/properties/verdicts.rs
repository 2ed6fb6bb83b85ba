//! Telegram's errors, known and unknown, whole and garbled.

use proptest::prelude::*;
use transfer::refusal::{Meaning, Refusal};
use transfer::verdict::{AccountEffect, Attempt, TaskEffect, verdict};

/// Names as Telegram writes them, with anything behind them.
fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "FLOOD_WAIT",
        "FLOOD_PREMIUM_WAIT",
        "SLOWMODE_WAIT",
        "PEER_FLOOD",
        "FROZEN_METHOD_INVALID",
        "CHANNEL_PRIVATE",
        "CHAT_SEND_PHOTOS_FORBIDDEN",
        "CHAT_FORWARDS_RESTRICTED",
        "MESSAGE_ID_INVALID",
        "TOPIC_CLOSED",
        "ALLOW_PAYMENT_REQUIRED",
        "PREMIUM_ACCOUNT_REQUIRED",
        "AUTH_KEY_UNREGISTERED",
        "AUTH_KEY_DUPLICATED",
        "USER_DEACTIVATED",
        "USER_MIGRATE",
        "RANDOM_ID_DUPLICATE",
        "INTERNAL",
        "Timeout",
        "2FA_CONFIRM_WAIT",
    ]);
    let tail = prop_oneof![Just(String::new()), "_[0-9]{0,30}", "_-[0-9]{1,4}", "[ _A-Z0-9]{0,12}", any::<String>()];
    prop_oneof![4 => (known, tail).prop_map(|(known, tail)| known.to_owned() + &tail), 1 => any::<String>(), 1 => ".{150,260}"]
}

fn code() -> impl Strategy<Value = i32> {
    prop_oneof![prop::sample::select(vec![303, 400, 401, 403, 404, 406, 420, 500, 503, -503]), any::<i32>()]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_096) })]

    #[test]
    fn no_error_to_a_repeat_says_anything_about_the_first_call(code in code(), name in name()) {
        let refusal = Refusal::parse(code, &name);
        let (first, repeat) = (verdict(&refusal, Attempt::First), verdict(&refusal, Attempt::Repeat));
        prop_assert_eq!(repeat.task, TaskEffect::KeepIntent);
        prop_assert_eq!(repeat.account, first.account);
        prop_assert_ne!(first.task, TaskEffect::KeepIntent);
    }

    /// What Telegram itself could not finish is never taken for "not carried out", unless its name says so.
    #[test]
    fn a_failure_of_telegrams_own_stays_uncertain(
        code in prop_oneof![500_i32..=i32::MAX, i32::MIN..=-1], name in "[A-Z]{3,9}_[A-Z]{3,9}",
    ) {
        let refusal = Refusal::parse(code, &name);
        prop_assume!(refusal.meaning() == Meaning::Internal);
        prop_assert_eq!(verdict(&refusal, Attempt::First).task, TaskEffect::Uncertain);
        prop_assert_eq!(verdict(&refusal, Attempt::First).account, AccountEffect::Fine);
    }

    #[test]
    fn a_wait_is_never_rounded_down(
        secs in 0_u64..300_000_000, premium: bool, padding in 0_usize..4, tail in "( .{0,20})?",
    ) {
        let name = if premium { "FLOOD_PREMIUM_WAIT_" } else { "FLOOD_WAIT_" };
        let name = format!("{name}{}{secs}{tail}", "0".repeat(padding));
        let cooling = AccountEffect::Cooling { secs: secs.max(1) };
        for attempt in [Attempt::First, Attempt::Repeat] {
            prop_assert_eq!(verdict(&Refusal::parse(420, &name), attempt).account, cooling);
        }
    }

    #[test]
    fn an_error_is_the_same_when_it_is_read_again(code in code(), name in name()) {
        let refusal = Refusal::parse(code, &name);
        prop_assert_eq!(refusal.code(), code);
        prop_assert!(name.trim().starts_with(refusal.text()) && refusal.text().chars().count() <= 200);
        // A text that was cut short may have been cut at a space.
        prop_assume!(refusal.text().trim_end() == refusal.text());
        prop_assert_eq!(Refusal::parse(code, refusal.text()), refusal.clone());
        prop_assert!(refusal.to_string().contains(refusal.text()));
    }
}
