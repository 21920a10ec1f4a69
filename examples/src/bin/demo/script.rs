//! The acts: what is killed when, and what has to hold.

mod both;
mod cascade;
mod outage;
mod single;

use std::time::Duration;

use degradation::{Level, Mode, Snapshot};
use examples::{Inventory, Pace};

use crate::checks::Checks;
use crate::play::{Play, Result};
use crate::traffic::{Route, Sample, Summary};

const WARM_UP: Duration = Duration::from_secs(3);

/// All acts, one after the other.
pub(crate) async fn perform(inventory: Inventory, pace: Pace) -> Result<Checks> {
    let mut play = Play::begin(inventory, pace);
    all_well(&mut play).await?;
    single::redis(&mut play).await?;
    single::s3(&mut play).await?;
    single::openai(&mut play).await?;
    both::redis_and_openai(&mut play).await?;
    cascade::database(&mut play).await?;
    cascade::everything(&mut play).await?;

    let scrape = play.last_scrape().await?;
    scrape.check(&mut play.checks);
    let checks = play.end().await;
    println!("\nThe metrics as scraped, without buckets and counters at 0\n\n{scrape}");
    Ok(checks)
}

async fn all_well(play: &mut Play) -> Result<()> {
    play.timeline.say("all is well");
    let start = play.now();
    play.watch_for(WARM_UP).await;
    let pages = play.since(start, &[Route::Page, Route::List]);
    every(&mut play.checks, "well: pages are served", &pages, Sample::ok);
    let cached = pages.iter().filter(|page| page.mark == "redis").count();
    play.checks.add(
        "well: pages come from Redis",
        "most",
        share(cached, &pages),
        cached * 2 > pages.len(),
    );
    let snapshot = play.snapshot();
    play.checks.equal("well: score", 100, snapshot.score);
    stands(&mut play.checks, "well", &snapshot, Level::Normal, Mode::Full);
    Ok(())
}

/// Every answer is as wanted, and there are some. What the others got is told.
fn every(checks: &mut Checks, name: &str, samples: &[Sample], wanted: impl Fn(&Sample) -> bool) {
    let others: Vec<Sample> = samples.iter().filter(|sample| !wanted(sample)).cloned().collect();
    let mut got = share(samples.len() - others.len(), samples);
    if !others.is_empty() {
        got = format!("{got}; {}", Summary::of(&others));
    }
    checks.add(name, "every one", got, others.is_empty() && !samples.is_empty());
}

fn share(good: usize, samples: &[Sample]) -> String {
    format!("{good} of {}", samples.len())
}

fn stands(checks: &mut Checks, act: &str, snapshot: &Snapshot, level: Level, mode: Mode) {
    let (expected, got) =
        (format!("{level}, {mode}"), format!("{}, {}", snapshot.level, snapshot.mode));
    checks.equal(format!("{act}: level and mode"), expected, got);
}

/// The score as it follows from weights and scores, in integers.
fn weighted(snapshot: &Snapshot) -> u32 {
    let parts = snapshot.dependencies.iter();
    parts.map(|one| u32::from(one.weight) * u32::from(one.score)).sum::<u32>().div_euclid(100)
}

fn ms(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1_000.0)
}
