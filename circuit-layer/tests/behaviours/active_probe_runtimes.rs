//! The active probe and the runtime that it is started in.

use std::future::pending;
use std::time::Duration;

use crate::active_probe::{Asked, open, reject, settle, wait};
use crate::support::{MINUTE, builder};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn without_a_runtime_the_wait_alone_decides() {
    let asked = Asked::default();
    let (builder, hand) = builder();
    let breaker = open(builder.active_probe(asked.probe(|| async { Ok(()) })));
    reject(&breaker);
    assert_eq!((asked.starts.get(), wait(&breaker)), (0, MINUTE));
    hand.advance(MINUTE);
    assert!(breaker.try_acquire().is_ok());
}

#[test]
fn one_that_goes_down_with_its_runtime_leaves_the_wait_and_the_next_start_alone() {
    let asked = Asked::default();
    let (builder, hand) = builder();
    let breaker = open(builder.active_probe(asked.probe(pending)));
    for starts in 1..=2 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            reject(&breaker);
            settle().await;
        });
        drop(runtime);
        assert_eq!((asked.starts.get(), asked.ends.get()), (starts, starts));
        hand.advance(SECOND);
    }
    assert_eq!(wait(&breaker), MINUTE - 2 * SECOND);
}

#[test]
fn one_that_went_down_with_its_runtime_before_it_began_leaves_the_next_start_alone() {
    let asked = Asked::default();
    let (builder, hand) = builder();
    let breaker = open(builder.active_probe(asked.probe(pending)));
    for starts in [0, 1] {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            reject(&breaker);
            for _ in 0..starts {
                settle().await;
            }
        });
        drop(runtime);
        assert_eq!(asked.starts.get(), starts);
        hand.advance(SECOND);
    }
}
