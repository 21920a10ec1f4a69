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

use callers::{Answer, Kind, Reads};
use circuit_layer::Clock;
use degradation::status::ShedCounts;
use degradation::{Level, LevelRules};
use examples::dependencies::POSTGRES;
use examples::{Inventory, Pace, Settings, Sources};
use reqwest::Client;
use tokio::task::JoinSet;

/// Within this every request is answered, well or with an error.
const DEADLINE: Duration = Duration::from_secs(5);

/// Within this the queue is empty after the last outage: the active probe asks each second, and the
/// entry that is to be the next probe rests for half a minute at most.
const DRAINED: Duration = Duration::from_secs(45);

/// Within this all is offered again: for a minute the level knows of the outage.
const RECOVERED: Duration = Duration::from_secs(120);

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
    callers::serves(&inventory.url(), DEADLINE * 4).await;
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
    let spool = inventory.dependencies().s3.spool().unwrap();
    let (clock, queued) = (Clock::default(), spool.status().depth);
    let mended = clock.now();
    callers::until(DRAINED, async || match spool.status().depth {
        0 => Ok(()),
        depth => Err(format!("{depth} entries wait")),
    })
    .await;
    let drained = clock.now() - mended;
    callers::offers_all(&inventory.url(), RECOVERED).await;
    let offered = clock.now() - mended;
    // An outage may leave the level low for as long as its failures are of the last minute.
    let low = Some(Duration::from_millis(500));
    inventory.manager().force_level(Level::Critical, "photos are shed for a moment", low);
    let (client, url, mut reads) = (Client::new(), inventory.url(), Reads::default());
    for upload in &stored {
        let photo = callers::photo(&client, &url, upload.id, RECOVERED, &mut reads).await;
        assert_eq!(
            photo,
            callers::picture(upload.id),
            "an acknowledged upload is lost: {upload:?}"
        );
    }
    books_agree(&inventory, &answers, reads).await;
    println!(
        "{} answers within {:?}, {} uploads, {reads:?}; {queued} queued ones were gone after \
         {drained:?}, all was offered after {offered:?}",
        answers.len(),
        slowest.took,
        stored.len()
    );
    inventory.shutdown().await.unwrap();
}

/// What the callers counted is what the service counted.
async fn books_agree(inventory: &Inventory, answers: &[Answer], reads: Reads) {
    let text = callers::metrics(&inventory.url()).await;
    let count = |prefix: &str, operation: &str, status: &str| {
        let labels = format!("operation=\"{operation}\",status=\"{status}\"");
        let wanted = format!("{prefix}_requests_total{{{labels}}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&wanted));
        line.map_or(0, |value| value.parse::<usize>().unwrap())
    };
    let all = |prefix: &str, operation: &str| {
        ["success", "failure", "rejected"]
            .map(|status| count(prefix, operation, status))
            .iter()
            .sum::<usize>()
    };
    let seen = |kind: Kind, status: Option<u16>| {
        let of = answers.iter().filter(|one| one.kind == kind && !one.shed);
        of.filter(|one| status.is_none_or(|status| one.status == Some(status))).count()
    };
    // What was queued is rejected or failed first, and succeeds when it is drained.
    let (stored, queued) = (seen(Kind::Upload, Some(201)), seen(Kind::Upload, Some(202)));
    let drained = inventory.dependencies().s3.spool().unwrap().status().uploaded;
    assert_eq!(usize::try_from(drained).unwrap(), queued, "uploads that came from the queue");
    assert_eq!(count("s3", "upload", "success"), stored + queued, "uploads that succeeded");
    let bad = count("s3", "upload", "failure") + count("s3", "upload", "rejected");
    let wanted = seen(Kind::Upload, None) - stored;
    assert!(bad >= wanted, "{bad} uploads did not succeed at first, callers saw {wanted}");
    assert_eq!(all("s3", "download"), seen(Kind::Photo, None) + reads.asked, "downloads");
    // What the layer turned away is in its own book, and in no other.
    let turned_away = answers.iter().filter(|one| one.shed).count() + reads.shed;
    let ShedCounts { sheddable, sheddable_plus, critical, critical_plus, writes, .. } =
        inventory.manager().status().shed;
    let shed =
        [sheddable, sheddable_plus, critical, critical_plus, writes].into_iter().sum::<u64>();
    assert!(reads.shed > 0, "no photo was shed when it was read");
    assert_eq!(usize::try_from(shed).unwrap(), turned_away, "requests that were shed");
    // Without a page there is nothing to describe, and nobody is asked.
    assert_eq!(all("openai", "chat"), seen(Kind::Description, Some(200)), "descriptions");
    let sold = seen(Kind::Stock, Some(200));
    redis_agrees(&all, &seen, sold);
    // A sale is one call of the database. The others are for pages, and in place of what was shed.
    let (done, called) = (count("database", "call", "success"), all("database", "call"));
    assert!(done >= sold, "{done} calls of the database succeeded, callers sold {sold} times");
    let (undone, unsold) = (called - done, seen(Kind::Stock, None) - sold);
    assert!(undone >= unsold, "{undone} calls of the database did not succeed, nor {unsold} sales");
}

/// A page is looked up at least once: the test itself reads some, and who waited for another's load looks
/// again. A product that is sold has two pages, which are removed. What could not be removed in an outage is
/// removed before the next call, which is not sent if that fails: so both are one sum.
fn redis_agrees(
    all: &impl Fn(&str, &str) -> usize,
    seen: &impl Fn(Kind, Option<u16>) -> usize,
    sold: usize,
) {
    let pages = [Kind::Page, Kind::List, Kind::Description].map(|kind| seen(kind, None));
    let wanted = pages.iter().sum::<usize>() + sold * 2;
    let (looked_up, removed) = (all("redis", "get"), all("redis", "delete"));
    assert!(looked_up + removed >= wanted, "{looked_up} gets, {removed} deletes, for {wanted}");
}
