//! What every operation does, whatever answers: a Redis in memory and a real one pass the same suite.

pub(crate) mod collections;
pub(crate) mod others;
pub(crate) mod strings;

use redis_service::{Error, ErrorKind, Redis, redis as redis_rs};

/// Hands the name of every case to a macro, by module.
macro_rules! every_case {
    ($run:ident) => {
        $run! {
            strings:
                a_key_that_is_not_there_is_none,
                a_set_value_is_got,
                keys_and_values_keep_all_their_bytes,
                an_empty_value_is_a_value,
                a_value_of_a_megabyte_comes_back_whole,
                integers_are_text,
                set_replaces_whatever_was_there,
                nx_sets_what_is_missing_and_xx_what_is_there,
                ex_and_px_bound_the_life_of_a_key,
                a_set_without_an_end_takes_the_end_away,
                an_end_of_zero_is_refused,
                delete_tells_whether_there_was_one,
                delete_many_counts_those_that_were_there,
                incr_counts_from_nothing_and_below_zero,
                incr_of_text_is_the_callers_mistake,
                incr_beyond_the_largest_integer_is_refused,
                expire_tells_whether_there_is_such_a_key;
            collections:
                lists_grow_at_the_head_and_shrink_at_the_tail,
                ranges_of_lists_count_from_both_ends,
                a_list_that_is_empty_is_gone,
                hset_tells_what_is_new,
                hgetall_is_a_map_or_pairs,
                hdel_counts_and_an_empty_hash_is_gone,
                sets_hold_each_member_once,
                srem_counts_and_an_empty_set_is_gone,
                sorted_sets_are_in_the_order_of_scores_then_bytes,
                ranges_of_sorted_sets_count_from_both_ends,
                scores_may_be_fractions_negative_and_infinite,
                a_changed_score_is_no_new_member;
            others:
                the_wrong_type_is_the_callers_mistake,
                a_reply_of_another_type_is_a_decode_error,
                a_pipeline_answers_in_order,
                a_pipeline_goes_on_after_a_mistake,
                a_transaction_with_an_unknown_command_does_nothing,
                an_unknown_command_is_the_callers_mistake,
                too_few_arguments_are_the_callers_mistake,
                raw_commands_are_answered,
                ping_and_health_check_answer,
                the_master_says_that_it_is_one,
                requests_can_be_sent_as_values;
        }
    };
}

/// Makes a test of every case, each with a client of its own, of an empty Redis.
macro_rules! tests_with {
    ($($module:ident: $($name:ident),*;)*) => {$($(
        #[tokio::test]
        async fn $name() {
            let (_server, redis) = fresh().await;
            crate::suite::$module::$name(&redis).await;
        }
    )*)*};
}

fn cmd(words: &[&str]) -> redis_rs::Cmd {
    let mut cmd = redis_rs::Cmd::new();
    cmd.arg(words);
    cmd
}

async fn text(redis: &Redis, key: &str) -> Option<String> {
    redis.get(key).await.unwrap()
}

async fn ttl(redis: &Redis, key: &str) -> i64 {
    redis.raw(cmd(&["PTTL", key])).await.unwrap()
}

async fn exists(redis: &Redis, key: &str) -> bool {
    redis.raw(cmd(&["EXISTS", key])).await.unwrap()
}

fn mistake<T: std::fmt::Debug>(result: Result<T, Error>, code: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), Some(ErrorKind::Client), "{error:?}");
    let Error::Redis(error) = error else { panic!("{error:?}") };
    assert_eq!(error.code(), Some(code));
    assert!(!error.counts());
}
