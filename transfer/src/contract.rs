//! What every engine behind the table and queue ports must do, as rules that run on any of them.
//!
//! [`table_contract!`](crate::table_contract) and [`queue_contract!`](crate::queue_contract) make one test of each rule.
//! A rule gets a fresh, empty engine and panics where the engine breaks it. Rules wait for conditions, with bounds, so
//! they run in virtual time and against real services alike. What only engines that speak AWS's protocols have, and what
//! stands behind the ports there, is in [`aws`], with [`aws_contract!`](crate::aws_contract).

pub mod aws;
pub mod queue;
pub mod samples;
pub mod table;

/// One test for each rule of [`contract::table`](crate::contract::table). `$fresh` is an async function that returns an
/// empty table and whatever must live as long as it: `(Arc<dyn Table>, T)`. Attributes before it go to each test.
#[macro_export]
macro_rules! table_contract {
    ($(#[$attribute:meta])* $fresh:path) => {
        $crate::table_contract!(@rules ($(#[$attribute])*) $fresh;
            every_kind_of_item_comes_back_as_it_was
            an_absent_guard_holds_once
            a_version_guard_holds_for_that_version_only
            a_held_guard_wants_epoch_and_intent
            an_unguarded_write_always_happens
            a_check_fails_the_whole_commit
            a_conflict_names_the_item_at_fault
            a_commit_is_all_or_nothing
            a_deleted_item_is_gone_and_may_come_again
            impossible_commits_are_refused
            a_hundred_writes_are_one_commit
            a_partition_is_read_by_prefix_in_order
            a_partition_of_megabytes_is_read_whole
            a_list_of_many_megabytes_is_read_whole
            what_is_not_due_is_not_in_the_way
            what_is_due_follows_every_write
            what_is_due_comes_longest_due_first
            lists_follow_every_write
            racing_writers_lose_nothing
            racing_commits_of_several_items_lose_nothing
        );
    };
    (@rules $attributes:tt $fresh:path; $($rule:ident)*) => { $(
        $crate::table_contract!(@rule $attributes $fresh; $rule);
    )* };
    (@rule ($(#[$attribute:meta])*) $fresh:path; $rule:ident) => {
        #[tokio::test]
        $(#[$attribute])*
        async fn $rule() {
            let (table, _engine) = $fresh().await;
            $crate::contract::table::$rule(table).await;
        }
    };
}

/// One test for each rule of [`contract::queue`](crate::contract::queue). `$fresh` is an async function that returns an
/// empty queue and whatever must live as long as it: `(Arc<dyn Queue>, T)`. What follows it goes to `tokio::test`;
/// attributes before it go to each test.
#[macro_export]
macro_rules! queue_contract {
    ($(#[$attribute:meta])* $fresh:path $(, $($options:tt)*)?) => {
        $crate::queue_contract!(@rules ($(#[$attribute])*) $fresh; ($($($options)*)?);
            a_job_comes_back_as_it_was
            jobs_of_a_task_come_in_order
            one_job_of_a_task_is_in_flight
            tasks_do_not_wait_for_each_other
            several_jobs_come_at_once
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
    (@rules $attributes:tt $fresh:path; $options:tt; $($rule:ident)*) => { $(
        $crate::queue_contract!(@rule $attributes $fresh; $options; $rule);
    )* };
    (@rule ($(#[$attribute:meta])*) $fresh:path; ($($options:tt)*); $rule:ident) => {
        #[tokio::test($($options)*)]
        $(#[$attribute])*
        async fn $rule() {
            let (queue, _engine) = $fresh().await;
            $crate::contract::queue::$rule(queue).await;
        }
    };
}

/// One test for each rule of [`contract::aws`](crate::contract::aws). `$fresh` is an async function that returns a
/// [`contract::aws::Subject`](crate::contract::aws::Subject), and whatever must live as long as it. Attributes before it
/// go to each test.
#[macro_export]
macro_rules! aws_contract {
    ($(#[$attribute:meta])* $fresh:path) => {
        $crate::aws_contract!(@rules ($(#[$attribute])*) $fresh;
            an_item_expires_at_a_number_of_seconds
            indexes_are_sparse_and_hold_keys_alone
            a_cancelled_transaction_names_each_reason_in_its_place
            a_batch_that_is_too_large_names_what_it_left_out
            a_page_ends_at_a_megabyte_and_says_where
            a_dead_letter_is_what_was_sent
        );
    };
    (@rules $attributes:tt $fresh:path; $($rule:ident)*) => { $(
        $crate::aws_contract!(@rule $attributes $fresh; $rule);
    )* };
    (@rule ($(#[$attribute:meta])*) $fresh:path; $rule:ident) => {
        #[tokio::test]
        $(#[$attribute])*
        async fn $rule() {
            let (subject, _engine) = $fresh().await;
            $crate::contract::aws::$rule(subject).await;
        }
    };
}
