//! Whatever is wrong is answered with what would be right, and changes nothing.

use transfer::bot::{Incoming, Said};
use transfer::dialogue::State;
use transfer::ids::{BotMessageId, ChatId};
use transfer::table::Item;

use crate::stage::{ADMIN, OTHER, Stage, channel, found, word};
use crate::story::{tell, tell_until_preview};

async fn blunder(stage: &mut Stage) {
    stage.say("hello").await;
    stage.say_other().await;
    stage.say("/transfer").await;
    stage.say("https://example.org/channel").await;
    stage.say_other().await;
    stage.say("/fly").await;
    stage.say("@source_chat").await;
    stage.say("@SOURCE_CHAT").await;
    stage.say("@target_chat").await;
    for range in ["yesterday", "2024-02-30", "200-100", "2030-01-01", "t.me/another_chat/5"] {
        stage.say(range).await;
    }
    stage.forward(channel("Elsewhere", Some("elsewhere"), 3)).await;
    stage.press(&word(stage, "wizard-range-all")).await;
    stage.say("gifs").await;
    stage.press(&word(stage, "wizard-kinds-all")).await;
    stage.say(&"long ".repeat(30)).await;
    stage.press(&word(stage, "wizard-keyword-none")).await;
    stage.press(&word(stage, "wizard-author-kept")).await;
    stage.say(&"t".repeat(101)).await;
    stage.say("title").await;
    stage.say(&"word ".repeat(110)).await;
    stage.press(&word(stage, "wizard-description-none")).await;
    for pace in ["fast", "1 2", "99999999 1 1"] {
        stage.say(pace).await;
    }
    stage.press(&word(stage, "preset-small")).await;
    stage.say("many").await;
    stage.say("6000").await;
    stage.say("42").await;
    stage.press(&word(stage, "wizard-to-preview")).await;
    stage.say("go!").await;
    stage.say("/cancel").await;
    stage.say("/cancel").await;
}

#[tokio::test(start_paused = true)]
async fn wrong_inputs() {
    for language in ["en", "zh-hans"] {
        let mut stage = Stage::new(language);
        blunder(&mut stage).await;
        insta::assert_snapshot!(format!("wrong_inputs_{language}"), stage.transcript());
        assert!(stage.tasks().is_empty());
        assert!(stage.inquiries().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn buttons_of_old_messages_and_of_no_version() {
    let mut stage = Stage::new("en");
    stage.say("/transfer").await;
    let (old, cancel) = stage.button("Cancel");
    stage.say("@source_chat").await;
    stage.transcript();
    stage.press_data(old, &cancel).await;
    stage.press_data(old, "fly:1").await;
    let (now, _) = stage.button("Back");
    stage.press_data(now, "w:confirm").await;
    stage.press_data(now, "w:kind:hologram").await;
    stage.press_data(now, "w:pick:0000").await;
    stage.press_data(now, "again:nothing").await;
    stage.press_data(now, "-").await;
    insta::assert_snapshot!(stage.transcript());
    stage.say("@target_chat").await;
    assert!(stage.transcript().contains("step 3"), "nothing was lost");
}

#[tokio::test(start_paused = true)]
async fn cancel_ends_the_conversation_at_every_step() {
    // As many updates as it takes to come to each step, and to the end.
    for updates in 2..18 {
        let mut stage = Stage::new("en");
        let mut whole = Stage::new("en");
        tell(&mut whole).await;
        // The answers do not depend on ids, so the same updates lead to the same step.
        for incoming in whole.delivered.into_iter().take(updates.min(16)) {
            stage.deliver_as(incoming).await.unwrap();
        }
        stage.transcript();
        stage.say("/cancel").await;
        assert!(stage.transcript().contains("Cancelled"), "after {updates}");
        let dialogue = stage.items().into_iter().find_map(|record| match record.item {
            Item::Dialogue(dialogue) => Some(*dialogue),
            _ => None,
        });
        assert_eq!(dialogue.unwrap().state, State::Idle);
        assert!(stage.inquiries().is_empty() && stage.tasks().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_is_removed_and_kept_nowhere() {
    for language in ["en", "zh-hans"] {
        let mut stage = Stage::new(language);
        stage.say("/transfer").await;
        let secret = "1BVtsOK4Bu7XyZ".repeat(25);
        let sent = stage.bot.inner.chat(ADMIN).last().unwrap().0;
        stage.transcript();
        let mut incoming = stage.incoming(Said::Text(secret.clone()));
        incoming.message = Some(sent);
        stage.deliver_as(incoming).await.unwrap();
        insta::assert_snapshot!(format!("secret_{language}"), stage.transcript());
        assert!(!stage.bot.inner.chat(ADMIN).iter().any(|(id, _)| *id == sent), "the message is gone");
        assert!(!format!("{:?}", stage.items()).contains(&secret[..20]));
    }
}

#[tokio::test(start_paused = true)]
async fn strangers_are_met_with_silence() {
    let mut stage = Stage::new("en");
    let stranger = ChatId(666);
    for what in [Said::Text("/start".to_owned()), Said::Other] {
        let incoming = Incoming { chat: stranger, ..stage.incoming(what) };
        stage.host = false;
        stage.deliver_as(incoming).await.unwrap();
    }
    assert!(stage.bot.inner.chat(stranger).is_empty());
    assert!(stage.items().is_empty());
}

#[tokio::test(start_paused = true)]
async fn another_admins_transfer_is_left_alone() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    let [task] = <[_; 1]>::try_from(stage.tasks()).unwrap();
    let before = stage.items().len();
    for word in ["task", "pause", "resume", "cancel?", "cancel", "again", "retry", "pace?", "pace+"] {
        let press = transfer::bot::PressId(format!("forged-{word}"));
        let data = format!("{word}:{}", task.id);
        let what = Said::Pressed { press: press.clone(), message: BotMessageId(1), data };
        let incoming = Incoming { chat: OTHER, ..stage.incoming(what) };
        stage.deliver_as(incoming).await.unwrap();
        let answers = stage.bot.inner.answers();
        let answer = answers.iter().find(|(answered, _)| *answered == press).unwrap();
        assert_eq!(answer.1.as_deref(), Some("This transfer belongs to another admin."), "{word}");
    }
    assert_eq!(stage.tasks(), [task]);
    // A mark for each update, and the other admin's dialogue and settings.
    assert_eq!(stage.items().len(), before + 9 + 2);
    assert!(stage.bot.inner.chat(OTHER).is_empty());
}

#[tokio::test(start_paused = true)]
async fn whatever_is_said_under_a_preview_is_answered_and_the_preview_stays() {
    for language in ["en", "zh-hans"] {
        let mut stage = Stage::new(language);
        tell_until_preview(&mut stage).await;
        stage.host_answers(found()).await;
        stage.transcript();
        stage.say("go!").await;
        stage.press(&word(&stage, "preview-confirm")).await;
        insta::assert_snapshot!(format!("under_a_preview_{language}"), stage.transcript());
        assert_eq!(stage.tasks().len(), 1);
    }
}
