//! Deliveries that come again, that come at once, and answers that fail.

use std::sync::atomic::Ordering;
use std::time::Duration;

use transfer::bot::{Bot as _, Incoming, Said, Screen};
use transfer::dialogue::State;
use transfer::dialogue::press::Press;
use transfer::dialogue::wizard::Step;
use transfer::table::item::Report;
use transfer::table::{Item, Key, Table as _};
use transfer::task::TaskState;
use webhook::handler::HandleError;

use crate::stage::{ADMIN, Stage, found};
use crate::story::{tell, tell_until_preview};

#[tokio::test(start_paused = true)]
async fn a_whole_story_delivered_again_changes_nothing() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    let (table, chat) = (stage.table.0.snapshot(), stage.bot.inner.chat(ADMIN));
    let answers = stage.bot.inner.answers().len();
    let jobs = stage.jobs().await.len();
    for incoming in stage.delivered.clone() {
        stage.handler.handle(incoming).await.unwrap();
    }
    assert_eq!(stage.table.0.snapshot(), table);
    assert_eq!(stage.bot.inner.chat(ADMIN), chat);
    assert_eq!(stage.bot.inner.answers().len(), answers);
    assert_eq!((jobs, stage.jobs().await.len()), (2, 0));
}

/// Each update's answer fails once, at each of its calls to the bot, and is delivered again.
#[tokio::test(start_paused = true)]
async fn answers_that_fail_are_shown_by_the_next_delivery_and_nothing_is_done_twice() {
    let mut plain = Stage::new("en");
    tell(&mut plain).await;
    for failures in 1..=3 {
        let mut stage = Stage::new("en");
        let deliveries = plain.delivered.clone();
        for incoming in deliveries {
            if matches!(&incoming.what, Said::Pressed { data, .. } if data == "w:confirm") {
                stage.host_answers(found()).await;
            }
            stage.bot.failures.store(failures, Ordering::Relaxed);
            let mut tries = 0;
            while stage.deliver_as(incoming.clone()).await.is_err() {
                tries += 1;
                assert!(tries <= 3, "it does not recover");
            }
        }
        let shown =
            |stage: &Stage| stage.bot.inner.chat(ADMIN).into_iter().map(|(_, screen)| screen.html).collect::<Vec<_>>();
        assert_eq!(shown(&stage), shown(&plain), "{failures} failures");
        let [task] = <[_; 1]>::try_from(stage.tasks()).unwrap();
        assert!(matches!(task.state, TaskState::Ready { .. }));
        assert_eq!(stage.jobs().await.len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn one_of_two_deliveries_at_once_answers() {
    let stage = Stage::new("en");
    let incoming = stage.incoming(Said::Text("/start".to_owned()));
    let (one, two) = tokio::join!(stage.handler.handle(incoming.clone()), stage.handler.handle(incoming.clone()));
    assert!(one.is_ok());
    assert!(matches!(two, Ok(()) | Err(HandleError::Busy)), "{two:?}");
    assert_eq!(stage.bot.inner.chat(ADMIN).len(), 1);
    stage.handler.handle(incoming).await.unwrap();
    assert_eq!(stage.bot.inner.chat(ADMIN).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_death_before_the_answer_is_made_good_after_a_while() {
    let mut stage = Stage::new("en");
    let incoming = stage.incoming(Said::Text("/start".to_owned()));
    stage.bot.failures.store(1, Ordering::Relaxed);
    assert!(stage.deliver_as(incoming.clone()).await.is_err());
    // As if the process had died before it could say that it failed.
    let key = Key::update(incoming.id);
    let Some(Item::Update(mut taken)) = stage.table.get(&key).await.unwrap().map(|record| record.item) else {
        panic!()
    };
    taken.failed = false;
    stage.put(Item::Update(taken)).await;
    assert!(matches!(stage.handler.handle(incoming.clone()).await, Err(HandleError::Busy)));
    tokio::time::advance(Duration::from_secs(31)).await;
    stage.handler.handle(incoming).await.unwrap();
    assert_eq!(stage.bot.inner.chat(ADMIN).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_messages_at_once_are_two_answers_one_after_the_other() {
    let mut stage = Stage::new("en");
    stage.say("/transfer").await;
    let first = stage.incoming(Said::Text("@source_chat".to_owned()));
    let second = Incoming { id: transfer::ids::UpdateId(99), ..stage.incoming(Said::Text("@target_chat".to_owned())) };
    let (one, two) = tokio::join!(stage.handler.handle(first), stage.handler.handle(second));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    let dialogue = stage.items().into_iter().find_map(|record| match record.item {
        Item::Dialogue(dialogue) => Some(*dialogue),
        _ => None,
    });
    let dialogue = dialogue.unwrap();
    let State::Wizard(wizard) = &dialogue.state else { panic!("{dialogue:?}") };
    assert_eq!(wizard.step, Step::Range);
    let named = [&wizard.source, &wizard.target].map(|place| place.as_ref().unwrap().address.to_string());
    assert!(named.contains(&"@source_chat".to_owned()) && named.contains(&"@target_chat".to_owned()), "{named:?}");
    // The buttons that count are those of the message that shows the last step.
    let chat = stage.bot.inner.chat(ADMIN);
    let counting = chat.iter().find(|(id, _)| Some(*id) == dialogue.message).unwrap();
    assert!(counting.1.html.contains("step 3"), "{}", counting.1.html);
}

#[tokio::test(start_paused = true)]
async fn confirm_pressed_twice_at_once_makes_one_transfer() {
    let mut stage = Stage::new("en");
    tell_until_preview(&mut stage).await;
    stage.host_answers(found()).await;
    let (message, data) = stage.button("Start");
    let press = |id: u32| Incoming {
        id: transfer::ids::UpdateId(id),
        ..stage.incoming(Said::Pressed { press: transfer::bot::PressId(id.to_string()), message, data: data.clone() })
    };
    let (one, two) = tokio::join!(stage.handler.handle(press(98)), stage.handler.handle(press(99)));
    assert!(one.is_ok() && two.is_ok(), "{one:?} {two:?}");
    assert_eq!(stage.tasks().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_preview_that_is_there_is_not_covered_by_a_late_answer() {
    let mut stage = Stage::new("en");
    tell_until_preview(&mut stage).await;
    stage.host_answers(found()).await;
    let shown = stage.bot.inner.chat(ADMIN);
    let (message, _) = stage.button("Start");
    stage.press_data(message, "w:done").await;
    assert_eq!(stage.bot.inner.chat(ADMIN), shown);
}

#[tokio::test(start_paused = true)]
async fn pause_resume_pace_and_cancel_reach_the_task() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    let id = stage.tasks()[0].id.clone();
    let (message, _) = stage.button("Show the transfer");
    for (word, state) in [("pause", "paused"), ("resume", "ready"), ("resume", "ready"), ("cancel", "cancelled")] {
        stage.press_data(message, &format!("{word}:{id}")).await;
        assert_eq!(stage.tasks()[0].state.word(), state, "{word}");
    }
    stage.press_data(message, &format!("pause:{id}")).await;
    let answers = stage.bot.inner.answers();
    assert_eq!(answers.last().unwrap().1.as_deref(), Some("It cannot do that now."));
    let words: Vec<_> = answers.iter().rev().skip(1).take(4).filter_map(|(_, word)| word.clone()).collect();
    assert!(words.iter().all(|word| !word.contains("cannot")), "{words:?}");
}

#[tokio::test(start_paused = true)]
async fn another_pace_keeps_the_wish_to_pause() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    let id = stage.tasks()[0].id.clone();
    let (message, _) = stage.button("Show the transfer");
    stage.press_data(message, &format!("pause:{id}")).await;
    stage.press_data(message, &format!("pace:{id}:large")).await;
    stage.press_data(message, &format!("pace+:{id}")).await;
    stage.say("fast").await;
    stage.say("700").await;
    let command = stage.items().into_iter().find_map(|record| match record.item {
        Item::Command(command) => Some(command),
        _ => None,
    });
    let command = command.unwrap();
    assert_eq!(command.wish, transfer::task::Wish::Pause);
    assert_eq!(command.pace.unwrap().forward_rate_ms, 700);
    assert_eq!(stage.tasks()[0].state.word(), "paused");
}

/// The message that shows a task's progress is the host's: a page put there would be gone with its next edit.
#[tokio::test(start_paused = true)]
async fn a_button_under_the_progress_leaves_the_progress_where_it_is() {
    let mut stage = Stage::new("en");
    tell(&mut stage).await;
    let id = stage.tasks()[0].id.clone();
    let progress = Screen { html: "the host's words".to_owned(), buttons: Vec::new() };
    let message = stage.bot.inner.send(ADMIN, &progress).await.unwrap();
    let Some(Item::Report(report)) = stage.table.get(&Key::report(&id)).await.unwrap().map(|record| record.item) else {
        panic!("a task of an admin has a report");
    };
    stage.put(Item::Report(Report { message: Some(message), ..report })).await;
    let shown = |stage: &Stage| stage.bot.inner.chat(ADMIN).len();
    let (before, answers) = (shown(&stage), stage.bot.inner.answers().len());
    stage.press_data(message, &Press::Pause(id.clone()).to_string()).await;
    assert!(matches!(stage.tasks()[0].state, TaskState::Paused { .. }));
    assert_eq!((shown(&stage), stage.bot.inner.answers().len()), (before, answers + 1));
    stage.press_data(message, &Press::Task(id).to_string()).await;
    assert_eq!(shown(&stage), before + 1, "the page is a message of its own");
    let chat = stage.bot.inner.chat(ADMIN);
    assert_eq!(chat.iter().find(|(of, _)| *of == message).map(|(_, screen)| screen), Some(&progress));
}
