//! Callers in a loop.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// Every so many calls one is timed, so that reading the clock is no part of what is measured.
const SAMPLE: u64 = 16;

#[derive(Clone, Debug)]
pub struct Round {
    pub per_second: f64,
    pub p50: f64,
    pub p99: f64,
}

/// `callers` copies of `client` call `get` for so long.
pub async fn round<C, F>(client: &C, get: fn(C) -> F, callers: usize, time: Duration) -> Round
where
    C: Clone + Send + 'static,
    F: Future<Output = C> + Send + 'static,
{
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    let begin = Instant::now();
    for _ in 0..callers {
        let (mut client, over) = (client.clone(), Arc::clone(&over));
        tasks.spawn(async move {
            let (mut calls, mut samples) = (0_u64, Vec::new());
            while !over.load(Ordering::Relaxed) {
                if calls % SAMPLE == 0 {
                    let asked = Instant::now();
                    client = get(client).await;
                    samples.push(asked.elapsed().as_secs_f64() * 1e6);
                } else {
                    client = get(client).await;
                }
                calls += 1;
            }
            (calls, samples)
        });
    }
    tokio::time::sleep(time).await;
    over.store(true, Ordering::Relaxed);
    let (mut calls, mut samples) = (0, Vec::new());
    while let Some(done) = tasks.join_next().await {
        let (own, mut timed) = done.expect("a caller panicked");
        calls += own;
        samples.append(&mut timed);
    }
    let per_second = calls as f64 / begin.elapsed().as_secs_f64();
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| samples[((samples.len() - 1) as f64 * share) as usize];
    Round { per_second, p50: at(0.5), p99: at(0.99) }
}

pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
