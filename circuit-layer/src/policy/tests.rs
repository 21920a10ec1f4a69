//! Every policy beside a naive one that keeps all calls and goes through them.

#![expect(
    clippy::as_conversions,
    clippy::integer_division,
    reason = "a naive model computes naively"
)]

use std::time::Duration;

use proptest::prelude::*;

use super::{Call, ConsecutiveFailures, Deferral, FailureRate, SlowCallRate, TripPolicy};
use crate::clock::Moment;
use crate::window::Window;

const MS: u64 = 1_000_000;

/// One call of a history: when it ended, how long it took, whether it failed.
#[derive(Clone, Copy, Debug)]
struct Past {
    end: u64,
    took: u64,
    failed: bool,
}

fn history() -> impl Strategy<Value = Vec<Past>> {
    prop::collection::vec((0_u64..400, 0_u64..200, any::<bool>()), 1..200).prop_map(|calls| {
        let mut end = 0;
        calls
            .into_iter()
            .map(|(gap, took, failed)| {
                end += gap;
                Past { end, took, failed }
            })
            .collect()
    })
}

fn at(ms: u64) -> Moment {
    Moment::from_nanos((ms + 1_000_000) * MS)
}

fn feed(policy: &mut dyn TripPolicy, past: Past) -> bool {
    let start = Moment::from_nanos(at(past.end).as_nanos() - past.took * MS);
    policy.record(Call::timed(past.failed, start), at(past.end)).is_some()
}

/// The calls that a window holds when the last of `past` has ended.
fn held(past: &[Past], window: Shape) -> Vec<Past> {
    match window {
        Shape::Calls(n) => past[past.len().saturating_sub(n as usize)..].to_vec(),
        Shape::Time(stretch) => {
            let width = stretch.div_ceil(10);
            let bucket = |call: &Past| at(call.end).as_nanos() / MS / width;
            let newest = past.iter().map(bucket).max().unwrap_or(0);
            past.iter().filter(|call| bucket(call) + 10 > newest).copied().collect()
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Calls(u32),
    Time(u64),
}

impl Shape {
    fn window(self) -> Window {
        match self {
            Self::Calls(n) => Window::calls(n),
            Self::Time(ms) => Window::time(Duration::from_millis(ms)),
        }
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    // Tenths of whole milliseconds, so that the model's buckets are the window's.
    prop_oneof![
        (1_u32..50).prop_map(Shape::Calls),
        (1_u64..50).prop_map(|tenth| Shape::Time(tenth * 10))
    ]
}

fn naive_rate(
    past: &[Past],
    shape: Shape,
    min: u32,
    threshold: f64,
    bad: fn(&Past) -> bool,
) -> bool {
    let held = held(past, shape);
    let bad = held.iter().filter(|call| bad(call)).count();
    held.len() >= min as usize && bad > 0 && bad as f64 / held.len() as f64 >= threshold
}

proptest! {
    #[test]
    fn consecutive_failures_are_the_last_ones_in_the_history(history in history(), max in 1_u32..6) {
        let mut policy = ConsecutiveFailures::new(max);
        for n in 1..=history.len() {
            let streak = history[..n].iter().rev().take_while(|call| call.failed).count();
            prop_assert_eq!(feed(&mut policy, history[n - 1]), streak >= max as usize);
            prop_assert_eq!(policy.quiet(), streak == 0);
        }
    }

    #[test]
    fn a_failure_rate_is_that_of_exactly_the_calls_in_the_window(
        history in history(), shape in shape(), min in 1_u32..30, threshold in 1_u32..=20,
        on_success in any::<bool>(),
    ) {
        let threshold = f64::from(threshold) / 20.0;
        let mut policy =
            FailureRate::new(threshold, shape.window()).min_calls(min).trip_on_success(on_success);
        for n in 1..=history.len() {
            let naive = naive_rate(&history[..n], shape, min, threshold, |call| call.failed)
                && (on_success || history[n - 1].failed);
            prop_assert_eq!(feed(&mut policy, history[n - 1]), naive, "after {}", n);
        }
    }

    #[test]
    fn a_combined_rate_counts_a_call_that_is_slow_and_fails_once(
        history in history(), shape in shape(), min in 1_u32..30, threshold in 1_u32..=20,
    ) {
        let threshold = f64::from(threshold) / 20.0;
        let mut policy = FailureRate::new(threshold, shape.window())
            .min_calls(min)
            .counting_slow(Duration::from_millis(100));
        for n in 1..=history.len() {
            let bad = |call: &Past| call.failed || call.took > 100;
            let naive = naive_rate(&history[..n], shape, min, threshold, bad);
            prop_assert_eq!(feed(&mut policy, history[n - 1]), naive, "after {}", n);
        }
    }

    #[test]
    fn successes_handed_over_later_are_as_good_as_successes_recorded_at_once(
        history in history(), shape in shape(), min in 1_u32..30, threshold in 1_u32..=20,
    ) {
        let threshold = f64::from(threshold) / 20.0;
        let new = || FailureRate::new(threshold, shape.window()).min_calls(min);
        let (mut prompt, mut late) = (new(), new());
        let mut aside = 0;
        let mut last = Moment::default();
        for past in history {
            let now = at(past.end);
            let deferral = late.deferral();
            if !past.failed && (late.quiet() || (aside < deferral.successes && now < deferral.until)) {
                aside += u32::from(!late.quiet());
                last = now;
                prop_assert!(!feed(&mut prompt, past), "a deferred success would have tripped");
                continue;
            }
            late.record_successes(std::mem::take(&mut aside), last);
            let tripped = feed(&mut prompt, past);
            prop_assert_eq!(feed(&mut late, past), tripped);
            if tripped {
                (prompt, late) = (new(), new());
            }
        }
    }

    #[test]
    fn a_slow_rate_finds_each_call_slow_once_whether_it_ends_or_not(
        calls in prop::collection::vec((0_u64..300, prop::option::of(1_u64..400)), 1..80),
        threshold in 1_u32..=20,
    ) {
        const SLOW: u64 = 160; // a sixteenth is 10 ms
        let share = f64::from(threshold) / 20.0;
        let window = Window::calls(1_000);
        let mut policy =
            SlowCallRate::new(share, Duration::from_millis(SLOW), window).min_calls(1);
        // Starts and ends in the order of time; ends before starts at the same moment, so that a call
        // of no length would end before it began.
        let mut start = 0;
        let mut events = Vec::new();
        for (gap, took) in calls {
            start += gap;
            events.push((start, 1, start));
            if let Some(took) = took {
                events.push((start + took, 0, start));
            }
        }
        events.sort_unstable();
        let (mut open, mut fast, mut slow): (Vec<u64>, u32, u32) = (Vec::new(), 0, 0);
        for (now, kind, started) in events {
            // Overdue once its whole sixteenth is.
            let overdue = |started: &u64| now >= (started / 10 + 1) * 10 + SLOW;
            slow += open.iter().filter(|started| overdue(started)).count() as u32;
            open.retain(|started| !overdue(started));
            let mut tripped = policy.look(at(now)).is_some();
            if kind == 1 {
                policy.start(at(now));
                open.push(started);
            } else {
                tripped = policy.record(Call::timed(false, at(started)), at(now)).is_some();
                if let Some(index) = open.iter().position(|open| *open == started) {
                    open.swap_remove(index);
                    if now - started > SLOW { slow += 1 } else { fast += 1 }
                }
            }
            let naive = slow > 0 && f64::from(slow) / f64::from(slow + fast) >= share;
            if tripped {
                prop_assert!(naive, "{slow} slow, {fast} fast at {now}");
            } else if kind == 0 {
                prop_assert!(!naive, "{slow} slow, {fast} fast at {now}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_window_of_another_size_goes_on_with_the_newest_calls(
        before in history(), after in history(), sizes in (1_u32..50, 1_u32..50),
    ) {
        let window = |n| FailureRate::new(1.0, Window::calls(n)).min_calls(1);
        let mut former = window(sizes.0);
        for past in &before {
            feed(&mut former, *past);
        }
        let mut heir = window(sizes.1);
        heir.take_over(&former, Moment::default());
        let kept = before.len().min(sizes.0 as usize).min(sizes.1 as usize);
        let mut seen = before[before.len() - kept..].to_vec();
        for past in after {
            feed(&mut heir, past);
            seen.push(past);
            let held = held(&seen, Shape::Calls(sizes.1));
            let counts = heir.counts(Moment::default());
            prop_assert_eq!(counts.calls, held.len() as u64);
            prop_assert_eq!(counts.failed, held.iter().filter(|call| call.failed).count() as u64);
        }
    }

    #[test]
    fn a_window_of_another_length_holds_a_call_at_most_one_former_sub_bucket_too_long(
        calls in history(), tenths in (1_u64..50, 1_u64..50), idle in 0_u64..1_000,
    ) {
        let window = |tenth| FailureRate::new(1.0, Window::time(Duration::from_millis(tenth * 10)));
        let mut former = window(tenths.0);
        for past in &calls {
            feed(&mut former, *past);
        }
        let now = at(calls.last().unwrap().end + idle);
        let mut heir = window(tenths.1);
        heir.take_over(&former, now);
        // Those that the former window held: the newest that the new one can hold, and no other.
        let past = held(&calls, Shape::Time(tenths.0 * 10));
        let newest = now.as_nanos() / MS / tenths.1;
        let holds = |moment: u64| moment / MS / tenths.1 + 10 > newest;
        let surely = past.iter().filter(|call| holds(at(call.end).as_nanos())).count() as u64;
        let at_most = past.iter().filter(|call| holds(at(call.end + tenths.0).as_nanos())).count();
        let kept = heir.counts(now).calls;
        if tenths.0 == tenths.1 {
            prop_assert_eq!(heir.counts(now), former.counts(now), "the same shape holds all of it");
        } else {
            prop_assert!(surely <= kept && kept <= at_most as u64, "{surely} {kept} {at_most}");
        }
        // The totals are those of the sub-buckets: all of it leaves in time.
        let later = Moment::from_nanos(now.as_nanos() + tenths.1 * 11 * MS);
        prop_assert_eq!(heir.counts(later).calls, 0);
    }
}

#[test]
fn a_window_of_calls_forgets_its_oldest() {
    let mut policy = FailureRate::new(1.0, Window::calls(4)).min_calls(4);
    let mut percent = |failed| {
        let _ = policy.record(Call::new(failed), Moment::default());
        let totals = policy.counts(Moment::default());
        (totals.calls, totals.failed)
    };
    assert_eq!(percent(true), (1, 1));
    assert_eq!(percent(false), (2, 1));
    assert_eq!(percent(false), (3, 1));
    assert_eq!(percent(false), (4, 1));
    assert_eq!(percent(false), (4, 0));
}

#[test]
fn a_window_of_time_lets_go_of_whole_buckets_and_survives_any_clock() {
    let mut policy = FailureRate::new(1.0, Window::time(Duration::from_secs(5))).min_calls(100);
    let mut calls = |ms: u64| {
        let _ = policy.record(Call::new(false), Moment::from_nanos(ms * MS));
        policy.counts(Moment::default()).calls
    };
    assert_eq!((calls(0), calls(100), calls(800)), (1, 2, 3));
    assert_eq!(calls(4_800), 4);
    assert_eq!(calls(5_800), 2, "the first three have left");
    assert_eq!(calls(1_000), 3, "a step back lets go of nothing");
    assert_eq!(calls(u64::MAX / MS), 1, "a jump forward lets go of everything");
}

#[test]
fn a_window_of_calls_is_quiet_once_it_is_full_of_good_ones() {
    let mut policy = FailureRate::new(1.0, Window::calls(3)).min_calls(1);
    let mut quiet = |failed| {
        let _ = policy.record(Call::new(failed), Moment::default());
        policy.quiet()
    };
    assert_eq!([false, false, false, true].map(&mut quiet), [false, false, true, false]);
    assert_eq!([false, false, false].map(quiet), [false, false, true]);
}

#[test]
fn of_a_window_of_calls_as_many_may_wait_as_leave_it_unclean_and_below_min_calls() {
    let mut policy = FailureRate::new(1.0, Window::calls(10)).min_calls(4);
    let mut may_wait = |failed| {
        let _ = policy.record(Call::new(failed), Moment::default());
        let Deferral { successes, until } = policy.deferral();
        assert_eq!(until, Moment::NEVER);
        successes
    };
    assert_eq!([false; 5].map(&mut may_wait), [2, 1, 0, 5, 4]);
    assert_eq!([true, false].map(may_wait), [9, 8]);
}

#[test]
fn of_a_window_of_time_any_number_may_wait_for_the_end_of_the_sub_bucket() {
    let mut policy = FailureRate::new(1.0, Window::time(Duration::from_secs(10))).min_calls(1);
    let _ = policy.record(Call::new(false), Moment::from_nanos(12_300 * MS));
    let end = Moment::from_nanos(13_000 * MS);
    assert_eq!(policy.deferral(), Deferral::new(u32::MAX, end));
}

#[test]
fn what_was_slow_or_failed_is_still_so_in_a_window_of_another_length() {
    let window = |seconds| {
        FailureRate::new(1.0, Window::time(Duration::from_secs(seconds)))
            .min_calls(100)
            .counting_slow(Duration::from_millis(100))
    };
    let mut former = window(10);
    // Two sub-buckets of the former window, which are one of the next.
    for end in [500, 1_500] {
        for (took, failed) in
            [(0, false), (0, true), (0, true), (101, false), (150, false), (150, true)]
        {
            feed(&mut former, Past { end, took, failed });
        }
    }
    let (now, mut heir) = (at(1_500), window(100));
    heir.take_over(&former, now);
    let counts = heir.counts(now);
    assert_eq!((counts.calls, counts.failed), (12, 6));
    assert_eq!((counts.slow, counts.failed_or_slow), (6, 10));
}

#[test]
fn a_sub_bucket_that_ends_with_one_of_the_next_window_leaves_with_it() {
    let window = |seconds| FailureRate::new(1.0, Window::time(Duration::from_secs(seconds)));
    let mut former = window(10);
    feed(&mut former, Past { end: 3_500, took: 0, failed: true });
    let mut heir = window(20);
    heir.take_over(&former, at(21_999));
    assert_eq!(heir.counts(at(21_999)).calls, 1);
    assert_eq!(heir.counts(at(22_000)).calls, 0);
}

#[test]
fn either_policy_may_want_calls_timed_and_the_shorter_threshold_is_that_of_both() {
    let slow = |seconds| SlowCallRate::new(0.5, Duration::from_secs(seconds), Window::calls(4));
    let streak = || ConsecutiveFailures::new(9);
    let one = Some(Duration::from_secs(1));
    assert_eq!(slow(1).or(slow(4)).slow_threshold(), one);
    assert_eq!(slow(4).or(slow(1)).slow_threshold(), one);
    assert_eq!(slow(1).or(streak()).slow_threshold(), one);
    assert_eq!(streak().or(slow(1)).slow_threshold(), one);
    assert_eq!(streak().or(streak()).slow_threshold(), None);
}

#[test]
fn either_policy_may_be_the_one_that_is_not_quiet() {
    let slow = SlowCallRate::new(0.5, Duration::from_secs(1), Window::calls(4));
    let streak = || ConsecutiveFailures::new(9);
    assert!(streak().or(streak()).quiet());
    assert!(!streak().or(slow.clone()).quiet());
    assert!(!slow.clone().or(streak()).quiet());
    assert_eq!((slow.quiet(), slow.deferral()), (false, Deferral::NONE));
}

#[test]
fn successes_that_are_handed_over_at_once_push_out_the_oldest_around_the_end_of_the_ring() {
    let mut policy = FailureRate::new(1.0, Window::calls(4)).min_calls(4);
    for failed in [true, true, false, false, true, true] {
        let _ = policy.record(Call::new(failed), Moment::default());
    }
    assert_eq!(policy.counts(Moment::default()).failed, 2, "the last two, in the first two places");
    policy.record_successes(3, Moment::default());
    let counts = policy.counts(Moment::default());
    assert_eq!((counts.calls, counts.failed), (4, 1));
    policy.record_successes(9, Moment::default());
    assert_eq!(policy.counts(Moment::default()).failed, 0);
}
