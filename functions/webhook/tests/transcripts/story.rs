//! A new transfer from the first command to the job, and the ways around.

use std::time::Duration;

use transfer::inquiry::{Answer, Obstacle};
use transfer::message::Kind;
use transfer::queue::About;
use transfer::selection::Range;
use transfer::table::Item;
use transfer::task::TaskState;

use crate::stage::{ADMIN, Stage, channel, found, word};

/// Every step, with something chosen in each.
pub(crate) async fn tell(stage: &mut Stage) {
    stage.say("/start").await;
    stage.press(&word(stage, "menu-new")).await;
    stage.say("https://t.me/daily_photos/77").await;
    stage.forward(channel("Archive <b>", None, 5)).await;
    stage.press("77").await;
    stage.press(&word(stage, "kind-photo")).await;
    stage.press(&word(stage, "kind-video")).await;
    stage.press(&word(stage, "wizard-next")).await;
    stage.say("report & <more>").await;
    stage.press(&word(stage, "wizard-author-hidden")).await;
    stage.press("→").await;
    stage.say("for the\narchive").await;
    stage.press(&word(stage, "preset-medium")).await;
    stage.press("200").await;
    stage.press(&word(stage, "wizard-batch-pause")).await;
    stage.press(&word(stage, "wizard-to-preview")).await;
    stage.host_answers(found()).await;
    stage.press(&word(stage, "preview-confirm")).await;
}

#[tokio::test(start_paused = true)]
async fn a_transfer_in_english() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(start_paused = true)]
async fn a_transfer_in_chinese() {
    let mut stage = Stage::new("zh-hans");
    tell(&mut stage).await;
    insta::assert_snapshot!(stage.transcript());
}

#[tokio::test(start_paused = true)]
async fn what_was_chosen_is_what_is_stored() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    let [task] = <[_; 1]>::try_from(stage.tasks()).unwrap();
    assert_eq!(
        (task.source.address.to_string(), task.target.address.to_string()),
        ("@daily_photos".into(), "-1000000004242".into())
    );
    assert_eq!(task.selection.range, Range::From(transfer::ids::MessageId(77)));
    assert_eq!(task.selection.kinds, [Kind::Photo, Kind::Video].into());
    assert_eq!(task.selection.keyword.as_deref(), Some("report & <more>"));
    assert!(task.style.drop_author && !task.style.drop_captions);
    assert_eq!(task.title, "@daily_photos → Archive <b>");
    assert_eq!(task.description.as_deref(), Some("for the\narchive"));
    assert_eq!(task.pace, transfer::pace::Preset::Medium.pace());
    assert_eq!((task.batch_len, task.pause_after_batch, task.owner), (200, true, Some(ADMIN)));
    assert!(matches!(task.state, TaskState::Ready { .. }));
    let abouts: Vec<About> = stage.jobs().await.into_iter().map(|job| job.about).collect();
    assert!(
        matches!(abouts.as_slice(), [About::Inquiry { .. }, About::Batch { task: id, batch: 1 }] if *id == task.id),
        "{abouts:?}"
    );
    let items = stage.items();
    let reports: Vec<_> = items
        .iter()
        .filter_map(|record| match &record.item {
            Item::Report(report) => Some((report.task.clone(), report.chat, report.open_since.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(reports, [(task.id.clone(), ADMIN, true)]);
    let recent: Vec<_> = items
        .iter()
        .filter_map(|record| match &record.item {
            Item::Recent(recent) => {
                Some(recent.peers.iter().map(|peer| peer.title.clone().unwrap()).collect::<Vec<_>>())
            }
            _ => None,
        })
        .collect();
    assert_eq!(recent, [["Archive", "Daily Photos"]]);
}

#[tokio::test(start_paused = true)]
async fn recent_chats_are_offered_and_everything_has_a_default() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    stage.transcript();
    stage.say("/transfer").await;
    stage.press("Daily Photos").await;
    stage.press("Archive").await;
    stage.press("90 days").await;
    stage.press("Next: everything").await;
    stage.press("No keyword").await;
    stage.press("Shown").await;
    stage.press("→").await;
    stage.press("No note").await;
    stage.say("250").await;
    stage.press("Preview").await;
    stage.host_answers(Answer::Impossible { reason: Obstacle::NoAccount }).await;
    stage.press("Try again").await;
    insta::assert_snapshot!(stage.transcript());
    let questions = stage.inquiries();
    assert_eq!(questions.len(), 1, "the first question was withdrawn");
}

#[tokio::test(start_paused = true)]
async fn every_step_goes_back_and_keeps_what_was_said() {
    let mut stage = Stage::new("en");
    tell_until_preview(&mut stage).await;
    stage.transcript();
    for _ in 0..11 {
        stage.press("Back").await;
    }
    insta::assert_snapshot!(stage.transcript());
    assert!(stage.inquiries().is_empty(), "a preview that nobody looks at is withdrawn");
}

#[tokio::test(start_paused = true)]
async fn what_was_said_before_can_be_kept() {
    let mut stage = Stage::new("en");
    tell_until_preview(&mut stage).await;
    for _ in 0..10 {
        stage.press("Back").await;
    }
    for _ in 0..3 {
        stage.press("Keep it").await;
    }
    stage.press("Next").await;
    for _ in 0..5 {
        stage.press("Keep it").await;
    }
    stage.press("Preview").await;
    stage.host_answers(found()).await;
    stage.press("Start").await;
    let [task] = <[_; 1]>::try_from(stage.tasks()).unwrap();
    assert_eq!(
        task.selection.range,
        Range::Ids { from: transfer::ids::MessageId(100), until: transfer::ids::MessageId(200) }
    );
    assert_eq!(task.title, "my title");
}

pub(crate) async fn tell_until_preview(stage: &mut Stage) {
    tell_until_batch(stage).await;
    stage.press(&word(stage, "wizard-to-preview")).await;
}

pub(crate) async fn tell_until_batch(stage: &mut Stage) {
    stage.say("/transfer").await;
    for answer in ["@source_chat", "-1001234567890", "100-200"] {
        stage.say(answer).await;
    }
    stage.press(&word(stage, "wizard-kinds-all")).await;
    stage.press(&word(stage, "wizard-keyword-none")).await;
    stage.press(&word(stage, "wizard-author-kept")).await;
    stage.say("my title").await;
    stage.press(&word(stage, "wizard-description-none")).await;
    stage.press(&word(stage, "preset-none")).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_host_it_says_so_and_goes_on_all_the_same() {
    for language in ["en", "zh-hans"] {
        let mut stage = Stage::new(language);
        stage.host = false;
        tell_until_preview(&mut stage).await;
        stage.transcript();
        stage.press(&word(&stage, "wizard-again")).await;
        stage.press(&word(&stage, "wizard-confirm-unseen")).await;
        insta::assert_snapshot!(format!("without_a_host_{language}"), stage.transcript());
        assert_eq!(stage.tasks().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_conversation_that_was_left_standing_can_go_on() {
    for language in ["en", "zh-hans"] {
        let mut stage = Stage::new(language);
        stage.say("/transfer").await;
        stage.say("@source_chat").await;
        tokio::time::advance(Duration::from_secs(31 * 60)).await;
        stage.transcript();
        stage.say("@target_chat").await;
        stage.press(&word(&stage, "wizard-continue")).await;
        stage.say("@target_chat").await;
        tokio::time::advance(Duration::from_secs(31 * 60)).await;
        stage.press(&word(&stage, "wizard-range-all")).await;
        stage.press(&word(&stage, "wizard-cancel")).await;
        insta::assert_snapshot!(format!("left_standing_{language}"), stage.transcript());
    }
}

#[tokio::test(start_paused = true)]
async fn a_transfer_is_repeated_from_its_page() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    stage.transcript();
    let [first] = <[_; 1]>::try_from(stage.tasks()).unwrap();
    let (message, _) = stage.button("Show the transfer");
    stage.press_data(message, &format!("again:{}", first.id)).await;
    stage.host_answers(found()).await;
    stage.press("Start").await;
    insta::assert_snapshot!(stage.transcript());
    let tasks = stage.tasks();
    let second = tasks.iter().find(|task| task.id != first.id).unwrap();
    assert_eq!((&second.selection, &second.source, second.pace), (&first.selection, &first.source, first.pace));
    assert_ne!(second.nonce, first.nonce);
}

#[tokio::test(start_paused = true)]
async fn the_commands_and_settings() {
    for language in ["en", "zh-hans"] {
        let mut stage = Stage::new(language);
        stage.say("/help").await;
        stage.say("/START@ferry_bot now").await;
        stage.say("/cancel").await;
        stage.say("/zone").await;
        insta::assert_snapshot!(format!("commands_{language}"), stage.transcript());
        for command in ["/tasks", "/session", "/accounts", "/stats", "/settings"] {
            let before = stage.bot.inner.chat(ADMIN).len();
            stage.say(command).await;
            assert_eq!(stage.bot.inner.chat(ADMIN).len(), before + 1, "{command}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn language_and_zone_are_settings() {
    let mut stage = Stage::new("en");
    stage.say("/start").await;
    let (message, _) = stage.button("Settings");
    stage.press_data(message, "speak:zh").await;
    stage.press_data(message, "zone?").await;
    stage.transcript();
    stage.say("Nowhere/Atlantis").await;
    stage.press("Europe/Berlin").await;
    stage.say("/start").await;
    let said = stage.transcript();
    assert!(said.contains("没有时区") && said.contains("新建搬运"), "{said}");
    let settings = stage.items().into_iter().find_map(|record| match record.item {
        Item::Settings(settings) => Some(settings),
        _ => None,
    });
    let settings = settings.unwrap();
    assert_eq!((settings.spoken().tag(), settings.zone.as_deref()), ("zh", Some("Europe/Berlin")));
    assert_eq!(settings.telegram_language.map(transfer::text::Language::tag), Some("en"));
}
