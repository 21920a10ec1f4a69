//! One number for a dependency's health, as a pure function.
//!
//! Counts and latencies are facts; somebody has to decide whether they are good. If every reader
//! decides for itself, the page, the gauge and the degradation level disagree. So it is decided
//! here once, in integers, so that the same facts give the same number on every machine.

use std::time::Duration;

use crate::state::State;

/// The score of a dependency: 0 is down, 100 is as good as it gets.
///
/// ```text
///        100 · s/(s + f)  −  30 · clamp((avg − T) / (9 · T), 0, 1)
/// ```
///
/// `s` and `f` are the successes and failures of the last 60 seconds, `avg` their average latency,
/// `T` the latency to aim for. At `T` or below, latency costs nothing; at ten times `T` and beyond,
/// it costs 30 points. `avg` and `T` are taken in whole milliseconds, `T` as at least one. The
/// result is floored once, at the end, and clamped to 0–100; without calls it is 100. Rejected
/// calls are not in it.
///
/// Then the breaker's `state` has its say: an open one (forced open, too) caps the score at 0, a
/// half-open one at 50.
///
/// ```
/// use circuit_layer::State;
/// use circuit_layer::health::health_score;
/// use std::time::Duration;
///
/// let target = Duration::from_millis(100);
/// let score = |state, ms| health_score(state, 99, 1, Duration::from_millis(ms), target);
/// assert_eq!(score(State::Closed, 40), 99);
/// assert_eq!(score(State::Closed, 550), 84); // 99 − 30 · 450/900
/// assert_eq!(score(State::HalfOpen, 40), 50);
/// assert_eq!(score(State::Open, 40), 0);
/// ```
#[must_use]
pub fn health_score(
    state: State,
    successes: u64,
    failures: u64,
    average: Duration,
    target: Duration,
) -> u8 {
    let cap = match state {
        State::Closed => 100,
        State::HalfOpen => 50,
        State::Open => 0,
    };
    uncapped(successes, failures, millis(average), millis(target)).min(cap)
}

/// Both terms over their common denominator `(s + f) · 9 · T`, so that only the end is floored.
///
/// It can not overflow: counts are below 2^64, milliseconds below 2^48, 900 below 2^10.
#[expect(clippy::integer_division, reason = "the score is floored")]
fn uncapped(successes: u64, failures: u64, average: u128, target: u128) -> u8 {
    let calls = u128::from(successes) + u128::from(failures);
    if calls == 0 {
        return 100;
    }
    let span = 9 * target.max(1);
    let over = average.saturating_sub(target.max(1)).min(span);
    let reward = 100 * u128::from(successes) * span;
    let penalty = 30 * over * calls;
    let score = reward.saturating_sub(penalty) / (calls * span);
    u8::try_from(score).unwrap_or(100)
}

/// Whole milliseconds; more than 8 900 years are one and the same.
fn millis(duration: Duration) -> u128 {
    duration.as_millis().min(u128::from(u64::MAX >> 16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn score(successes: u64, failures: u64, average_ms: u64, target_ms: u64) -> u8 {
        let ms = Duration::from_millis;
        health_score(State::Closed, successes, failures, ms(average_ms), ms(target_ms))
    }

    #[test]
    fn the_score_of_known_counts_is_exact() {
        let table = [
            // (s, f, avg, T) => score
            ((0, 0, 0, 100), 100),
            ((0, 0, 9_999, 100), 100),
            ((1, 0, 0, 100), 100),
            ((1, 0, 100, 100), 100),
            ((1, 0, 101, 100), 99), // 100 − 30/900
            ((1, 0, 130, 100), 99), // 100 − 1 exactly
            ((1, 0, 131, 100), 98),
            ((1, 0, 550, 100), 85),
            ((1, 0, 1_000, 100), 70),
            ((1, 0, 60_000, 100), 70),
            ((0, 1, 0, 100), 0),
            ((0, 1, 1_000, 100), 0), // −30, clamped
            ((1, 1, 0, 100), 50),
            ((2, 1, 0, 100), 66), // 66.67
            ((1, 2, 0, 100), 33),
            ((2, 1, 550, 100), 51),  // 66.67 − 15 = 51.67
            ((1, 3, 1_000, 100), 0), // 25 − 30
            ((1, 0, 5_000, 5_000), 100),
            ((1, 0, 27_500, 5_000), 85),
            ((1, 0, 50_000, 5_000), 70),
            ((999, 1, 5_000, 5_000), 99),
            ((u64::MAX, u64::MAX, u64::MAX, u64::MAX), 50),
            ((u64::MAX, 0, u64::MAX, 0), 70),
        ];
        for ((s, f, average, target), expected) in table {
            assert_eq!(score(s, f, average, target), expected, "({s}, {f}, {average}, {target})");
        }
    }

    #[test]
    fn the_state_caps_the_score_even_without_calls() {
        let ms = Duration::from_millis;
        for (state, successes, expected) in [
            (State::Closed, 0, 100),
            (State::HalfOpen, 0, 50),
            (State::Open, 0, 0),
            (State::HalfOpen, 9, 50),
            (State::Open, 9, 0),
        ] {
            assert_eq!(health_score(state, successes, 0, ms(1), ms(100)), expected, "{state}");
        }
        assert_eq!(health_score(State::HalfOpen, 1, 3, ms(1), ms(100)), 25, "a cap lifts nothing");
    }

    #[test]
    fn parts_of_a_millisecond_do_not_count() {
        let micros = Duration::from_micros;
        let score = |average| health_score(State::Closed, 1, 0, micros(average), micros(1_900));
        assert_eq!(score(1_999), 100, "1 ms against 1 ms");
        assert_eq!(score(2_000), 96, "2 ms against 1 ms: 100 − 30/9");
    }

    /// The formula as one writes it on paper: fractions, kept as (numerator, denominator), reduced
    /// only by comparing whole numbers with it.
    fn naive(s: u64, f: u64, average: u64, target: u64) -> u8 {
        let (s, f, avg, t) =
            (i128::from(s), i128::from(f), i128::from(average), i128::from(target));
        if s + f == 0 {
            return 100;
        }
        let (latency_n, latency_d) = match (avg - t, 9 * t) {
            (n, _) if n <= 0 => (0, 1),
            (n, d) if n >= d => (1, 1),
            (n, d) => (n, d),
        };
        let numerator = 100 * s * latency_d - 30 * latency_n * (s + f);
        let denominator = (s + f) * latency_d;
        (0..=100).rev().find(|score| i128::from(*score) * denominator <= numerator).unwrap_or(0)
    }

    proptest! {
        #[test]
        fn the_score_equals_the_formula_in_fractions(
            s in 0..5_000_000_u64,
            f in prop_oneof![Just(0), 0..100_u64, 0..5_000_000_u64],
            average in prop_oneof![0..2_000_u64, 0..200_000_u64],
            target in 1..6_000_u64,
        ) {
            prop_assert_eq!(score(s, f, average, target), naive(s, f, average, target));
        }

        #[test]
        fn any_input_gives_a_score(s: u64, f: u64, average: u64, target: u64) {
            prop_assert!(score(s, f, average, target) <= 100);
        }

        #[test]
        fn a_failure_or_a_slower_answer_never_helps(
            s in 0..1_000_u64, f in 0..1_000_u64, average in 0..2_000_u64, more in 0..2_000_u64,
        ) {
            let before = score(s, f, average, 100);
            prop_assert!(score(s, f + 1, average, 100) <= before);
            prop_assert!(score(s, f, average + more, 100) <= before);
        }
    }
}
