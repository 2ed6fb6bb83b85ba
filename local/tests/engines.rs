//! The embedded engines keep the contract of the ports, through the AWS SDK and over sockets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use ferry::engines::{Engines, EnginesError};
use tempfile::TempDir;
use transfer::aws::{DynamoClient, local_config};
use transfer::contract::{aws, queue, samples, table};
use transfer::ids::UpdateId;
use transfer::queue::{Job, Queue};
use transfer::table::item::TakenUpdate;
use transfer::table::{Guard, Item, Table, Write};

mod table_rules {
    use super::*;

    async fn fresh() -> (table::Subject, (TempDir, Engines)) {
        let (dir, engines) = started().await;
        (Arc::new(engines.table(1)), (dir, engines))
    }

    transfer::table_contract!(fresh);
}

mod queue_rules {
    use super::*;

    async fn fresh() -> (queue::Subject, (TempDir, Engines)) {
        let (dir, engines) = started().await;
        (Arc::new(engines.queue()), (dir, engines))
    }

    transfer::queue_contract!(fresh);
}

mod aws_rules {
    use super::*;

    async fn fresh() -> (aws::Subject, (TempDir, Engines)) {
        let (dir, engines) = started().await;
        let dynamo = DynamoClient::new(&local_config(engines.dynamo_endpoint()));
        let table_name = engines.table_name().to_owned();
        let subject =
            aws::Subject { dynamo, table_name, table: engines.table(1), queue: engines.queue(), deviations: &[] };
        (subject, (dir, engines))
    }

    transfer::aws_contract!(fresh);
}

async fn started() -> (TempDir, Engines) {
    let dir = tempfile::tempdir().unwrap();
    let engines = Engines::start(dir.path()).await.unwrap();
    (dir, engines)
}

fn lock(target: i64) -> Write {
    Write::Put { item: Item::TargetLock(samples::lock(target, "t1")), guard: Guard::Absent }
}

#[tokio::test]
async fn bots_that_share_a_table_do_not_see_each_other() {
    let (_dir, engines) = started().await;
    let (one, other) = (engines.table(1), engines.table(12));
    let items = samples::one_of_each();
    one.commit(items.iter().map(|item| Write::Put { item: item.clone(), guard: Guard::Absent }).collect())
        .await
        .unwrap();
    for item in &items {
        assert_eq!(other.get(&item.key()).await.unwrap(), None);
        assert!(other.partition(&item.key().pk, "").await.unwrap().is_empty());
        if let Some((list, _)) = item.listed() {
            assert!(other.list(list).await.unwrap().is_empty());
        }
    }
    assert!(other.due(jiff::Timestamp::MAX, 10).await.unwrap().is_empty());
    assert_eq!(one.due(jiff::Timestamp::MAX, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let (dir, engines) = started().await;
    engines.table(1).commit(vec![lock(1)]).await.unwrap();
    let job = Job::batch("t1".into(), 1, 1);
    engines.queue().send(&job).await.unwrap();
    engines.stop().await;

    let engines = Engines::start(dir.path()).await.unwrap();
    assert!(engines.table(1).get(&lock(1).key()).await.unwrap().is_some());
    let received =
        engines.queue().receive(1, std::time::Duration::from_secs(30), std::time::Duration::ZERO).await.unwrap();
    assert_eq!(received[0].job().unwrap(), job);
    // Deduplication outlives the restart too.
    engines.queue().delete(&received[0].receipt).await.unwrap();
    engines.queue().send(&job).await.unwrap();
    assert_eq!(engines.queue().receive(1, std::time::Duration::ZERO, std::time::Duration::ZERO).await.unwrap(), []);
}

#[tokio::test]
async fn a_second_ferry_on_the_same_data_is_refused() {
    let (dir, engines) = started().await;
    let second = Engines::start(dir.path()).await;
    assert!(matches!(second, Err(EnginesError::Busy(_))), "{second:?}");
    assert!(second.unwrap_err().to_string().starts_with("another ferry works on "));
    engines.stop().await;
    Engines::start(dir.path()).await.unwrap();
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let refused = Engines::start(&file.join("data")).await.unwrap_err().to_string();
    assert!(refused.starts_with("cannot write to ") && refused.contains("file/data"), "{refused}");
}

#[tokio::test]
async fn a_broken_file_is_named() {
    for name in ["table.sqlite", "queue.sqlite"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(name), "this is no database, however long one looks at it".repeat(100)).unwrap();
        let refused = Engines::start(dir.path()).await.unwrap_err().to_string();
        assert!(refused.starts_with("cannot open the ") && refused.contains(name), "{refused}");
    }
}

#[tokio::test]
async fn what_expired_is_removed_and_nothing_else() {
    let (dir, engines) = started().await;
    let long_ago = jiff::Timestamp::from_second(1_000_000_000).unwrap();
    let update = |id, at| {
        let item = Item::Update(TakenUpdate { id: UpdateId(id), at, shows: Vec::new(), done: true, failed: false });
        Write::Put { item, guard: Guard::Absent }
    };
    let (old, new) = (update(1, long_ago), update(2, transfer::clock::Clock::system().now()));
    let (old_key, new_key) = (old.key(), new.key());
    engines.table(1).commit(vec![old, new, lock(1)]).await.unwrap();
    engines.stop().await;

    // What expires is looked for when the engines start.
    let engines = Engines::start(dir.path()).await.unwrap();
    let table = engines.table(1);
    tokio::time::timeout(std::time::Duration::from_secs(30), async {
        while table.get(&old_key).await.unwrap().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(table.get(&new_key).await.unwrap().is_some());
    assert!(table.get(&lock(1).key()).await.unwrap().is_some());
}
