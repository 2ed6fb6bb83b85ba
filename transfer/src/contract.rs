//! What every engine behind the table and queue ports must do, as rules that run on any of them.
//!
//! [`table_contract!`](crate::table_contract) and [`queue_contract!`](crate::queue_contract) make one test of each rule.
//! A rule gets a fresh, empty engine and panics where the engine breaks it. Rules wait for conditions, with bounds, so
//! they run in virtual time and against real services alike.

pub mod kinds;
pub mod queue;
pub mod samples;
pub mod table;

/// One test for each rule of [`contract::table`](crate::contract::table). `$fresh` is an async function that returns an
/// empty table and whatever must live as long as it: `(Arc<dyn Table>, T)`.
#[macro_export]
macro_rules! table_contract {
    ($fresh:path) => {
        $crate::table_contract!(@rules $fresh;
            every_kind_of_item_comes_back_as_it_was
            an_absent_guard_holds_once
            a_version_guard_holds_for_that_version_only
            a_held_guard_wants_epoch_and_intent
            an_unguarded_write_always_happens
            a_check_fails_the_whole_commit
            a_commit_is_all_or_nothing
            a_deleted_item_is_gone_and_may_come_again
            impossible_commits_are_refused
            a_hundred_writes_are_one_commit
            a_partition_is_read_by_prefix_in_order
            a_partition_of_megabytes_is_read_whole
            what_is_due_follows_every_write
            what_is_due_comes_longest_due_first
            lists_follow_every_write
            racing_writers_lose_nothing
            racing_commits_of_several_items_lose_nothing
        );
    };
    (@rules $fresh:path; $($rule:ident)*) => { $(
        #[tokio::test]
        async fn $rule() {
            let (table, _engine) = $fresh().await;
            $crate::contract::table::$rule(table).await;
        }
    )* };
}

/// One test for each rule of [`contract::queue`](crate::contract::queue). `$fresh` is an async function that returns an
/// empty queue and whatever must live as long as it: `(Arc<dyn Queue>, T)`. What follows it goes to `tokio::test`.
#[macro_export]
macro_rules! queue_contract {
    ($fresh:path $(, $($options:tt)*)?) => {
        $crate::queue_contract!(@rules $fresh; ($($($options)*)?);
            a_job_comes_back_as_it_was
            jobs_of_a_task_come_in_order
            one_job_of_a_task_is_in_flight
            tasks_do_not_wait_for_each_other
            a_job_is_sent_once_under_its_seq
            a_job_given_back_comes_at_once
            a_job_comes_back_when_its_visibility_ends
            an_extended_job_stays_invisible
            an_old_receipt_does_nothing
            deleting_twice_is_no_error
            a_job_that_fails_five_times_lets_the_next_pass
            a_purge_leaves_nothing
            a_receiver_is_woken_by_a_send
            a_receiver_is_woken_by_a_deletion
        );
    };
    (@rules $fresh:path; $options:tt; $($rule:ident)*) => { $(
        $crate::queue_contract!(@rule $fresh; $options; $rule);
    )* };
    (@rule $fresh:path; ($($options:tt)*); $rule:ident) => {
        #[tokio::test($($options)*)]
        async fn $rule() {
            let (queue, _engine) = $fresh().await;
            $crate::contract::queue::$rule(queue).await;
        }
    };
}
