//! How long calls take: within what is acceptable is a check, within the target is told.

use std::time::Duration;

use bytes::Bytes;
use circuit_layer::Clock;
use examples::Inventory;
use s3_service::{List, Upload};

use crate::report::Report;

const REDIS_CALLS: usize = 1_000;
const S3_CALLS: usize = 20;

/// A machine that does something else for a moment delays everybody, so a round that is late has two
/// more chances. The report says which round it was.
const ROUNDS: u8 = 3;

/// Target and acceptable, in milliseconds: those of the system that this one succeeds.
const SMALL: (u64, u64) = (1, 10);
const LISTS: (u64, u64) = (1, 5);
const OBJECT: (u64, u64) = (5_000, 30_000);
const LISTING: (u64, u64) = (2_000, 10_000);

pub(crate) async fn check(report: &mut Report, inventory: &Inventory) {
    let (redis, s3) = (&inventory.dependencies().redis, &inventory.dependencies().s3);
    let key = "staging-check:latency";
    let call = async || redis.set(key, "value").await.is_ok();
    measure(report, "SET", REDIS_CALLS, SMALL, call).await;
    let call = async || redis.get::<Bytes>(key).await.is_ok();
    measure(report, "GET", REDIS_CALLS, SMALL, call).await;
    let (list, hash) = ("staging-check:list", "staging-check:hash");
    let call = async || redis.lpush(list, ["value"]).await.is_ok();
    measure(report, "LPUSH", REDIS_CALLS, LISTS, call).await;
    let call = async || redis.rpop::<Bytes>(list).await.is_ok();
    measure(report, "RPOP", REDIS_CALLS, LISTS, call).await;
    let call = async || redis.hset(hash, "field", "value").await.is_ok();
    measure(report, "HSET", REDIS_CALLS, SMALL, call).await;
    let call = async || redis.hget::<Bytes>(hash, "field").await.is_ok();
    measure(report, "HGET", REDIS_CALLS, SMALL, call).await;
    report.works("DELETE what was written", redis.delete_many([key, list, hash]).await, |_| true);

    let object = "staging-check/latency";
    let body = Bytes::from(vec![b'x'; 1024 * 1024]);
    let call = async || s3.upload(Upload::new(object, body.clone())).await.is_ok();
    measure(report, "UPLOAD of 1 MiB", S3_CALLS, OBJECT, call).await;
    let call = async || match s3.download(object).await {
        Ok(found) => found.into_bytes().await.is_ok_and(|bytes| bytes.len() == body.len()),
        Err(_) => false,
    };
    measure(report, "DOWNLOAD of 1 MiB", S3_CALLS, OBJECT, call).await;
    let call = async || s3.list(List::new().prefix("staging-check/")).await.is_ok();
    measure(report, "LIST", S3_CALLS, LISTING, call).await;
    report.works("DELETE the object", s3.delete(object).await, |_| true);
}

async fn measure(
    report: &mut Report,
    name: &str,
    calls: usize,
    (target, acceptable): (u64, u64),
    mut call: impl AsyncFnMut() -> bool,
) {
    let mut round = 1;
    let (answered, median, p99, holds) = loop {
        let (answered, took) = one_round(calls, &mut call).await;
        let (median, p99) = (rank(&took, 50), rank(&took, 99));
        let holds = answered == calls && p99 <= Duration::from_millis(acceptable);
        if holds || answered < calls || round == ROUNDS {
            break (answered, median, p99, holds);
        }
        round += 1;
    };
    let within = if median <= Duration::from_millis(target) { "within" } else { "above" };
    let seen = format!(
        "{answered} of {calls}, p50 {median:.2?} ({within} the target of {target} ms), p99 {p99:.2?} \
         (acceptable: {acceptable} ms), round {round}"
    );
    report.check(format!("{name}: p99"), seen, holds);
}

/// How many calls were answered, and how long each took, sorted.
async fn one_round(calls: usize, call: &mut impl AsyncFnMut() -> bool) -> (usize, Vec<Duration>) {
    let clock = Clock::default();
    let (mut took, mut answered) = (Vec::with_capacity(calls), 0_usize);
    for _ in 0..calls {
        let start = clock.now();
        // Boxed: the calls of all rounds of all measures would be one type, too deep for the compiler.
        answered = answered.saturating_add(usize::from(Box::pin(call()).await));
        took.push(clock.now() - start);
    }
    took.sort_unstable();
    (answered, took)
}

/// The value that so many of a hundred do not exceed.
fn rank(sorted: &[Duration], percent: usize) -> Duration {
    let rank = sorted.len().saturating_mul(percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(Duration::MAX)
}
