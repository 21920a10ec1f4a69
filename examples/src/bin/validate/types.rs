//! Each public type of the breaker, doing what it is for.

use std::error::Error as StdError;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use circuit_layer::{
    Backoff, CircuitBreaker, CircuitBreakerLayer, Clock, ConsecutiveFailures, Error,
    ErrorsAsFailures, Event, FailureRate, HalfOpen, HealthMetrics, KeyedBreakers, Outcome,
    Recorded, Rejected, SlowCallRate, State, TripPolicy, Window,
};
use tower::{ServiceBuilder, ServiceExt, service_fn};

use crate::report::Report;

const SECOND: Duration = Duration::from_secs(1);

pub(crate) async fn check(report: &mut Report) {
    guard(report).await;
    layer(report).await;
    policies(report);
    others(report);
}

fn fail(breaker: &CircuitBreaker, times: u32) {
    for _ in 0..times {
        if let Ok(permit) = breaker.try_acquire() {
            permit.failure("made up");
        }
    }
}

async fn guard(report: &mut Report) {
    let breaker = CircuitBreaker::new("validate");
    fail(&breaker, 4);
    report.equal("CircuitBreaker: four failures leave it", State::Closed, breaker.state());
    fail(&breaker, 1);
    report.equal("CircuitBreaker: the fifth opens it", State::Open, breaker.state());
    let call = breaker.call(async { Ok::<_, io::Error>(1) }).await;
    report.check("Error: a rejection is Rejected", "", matches!(call, Err(Error::Rejected(_))));
    let wait = breaker.snapshot().retry_after.unwrap_or_default();
    let near = wait > SECOND * 59 && wait <= SECOND * 60;
    report.check("Snapshot: 60 s until the probe", format!("{wait:?}"), near);
    breaker.reset("validate");
    report.equal("reset closes", State::Closed, breaker.state());
    let permit = breaker.try_acquire();
    let recorded = permit.map(|permit| permit.record(Outcome::Success));
    report.check("Permit: an outcome is counted", "", matches!(recorded, Ok(Recorded::Counted)));
    let late = breaker.try_acquire();
    fail(&breaker, 5);
    let stale = late.map(circuit_layer::Permit::success);
    report.check("Recorded: a late one is stale", "", matches!(stale, Ok(Recorded::Stale)));
    breaker.force_closed("validate", None);
    report.equal("force_closed closes", State::Closed, breaker.state());
}

async fn layer(report: &mut Report) {
    let breaker = CircuitBreaker::builder("validate").fail_max(1).build();
    let Ok(breaker) = breaker else { return report.check("builder", "an error", false) };
    let layer = CircuitBreakerLayer::new(breaker.clone()).classify(ErrorsAsFailures);
    let service = ServiceBuilder::new()
        .layer(layer)
        .service(service_fn(|()| async { Err::<(), _>(io::Error::other("made up")) }));
    let first = service.clone().oneshot(()).await;
    report.check(
        "CircuitBreakerService: an error passes",
        "",
        matches!(first, Err(Error::Inner(_))),
    );
    let second = service.oneshot(()).await;
    let rejected = second.as_ref().err().and_then(|error| {
        let error: &(dyn StdError + 'static) = error;
        Rejected::find(error)
    });
    let name = rejected.map_or("none", Rejected::name);
    report.equal("Rejected::find finds it, with its name", "validate", name);
}

fn policies(report: &mut Report) {
    let by = |policy: FailureRate, outcomes: &[bool]| {
        let Ok(breaker) = CircuitBreaker::builder("validate").policy(policy).build() else {
            return State::HalfOpen;
        };
        for well in outcomes {
            if let Ok(permit) = breaker.try_acquire() {
                permit.record(if *well { Outcome::Success } else { Outcome::failure("made up") });
            }
        }
        breaker.state()
    };
    let half = FailureRate::new(0.5, Window::calls(4)).min_calls(4);
    let opened = by(half.clone(), &[true, false, true, false]);
    report.equal("FailureRate over Window::calls: a half opens it", State::Open, opened);
    let closed = by(half, &[true, false, true, true]);
    report.equal("FailureRate: a quarter does not", State::Closed, closed);
    let time = FailureRate::new(0.5, Window::time(SECOND * 10)).min_calls(2);
    report.equal("Window::time: counts as well", State::Open, by(time, &[false, false]));
    let slow = SlowCallRate::new(0.5, SECOND, Window::calls(10));
    let either = CircuitBreaker::builder("validate").policy(ConsecutiveFailures::new(2).or(slow));
    let tripped = either.build().map(|breaker| {
        fail(&breaker, 2);
        breaker.state()
    });
    report.check("Or: either policy is enough", "", matches!(tripped, Ok(State::Open)));
}

fn others(report: &mut Report) {
    for (rule, builder) in [
        ("zero failures", CircuitBreaker::builder("validate").fail_max(0)),
        ("zero probes", CircuitBreaker::builder("validate").half_open_max_attempts(0)),
        ("no wait", CircuitBreaker::builder("validate").reset_timeout(Duration::ZERO)),
        (
            "a rate of NaN",
            CircuitBreaker::builder("validate").half_open(HalfOpen::rate(3, f64::NAN)),
        ),
        (
            "a backoff below 1",
            CircuitBreaker::builder("validate").backoff(Backoff::exponential(0.5)),
        ),
    ] {
        let error = builder.build().err();
        let seen = error.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        report.check(format!("ConfigError: {rule}"), seen, error.is_some());
    }
    let seen = Arc::new(AtomicU32::new(0));
    let breaker = CircuitBreaker::new("validate");
    let counter = Arc::clone(&seen);
    breaker.observe(move |event: &Event| {
        counter.fetch_add(u32::from(matches!(event, Event::Transition(_))), Ordering::Relaxed);
    });
    fail(&breaker, 5);
    report.equal("Observer: told of the transition", 1, seen.load(Ordering::Relaxed));

    let keyed = KeyedBreakers::new("validate", |builder| builder.fail_max(1));
    let apart = keyed.map(|keyed| {
        fail(&keyed.get("a"), 1);
        (keyed.get("a").state(), keyed.get("b").state())
    });
    let holds = matches!(apart, Ok((State::Open, State::Closed)));
    report.check("KeyedBreakers: a key opens alone", "", holds);

    let health = HealthMetrics::new(Duration::from_millis(100), Clock::default());
    report.equal("HealthMetrics: no calls are 100", 100, health.score(State::Closed));
    health.record_success("get", Duration::from_millis(1));
    health.record_failure("get", Duration::from_millis(1));
    report.equal("HealthMetrics: half of them 50", 50, health.score(State::Closed));
    report.equal("HealthMetrics: 0 while open", 0, health.score(State::Open));
}
