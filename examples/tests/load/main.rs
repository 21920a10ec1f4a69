//! Requests at a steady rate, whatever becomes of those before, through random outages.
//!
//! An open loop: a caller that waits for its answer before it asks again takes the load off a service
//! that is slow, and hides how many would have suffered. The short form runs with all tests;
//! `make test-long` sets `LOAD_RATE=500` and `LOAD_SECONDS=60`.
#![cfg(test)]
#![expect(clippy::significant_drop_tightening, reason = "the service lives as long as the test")]

mod callers;
mod outages;

use std::time::Duration;

use callers::{Answer, Kind};
use degradation::LevelRules;
use examples::dependencies::POSTGRES;
use examples::{Inventory, Pace, Settings, Sources};
use tokio::task::JoinSet;

/// Within this every request is answered, well or with an error.
const DEADLINE: Duration = Duration::from_secs(5);

fn from_env(name: &str, default: u32) -> u32 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

async fn inventory() -> Inventory {
    let pace = Pace {
        reset_timeout: Duration::from_millis(500),
        redis_deadline: Duration::from_millis(250),
        s3_attempt: Duration::from_millis(500),
        database_timeout: Duration::from_secs(1),
        openai_timeout: Duration::from_secs(1),
        page_ttl: Duration::from_secs(1),
        levels: LevelRules::default().improve_after(Duration::from_secs(1)),
        check_every: Duration::from_millis(250),
        ..Pace::default()
    };
    let listen = "127.0.0.1:0".parse().unwrap();
    let sources = Sources { database: Some(POSTGRES.to_owned()), ..Sources::default() };
    Inventory::start(&Settings { listen, sources, pace }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_answered_in_time_nothing_acknowledged_is_lost_and_all_is_counted() {
    let (rate, seconds) = (from_env("LOAD_RATE", 60), from_env("LOAD_SECONDS", 6));
    let inventory = inventory().await;
    let mut chaos = JoinSet::new();
    chaos.spawn(outages::play(inventory.chaos().clone(), u64::from(rate)));
    let answers = callers::call(&inventory.url(), rate, seconds).await;
    chaos.shutdown().await;
    outages::mend(inventory.chaos()).await;

    assert_eq!(answers.len(), usize::try_from(rate * seconds).unwrap());
    let unanswered: Vec<_> = answers.iter().filter(|answer| answer.status.is_none()).collect();
    assert!(unanswered.is_empty(), "{} unanswered: {:?}", unanswered.len(), unanswered.first());
    let slowest = answers.iter().max_by_key(|answer| answer.took).unwrap();
    assert!(slowest.took <= DEADLINE, "{slowest:?}");

    let stored: Vec<_> = answers.iter().filter(|answer| answer.is_stored()).collect();
    assert!(!stored.is_empty(), "no upload was ever acknowledged");
    for upload in &stored {
        let photo = callers::photo(&inventory.url(), upload.id, DEADLINE * 4).await;
        assert_eq!(
            photo,
            callers::picture(upload.id),
            "an acknowledged upload is lost: {upload:?}"
        );
    }
    let spool = inventory.dependencies().s3.spool().unwrap();
    callers::until(DEADLINE * 4, || spool.status().depth == 0).await;
    books_agree(&inventory, &answers, stored.len()).await;
    inventory.shutdown().await.unwrap();
}

/// What the callers counted is what the service counted.
async fn books_agree(inventory: &Inventory, answers: &[Answer], read_back: usize) {
    let text = callers::metrics(&inventory.url()).await;
    let count = |operation: &str, status: &str| {
        let wanted = format!("s3_requests_total{{operation=\"{operation}\",status=\"{status}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&wanted));
        line.map_or(0, |value| value.parse::<usize>().unwrap())
    };
    let seen = |kind: Kind, good: bool| {
        let of = answers.iter().filter(|one| one.kind == kind && !one.shed);
        of.filter(|one| one.is_well() == good).count()
    };
    let bad = |operation: &str| count(operation, "failure") + count(operation, "rejected");
    let queued = answers.iter().filter(|one| one.status == Some(202)).count();
    // What was queued is rejected or failed first, and succeeds when it is drained.
    assert_eq!(count("upload", "success"), seen(Kind::Upload, true), "uploads that succeeded");
    let wanted = seen(Kind::Upload, false) + queued;
    assert!(bad("upload") >= wanted, "{} of {wanted} uploads that did not", bad("upload"));
    let photos = seen(Kind::Photo, true) + seen(Kind::Photo, false) + read_back;
    let downloads = count("download", "success") + bad("download");
    assert!(downloads >= photos, "{downloads} downloads counted, {photos} asked for");
}
