//! Asking the dependency itself while the breaker is open.

use std::future::pending;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_layer::{
    ActiveProbe, Backoff, CircuitBreaker, CircuitBreakerBuilder, ConfigError, Event, State,
};
use tokio::sync::Notify;
use tokio::time::advance;

use crate::support::{Count, MINUTE, MS, boom, builder, fail, rejection, succeed};

const SECOND: Duration = Duration::from_secs(1);

/// A dependency that can be asked, and counts how often it was.
#[derive(Clone, Default)]
pub(crate) struct Asked {
    pub(crate) starts: Count,
    pub(crate) ends: Count,
}

struct End(Count);

impl Drop for End {
    fn drop(&mut self) {
        self.0.up();
    }
}

impl Asked {
    pub(crate) fn probe<F>(&self, answer: impl Fn() -> F + Send + Sync + 'static) -> ActiveProbe
    where
        F: Future<Output = Result<(), io::Error>> + Send + 'static,
    {
        let asked = self.clone();
        ActiveProbe::new(move || {
            asked.starts.up();
            let (end, answer) = (End(asked.ends.clone()), answer());
            async move {
                let _end = end;
                answer.await
            }
        })
    }
}

pub(crate) fn open(builder: CircuitBreakerBuilder) -> CircuitBreaker {
    let breaker = builder.build().unwrap();
    fail(&breaker, 5);
    breaker
}

pub(crate) fn reject(breaker: &CircuitBreaker) {
    assert!(breaker.try_acquire().is_err());
}

pub(crate) fn wait(breaker: &CircuitBreaker) -> Duration {
    breaker.snapshot().retry_after.unwrap()
}

/// Lets every task run that can.
pub(crate) async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_ends_the_wait_and_closes_nothing() {
    let asked = Asked::default();
    let breaker = open(CircuitBreaker::builder("a").active_probe(asked.probe(|| async { Ok(()) })));
    settle().await;
    assert_eq!(asked.starts.get(), 0, "a rejected call starts it, not the trip");
    assert_eq!(rejection(&breaker).retry_after(), Some(MINUTE));
    settle().await;
    assert_eq!(asked.starts.get(), 1);
    assert_eq!((breaker.state(), wait(&breaker)), (State::Open, Duration::ZERO));
    assert!(breaker.try_acquire().unwrap().is_probe());
    succeed(&breaker, 3);
    assert_eq!(breaker.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn no_answer_begins_the_wait_anew_at_the_same_level() {
    let asked = Asked::default();
    let config = CircuitBreaker::builder("a").backoff(Backoff::exponential(2.0).jitter(0.0));
    let breaker = open(config.active_probe(asked.probe(|| async { Err(boom()) })));
    let level = breaker.snapshot().level;
    advance(20 * SECOND).await;
    assert_eq!(rejection(&breaker).retry_after(), Some(40 * SECOND));
    settle().await;
    assert_eq!((wait(&breaker), breaker.snapshot().level), (MINUTE, level));
    advance(MINUTE).await;
    fail(&breaker, 1);
    assert_eq!(wait(&breaker), 2 * MINUTE);
    reject(&breaker);
    settle().await;
    assert_eq!(wait(&breaker), 2 * MINUTE, "the current wait is the longer one");
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_one_at_a_time_and_only_for_a_rejected_call() {
    let (asked, go) = (Asked::default(), Arc::new(Notify::new()));
    let gate = Arc::clone(&go);
    let probe = asked.probe(move || {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Err(boom())
        }
    });
    let breaker = open(CircuitBreaker::builder("a").active_probe(probe));
    for _ in 0..100 {
        reject(&breaker);
        settle().await;
    }
    assert_eq!(asked.starts.get(), 1);
    go.notify_one();
    settle().await;
    advance(30 * SECOND).await;
    settle().await;
    assert_eq!((asked.starts.get(), asked.ends.get()), (1, 1), "it does not start itself again");
    for _ in 0..100 {
        reject(&breaker);
        settle().await;
    }
    assert_eq!(asked.starts.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn however_many_calls_are_rejected_there_is_a_pause_between_two() {
    let asked = Asked::default();
    let probe = asked.probe(|| async { Err(boom()) }).pause(2 * SECOND);
    let breaker = open(CircuitBreaker::builder("a").active_probe(probe));
    for _ in 0..100 {
        reject(&breaker);
        advance(100 * MS).await;
        settle().await;
    }
    assert_eq!(asked.starts.get(), 5, "in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn one_that_does_not_answer_in_time_has_failed_and_is_dropped() {
    let asked = Asked::default();
    let probe = asked.probe(pending).timeout(2 * SECOND);
    let breaker = open(CircuitBreaker::builder("a").active_probe(probe));
    reject(&breaker);
    settle().await;
    advance(2 * SECOND - MS).await;
    settle().await;
    assert_eq!((asked.ends.get(), wait(&breaker)), (0, 58 * SECOND + MS));
    advance(MS).await;
    settle().await;
    assert_eq!((asked.ends.get(), wait(&breaker)), (1, MINUTE));
}

#[tokio::test]
async fn its_timeout_is_by_the_breaker_s_own_clock() {
    let asked = Asked::default();
    let (builder, hand) = builder();
    let breaker = open(builder.active_probe(asked.probe(pending).timeout(2 * SECOND)));
    reject(&breaker);
    settle().await;
    assert_eq!((asked.starts.get(), asked.ends.get()), (1, 0));
    hand.advance(2 * SECOND);
    settle().await;
    assert_eq!((asked.ends.get(), wait(&breaker)), (1, MINUTE));
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_wait_that_is_over_changes_nothing() {
    let (asked, go) = (Asked::default(), Arc::new(Notify::new()));
    let gate = Arc::clone(&go);
    let probe = asked.probe(move || {
        let gate = Arc::clone(&gate);
        async move {
            gate.notified().await;
            Ok(())
        }
    });
    let breaker = open(CircuitBreaker::builder("a").active_probe(probe));
    reject(&breaker);
    settle().await;
    breaker.reset("repaired");
    fail(&breaker, 5);
    go.notify_one();
    settle().await;
    assert_eq!((asked.ends.get(), wait(&breaker)), (1, MINUTE), "the second outage's own wait");
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_no_answer() {
    let breaker = open(CircuitBreaker::builder("a").active_probe(ActiveProbe::new(|| async {
        panic!("at {}", io::Error::other("x")) as Result<(), io::Error>
    })));
    advance(SECOND).await;
    reject(&breaker);
    settle().await;
    assert_eq!(wait(&breaker), MINUTE);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_breaker_ends_the_one_that_is_out() {
    let asked = Asked::default();
    let breaker = open(CircuitBreaker::builder("a").active_probe(asked.probe(pending)));
    reject(&breaker);
    settle().await;
    assert_eq!((asked.starts.get(), asked.ends.get()), (1, 0));
    drop(breaker);
    settle().await;
    assert_eq!(asked.ends.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_an_operator_holds_is_left_alone() {
    let asked = Asked::default();
    let breaker = open(CircuitBreaker::builder("a").active_probe(asked.probe(|| async { Ok(()) })));
    breaker.force_open("maintenance", Some(MINUTE));
    reject(&breaker);
    settle().await;
    assert_eq!((asked.starts.get(), wait(&breaker)), (0, MINUTE));
}

#[tokio::test(start_paused = true)]
async fn an_update_brings_another_question_and_keeps_the_one_it_does_not_mention() {
    let (first, second) = (Asked::default(), Asked::default());
    let breaker =
        open(CircuitBreaker::builder("a").active_probe(first.probe(|| async { Err(boom()) })));
    breaker.update(CircuitBreaker::builder("a")).unwrap();
    reject(&breaker);
    settle().await;
    assert_eq!(first.starts.get(), 1);
    let config = CircuitBreaker::builder("a").active_probe(second.probe(|| async { Ok(()) }));
    breaker.update(config).unwrap();
    advance(SECOND).await;
    reject(&breaker);
    settle().await;
    assert_eq!((first.starts.get(), second.starts.get()), (1, 1));
    assert_eq!(wait(&breaker), Duration::ZERO);
    let never =
        CircuitBreaker::builder("a").active_probe(first.probe(pending).timeout(Duration::ZERO));
    assert_eq!(breaker.update(never), Err(ConfigError::ZeroActiveProbeTimeout));
}

#[tokio::test(start_paused = true)]
async fn each_answer_is_told() {
    let asked = Asked::default();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&heard);
    let breaker = open(
        CircuitBreaker::builder("a").active_probe(asked.probe(|| async { Err(boom()) })).observer(
            move |event: &Event| {
                if let Event::ActiveProbe { generation, healthy, .. } = event {
                    log.lock().unwrap().push((*generation, *healthy));
                }
            },
        ),
    );
    reject(&breaker);
    settle().await;
    assert_eq!(*heard.lock().unwrap(), [(breaker.snapshot().generation, false)]);
}
