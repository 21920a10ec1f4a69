//! Clocks that are late, and clocks that step back.

use std::time::Duration;

use circuit_layer::{
    CircuitBreaker, Clock, FailureRate, Moment, SlowCallRate, State, TripPolicy, Window,
};

use crate::support::{MINUTE, MS, builder, fail, half_open, rejection, succeed};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_coarse_clock_is_at_most_some_ticks_late_and_never_steps_back() {
    let (coarse, precise) = (Clock::coarse(), Clock::default());
    let (begin, mut last) = (precise.now(), Moment::default());
    let (mut least, mut most, mut steps) = (u64::MAX, 0, 0);
    while steps < 3 {
        assert!(precise.now() - begin < MINUTE, "it stands still");
        let before = precise.now();
        let now = coarse.now();
        assert!(now >= last);
        steps += u32::from(now > last);
        last = now;
        // A reading in the middle of which the thread was put aside says nothing.
        if precise.now() - before < MS {
            // The origins differ; what varies is how late the coarse clock is.
            let apart = before.as_nanos().wrapping_sub(now.as_nanos()).wrapping_add(1 << 62);
            (least, most) = (least.min(apart), most.max(apart));
        }
    }
    assert!(Duration::from_nanos(most - least) < 30 * MS, "{most} {least}");
}

#[tokio::test]
async fn a_breaker_on_a_coarse_clock_waits_not_too_short() {
    let (clock, precise) = (Clock::coarse(), Clock::default());
    let breaker = CircuitBreaker::builder("coarse")
        .clock(clock.clone())
        .policy(FailureRate::new(0.5, Window::time(SECOND)).min_calls(2))
        .reset_timeout(30 * MS)
        .build()
        .unwrap();
    succeed(&breaker, 1);
    fail(&breaker, 1);
    let (tripped, deadline) = (precise.now(), clock.now() + 30 * MS);
    assert!(rejection(&breaker).retry_after().is_some_and(|wait| wait <= 30 * MS));
    clock.sleep_until(deadline).await;
    assert!(clock.now() >= deadline);
    // A tick may have been all but over when it tripped.
    assert!(precise.now() - tripped >= 15 * MS);
    assert!(breaker.try_acquire().unwrap().is_probe());
}

#[tokio::test(start_paused = true)]
async fn a_coarse_clock_goes_on_where_tokio_s_is_paused() {
    let (coarse, paused) = (Clock::coarse(), Clock::default());
    let (begin, still) = (coarse.now(), paused.now());
    // A tick is over after some hundred thousand readings.
    assert!((0..100_000_000).any(|_| coarse.now() > begin));
    assert_eq!(paused.now(), still);
}

#[tokio::test]
async fn a_sleep_of_a_coarse_clock_that_is_over_is_over_at_once() {
    let clock = Clock::coarse();
    clock.sleep_until(clock.now()).await;
    clock.sleep_until(Moment::default()).await;
    let never = tokio::time::timeout(MS, clock.sleep_until(Moment::NEVER)).await;
    assert!(never.is_err());
}

#[test]
fn a_step_back_lets_go_of_no_call_and_ends_no_wait() {
    let window = Window::time(10 * SECOND);
    let policy = FailureRate::new(1.0, window)
        .min_calls(100)
        .or(SlowCallRate::new(1.0, SECOND, window).min_calls(100));
    let (builder, hand) = builder();
    let breaker = builder.policy(policy).build().unwrap();
    let out: Vec<_> = (0..3).map(|_| breaker.try_acquire().unwrap()).collect();
    fail(&breaker, 5);
    hand.step_back(HOUR);
    succeed(&breaker, 2);
    let counts = breaker.snapshot().counts;
    assert_eq!((counts.calls, counts.failed, counts.slow), (7, 5, 0));
    for call in out {
        call.success();
    }
    hand.advance(HOUR);
    assert_eq!(breaker.snapshot().counts.slow, 0, "nobody is left in flight");
}

#[test]
fn a_step_back_ends_no_lease_and_the_wait_is_as_long_again() {
    let (breaker, hand) = half_open();
    let probe = breaker.try_acquire().unwrap();
    hand.step_back(HOUR);
    assert_eq!(breaker.snapshot().probes_in_flight, 1);
    probe.failure("x");
    assert_eq!(rejection(&breaker).retry_after(), Some(MINUTE));
    hand.step_back(10 * SECOND);
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(rejection(&breaker).retry_after(), Some(MINUTE + 10 * SECOND));
}
