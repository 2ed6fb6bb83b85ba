//! What an admin does to the accounts of the pool, and to what a transfer skipped: what is asked first, what is refused,
//! and what comes of it.

use jiff::SignedDuration;
use transfer::account::{Account, Member, MethodClass, Profile, Waits};
use transfer::admin;
use transfer::bot::Said;
use transfer::ids::{AccountId, MessageId, TaskId};
use transfer::intent::{Skip, SkipReason};
use transfer::lease::Lease;
use transfer::queue::About;
use transfer::selection::Selection;
use transfer::sequence::IdSequence;
use transfer::table::Item;
use transfer::table::item::SkipRecord;
use transfer::task::{Task, TaskState};

use crate::stage::{Stage, word};
use crate::story::tell;

const LANGUAGES: [&str; 2] = ["en", "zh-hans"];

fn first() -> AccountId {
    AccountId::from("7001")
}

/// A chat with two accounts in the pool.
async fn stage(language: &'static str) -> Stage {
    let stage = Stage::new(language);
    let now = stage.handler.clock.now();
    for (id, label, priority) in [("7001", "work <1>", 5), ("7002", "spare", 0)] {
        let id = AccountId::from(id);
        let today = now.to_zoned(stage.handler.zone.clone()).date();
        stage.put(Item::Account(Account::new(id.clone(), "+44…21".to_owned(), now, today))).await;
        let label = label.to_owned();
        stage
            .put(Item::Profile(Profile {
                id,
                label,
                priority,
                group: None,
                enabled: true,
                daily_budget: None,
                leaving: None,
            }))
            .await;
    }
    stage
}

async fn member(stage: &Stage) -> Option<Member> {
    admin::member(&stage.table.0, &first()).await.unwrap()
}

async fn change(stage: &Stage, change: impl FnOnce(&mut Account)) {
    let mut account = member(stage).await.unwrap().account;
    change(&mut account);
    stage.put(Item::Account(account)).await;
}

async fn press(stage: &mut Stage, name: &str) {
    let text = word(stage, name);
    stage.press(&text).await;
}

/// The last short answer to a press.
fn answered(stage: &Stage) -> Option<String> {
    stage.bot.inner.answers().last().unwrap().1.clone()
}

async fn assert_delivered_again_changes_nothing(stage: &Stage) {
    let before = stage.table.0.snapshot();
    for incoming in stage.delivered.clone() {
        stage.handler.handle(incoming).await.unwrap();
    }
    assert_eq!(stage.table.0.snapshot(), before);
}

#[tokio::test(start_paused = true)]
async fn an_account_is_disabled_enabled_ranked_and_named() {
    for language in LANGUAGES {
        let mut stage = stage(language).await;
        stage.say("/accounts").await;
        press(&mut stage, "pool-button-list").await;
        stage.press("work").await;
        press(&mut stage, "account-button-disable").await;
        assert!(!member(&stage).await.unwrap().profile.enabled);
        press(&mut stage, "account-button-enable").await;
        assert!(member(&stage).await.unwrap().profile.enabled);
        press(&mut stage, "account-button-priority").await;
        for priority in ["high", "1001", "-12"] {
            stage.say(priority).await;
        }
        assert_eq!(member(&stage).await.unwrap().profile.priority, -12);
        press(&mut stage, "account-button-label").await;
        stage.say(&"n".repeat(41)).await;
        stage.say(" night\n <b>shift ").await;
        assert_eq!(member(&stage).await.unwrap().profile.label, "night <b>shift");
        insta::assert_snapshot!(format!("tended_{language}"), stage.transcript());
        assert_delivered_again_changes_nothing(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn flood_state_is_reset_after_a_question() {
    for language in LANGUAGES {
        let mut stage = stage(language).await;
        let until = stage.handler.clock.now() + SignedDuration::from_hours(7);
        change(&stage, |account| account.waits.extend(MethodClass::Write, until)).await;
        stage.say("/accounts").await;
        press(&mut stage, "pool-button-list").await;
        stage.press("work").await;
        press(&mut stage, "account-button-reset").await;
        press(&mut stage, "account-button-no").await;
        press(&mut stage, "account-button-reset").await;
        let asked = member(&stage).await.unwrap().account;
        assert_eq!((asked.waits.write, asked.waits_reset_at), (Some(until), None), "it was only asked");
        press(&mut stage, "account-button-reset-yes").await;
        let reset = member(&stage).await.unwrap().account;
        assert_eq!((reset.waits, reset.waits_reset_at), (Waits::default(), Some(stage.handler.clock.now())));
        insta::assert_snapshot!(format!("reset_{language}"), stage.transcript());
        assert_delivered_again_changes_nothing(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_leaves_after_a_question_and_a_host_is_called() {
    for language in LANGUAGES {
        let mut stage = stage(language).await;
        let lease = Lease { host: "host".into(), incarnation: "life".into() };
        change(&stage, |account| account.lease = Some(lease)).await;
        stage.say("/accounts").await;
        press(&mut stage, "pool-button-list").await;
        stage.press("work").await;
        press(&mut stage, "account-button-delete").await;
        assert_eq!(member(&stage).await.unwrap().profile.leaving, None, "it was only asked");
        press(&mut stage, "account-button-delete-yes").await;
        let leaving = member(&stage).await.unwrap().profile.leaving.unwrap();
        assert_eq!(leaving.told, Some(crate::stage::ADMIN));
        let abouts: Vec<About> = stage.jobs().await.into_iter().map(|job| job.about).collect();
        assert_eq!(abouts, [About::Leaving { leaving: first() }]);
        stage.press(&word(&stage, "pool-button-back")).await;
        insta::assert_snapshot!(format!("deleted_{language}"), stage.transcript());
        assert_delivered_again_changes_nothing(&stage).await;
        change(&stage, |account| account.lease = None).await;
        admin::delete(&stage.table.0, &first()).await.unwrap();
        let (message, _) = stage.button("spare");
        for data in ["enable:7001", "disable:7001", "reset:7001", "delete:7001", "login:7001"] {
            stage.press_data(message, data).await;
            assert_eq!(answered(&stage), Some(word(&stage, "word-account-gone")), "{data}");
        }
        assert!(member(&stage).await.is_none(), "nothing brings it back");
    }
}

#[tokio::test(start_paused = true)]
async fn an_account_gets_a_group_and_a_transfer_is_bound_to_it() {
    for language in LANGUAGES {
        let mut stage = stage(language).await;
        stage.say("/accounts").await;
        press(&mut stage, "pool-button-list").await;
        stage.press("work").await;
        press(&mut stage, "account-button-group").await;
        stage.say(&"g".repeat(33)).await;
        stage.say(" night\nshift ").await;
        assert_eq!(member(&stage).await.unwrap().profile.group.as_deref(), Some("night shift"));
        insta::assert_snapshot!(format!("grouped_{language}"), stage.transcript());
        crate::story::tell_until_batch(&mut stage).await;
        stage.transcript();
        stage.press("night shift").await;
        press(&mut stage, "wizard-join").await;
        insta::assert_snapshot!(format!("bound_{language}"), stage.transcript());
        press(&mut stage, "wizard-to-preview").await;
        stage.host_answers(crate::stage::found()).await;
        press(&mut stage, "preview-confirm").await;
        let [task] = <[_; 1]>::try_from(stage.tasks()).unwrap();
        assert_eq!((task.group.as_deref(), task.join), (Some("night shift"), true));
        stage.press_data(stage.bot.inner.chat(crate::stage::ADMIN).last().unwrap().0, "group?:7001").await;
        press(&mut stage, "await-group-none").await;
        assert_eq!(member(&stage).await.unwrap().profile.group, None);
        assert_delivered_again_changes_nothing(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn every_account_is_signed_out_after_two_questions() {
    for language in LANGUAGES {
        let mut stage = stage(language).await;
        stage.say("/settings").await;
        press(&mut stage, "settings-button-panic").await;
        press(&mut stage, "panic-no").await;
        press(&mut stage, "settings-button-panic").await;
        press(&mut stage, "panic-yes").await;
        let pressed = |stage: &Stage| stage.items().into_iter().any(|record| matches!(record.item, Item::Panic(_)));
        assert!(!pressed(&stage), "it was only asked");
        stage.host = false;
        tokio::time::advance(std::time::Duration::from_secs(61)).await;
        press(&mut stage, "panic-yes-again").await;
        assert!(pressed(&stage));
        insta::assert_snapshot!(format!("panic_{language}"), stage.transcript());
        let abouts: Vec<About> = stage.jobs().await.into_iter().map(|job| job.about).collect();
        assert_eq!(abouts, [About::Panic { panic: true }]);
        assert_delivered_again_changes_nothing(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_host_that_works_with_one_account_alone_is_told_of() {
    let mut stage = stage("en").await;
    stage.single = Some(first());
    stage.say("/session").await;
    let said = stage.transcript();
    assert!(said.contains("work <1>") && said.contains("one account alone"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_value_for_an_account_that_was_deleted_meanwhile() {
    for (button, value) in [("account-button-priority", "7"), ("account-button-label", "late")] {
        let mut stage = stage("en").await;
        stage.say("/accounts").await;
        press(&mut stage, "pool-button-list").await;
        stage.press("work").await;
        press(&mut stage, button).await;
        admin::delete(&stage.table.0, &first()).await.unwrap();
        stage.transcript();
        stage.say(value).await;
        assert!(stage.transcript().contains(&word(&stage, "account-unknown")), "{button}");
    }
}

/// Tells of a transfer that skipped these, and is over or not.
async fn skipping(stage: &mut Stage, skips: &[(i32, SkipReason)], over: bool) -> Task {
    tell(stage).await;
    stage.jobs().await;
    let [mut task] = <[_; 1]>::try_from(stage.tasks()).unwrap();
    let now = stage.handler.clock.now();
    task.checkpoint.counts.matched = 1_000;
    task.checkpoint.counts.skipped = skips.len() as u64;
    if over {
        task.state = TaskState::Done { at: now };
    }
    stage.put(Item::Task(Box::new(task.clone()))).await;
    for (id, reason) in skips {
        let skip = Skip { ids: IdSequence::from_vec(vec![MessageId(*id)]), reason: reason.clone() };
        stage.put(Item::Skip(SkipRecord::new(&task.id, skip, None, now))).await;
    }
    stage.transcript();
    task
}

#[tokio::test(start_paused = true)]
async fn what_was_skipped_is_carried_again_once() {
    for language in LANGUAGES {
        let mut stage = Stage::new(language);
        let skips = [
            (80, SkipReason::Service),
            (81, SkipReason::Error("CHAT_SEND_PHOTOS_FORBIDDEN".to_owned())),
            (82, SkipReason::Deleted),
            (83, SkipReason::Undetermined),
            (84, SkipReason::Refused),
        ];
        let task = skipping(&mut stage, &skips, true).await;
        let (message, _) = stage.button(&word(&stage, "created-show"));
        stage.press_data(message, &format!("task:{}", task.id)).await;
        press(&mut stage, "task-button-retry").await;
        insta::assert_snapshot!(format!("retried_{language}"), stage.transcript());
        assert_eq!(answered(&stage), Some(word(&stage, "word-retried")));
        let retried = stage.tasks().into_iter().find(|other| other.id != task.id).unwrap();
        assert_eq!(retried.selection, Selection::only(vec![MessageId(81), MessageId(84)].into()));
        assert_eq!((retried.owner, &retried.title, retried.style), (task.owner, &task.title, task.style));
        assert_ne!(retried.nonce, task.nonce);
        let reports = stage.items().into_iter().filter_map(|record| match record.item {
            Item::Report(report) if report.task == retried.id => Some(report.open_since.is_some()),
            _ => None,
        });
        assert_eq!(reports.collect::<Vec<_>>(), [true], "its progress will be shown");
        let abouts: Vec<About> = stage.jobs().await.into_iter().map(|job| job.about).collect();
        assert_eq!(abouts, [About::Batch { task: retried.id.clone(), batch: 1 }]);
        press(&mut stage, "task-button-retry").await;
        assert_eq!(stage.tasks().len(), 2, "pressed again it is the same");
        assert!(stage.jobs().await.is_empty());
        assert_delivered_again_changes_nothing(&stage).await;
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_carried_again_where_there_is_nothing_or_it_is_too_early() {
    let lost = [(80, SkipReason::Service), (83, SkipReason::Undetermined)];
    let refused = [(81, SkipReason::Refused)];
    for (skips, over, said) in [
        (&lost[..], true, "word-nothing-to-retry"),
        (&[], true, "word-nothing-to-retry"),
        (&refused, false, "word-not-now"),
    ] {
        let mut stage = Stage::new("en");
        let task = skipping(&mut stage, skips, over).await;
        let (message, _) = stage.bot.inner.chat(crate::stage::ADMIN).pop().unwrap();
        stage.press_data(message, &format!("retry:{}", task.id)).await;
        assert_eq!(answered(&stage), Some(word(&stage, said)));
        assert_eq!(stage.tasks().len(), 1);
        assert!(stage.jobs().await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_whose_answer_fails_is_one_transfer() {
    let mut stage = Stage::new("en");
    let task = skipping(&mut stage, &[(81, SkipReason::Refused)], true).await;
    let (message, _) = stage.bot.inner.chat(crate::stage::ADMIN).pop().unwrap();
    let press = transfer::bot::PressId("retry".to_owned());
    let incoming = stage.incoming(Said::Pressed { press, message, data: format!("retry:{}", task.id) });
    stage.bot.failures.store(2, std::sync::atomic::Ordering::Relaxed);
    let mut tries = 0;
    while stage.deliver_as(incoming.clone()).await.is_err() {
        tries += 1;
        assert!(tries <= 2, "it does not recover");
    }
    assert_eq!(tries, 2);
    let ids: Vec<TaskId> = stage.tasks().into_iter().map(|task| task.id).collect();
    assert_eq!(ids, [task.id.clone(), TaskId(format!("{}-r", task.id))]);
    assert_eq!(stage.jobs().await.len(), 1);
}
