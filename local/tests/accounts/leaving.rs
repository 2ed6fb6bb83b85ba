//! Accounts that leave: signed out by their owner and back again, deleted by the admin, and all at once.

use transfer::table::Item;

use crate::stage::{ANNA, BERT, Kept, Stage};

async fn with_anna_and_bert() -> Stage {
    let stage = Stage::set();
    for (user, name) in [(ANNA, "work"), (BERT, "spare")] {
        stage.adds(&["way:qr"]).await;
        stage.is_asked("What shall it be called").await;
        stage.says(name);
        stage.is_asked("riority").await;
        stage.says("5");
        stage.presses("w:api:-").await;
        stage.scans(user).await;
        stage.reads(&format!("{name} is in the pool")).await;
    }
    stage
}

fn label_and_priority(kept: &Kept, id: &str) -> (String, i32) {
    match kept.accounts.get(id) {
        Some(Some(Item::Profile(profile))) => (profile.label.clone(), profile.priority),
        other => panic!("{id}: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_its_owner_signed_out_logs_in_again_and_keeps_its_name_and_rank() {
    let mut stage = with_anna_and_bert().await;
    stage.simulation.with_world(|world| world.login.revoke_others(ANNA, None));
    stage.says("/session");
    stage.presses("accounts:").await;
    stage.presses(&format!("account:{ANNA}")).await;
    // Nobody has met the sign-out yet: a transfer does.
    stage.carries_everything().await;
    stage.says("/session");
    stage.presses("accounts:").await;
    stage.presses(&format!("account:{ANNA}")).await;
    stage.presses(&format!("login:{ANNA}")).await;
    stage.presses("w:way:qr").await;
    stage.scans(ANNA).await;
    stage.reads("work is logged in again").await;
    stage.stop().await;
    let kept = stage.kept().await;
    assert_eq!(label_and_priority(&kept, &ANNA.0.to_string()), ("work".to_owned(), 5));
    assert_eq!((stage.sessions(ANNA), kept.sessions.len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_deleted_is_logged_out_and_erased() {
    let mut stage = with_anna_and_bert().await;
    stage.says("/session");
    stage.presses("accounts:").await;
    for press in ["account", "delete?", "delete"] {
        stage.presses(&format!("{press}:{ANNA}")).await;
    }
    stage.until("the end of its session", |world| world.login.sessions_of(ANNA).is_empty()).await;
    stage.stop().await;
    let bert = vec![BERT.0.to_string()];
    assert_eq!(stage.kept().await.ids(), (bert.clone(), bert));
    assert_eq!(stage.sessions(BERT), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_panic_button_signs_every_account_out_and_erases_it() {
    let mut stage = with_anna_and_bert().await;
    stage.says("/settings");
    for press in ["panic?", "panic??", "panic!"] {
        stage.presses(press).await;
    }
    stage
        .until("the end of every session", |world| {
            [ANNA, BERT].iter().all(|user| world.login.sessions_of(*user).is_empty())
        })
        .await;
    stage.stop().await;
    assert_eq!(stage.kept().await.ids(), (vec![], vec![]));
}
