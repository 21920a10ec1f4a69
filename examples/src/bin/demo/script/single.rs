//! One of three is gone: the service does its work, with something replaced.

use std::time::Duration;

use bytes::Bytes;
use degradation::{Level, Mode, Snapshot};
use redis_service::Source;

use super::outage::Outage;
use super::{every, ms, stands, weighted};
use crate::play::{Play, Result, Victim, p99};
use crate::traffic::{Route, Sample};

/// Calls to measure how long a rejection takes.
const REJECTIONS: u32 = 1_000;

/// What a caller waits for an answer at most, in an outage: this machine also runs everything else.
const P99: Duration = Duration::from_millis(250);

const PAGES: [Route; 2] = [Route::Page, Route::List];

pub(super) async fn redis(play: &mut Play) -> Result<()> {
    let Some(outage) = Outage::begin(play, Victim::Redis, "redis down").await? else {
        return Ok(());
    };
    rejections_are_quick(play).await;
    let snapshot = play.snapshot();
    play.checks.equal("redis down: score", 85, snapshot.score);
    down(play, "redis", &snapshot, snapshot.flags.cache_fallback());
    outage.see_probes_fail(play).await?;

    let pages = play.since(outage.open, &PAGES);
    every(&mut play.checks, "redis down: pages are served", &pages, Sample::ok);
    every(&mut play.checks, "redis down: by database or memory", &pages, |page| {
        page.mark == "database" || page.mark == "memory"
    });
    let slowest = p99(pages.iter().map(|page| page.took).collect());
    play.checks.add("redis down: p99 of pages", "≤ 250 ms", ms(slowest), slowest <= P99);
    let writes = play.since(outage.killed, &[Route::Stock]);
    every(&mut play.checks, "redis down: stock is changed", &writes, Sample::ok);

    outage.end(play).await?;
    let back = play.now();
    play.watch_for(Duration::from_millis(1_500)).await;
    let pages = play.since(back, &PAGES);
    let cached = pages.iter().filter(|page| page.mark == "redis").count();
    let got = format!("{cached} of {}", pages.len());
    play.checks.add("redis down: back, pages come from Redis", "some", got, cached > 0);
    Ok(())
}

/// Straight at the client, without the HTTP around it.
async fn rejections_are_quick(play: &mut Play) {
    let redis = play.inventory().dependencies().redis.clone();
    let (mut took, mut rejected) = (Vec::new(), 0_u32);
    for _ in 0..REJECTIONS {
        let start = play.now();
        let answer = redis.get_answer::<Bytes>("page:product:1").await;
        took.push(play.now() - start);
        rejected += u32::from(answer.is_ok_and(|answer| answer.source != Source::Redis));
    }
    play.checks.equal("redis down: GETs that memory answers, of 1000", REJECTIONS, rejected);
    let p99 = p99(took);
    let holds = p99 <= Duration::from_millis(1);
    play.checks.add("redis down: p99 of such an answer", "≤ 1 ms", ms(p99), holds);
}

pub(super) async fn s3(play: &mut Play) -> Result<()> {
    let Some(outage) = Outage::begin(play, Victim::S3, "s3 down").await? else { return Ok(()) };
    let snapshot = play.snapshot();
    down(play, "s3", &snapshot, snapshot.flags.queue_uploads());
    outage.see_probes_fail(play).await?;

    let uploads = play.since(outage.open, &[Route::Upload]);
    every(&mut play.checks, "s3 down: uploads are queued, or told when", &uploads, |upload| {
        upload.status == Some(202) || upload.retry_after.is_some_and(|wait| wait >= 1)
    });
    let queued = uploads.iter().filter(|upload| upload.status == Some(202)).count();
    play.checks.add("s3 down: uploads in the queue", "> 0", queued, queued > 0);
    let pages = play.since(outage.killed, &PAGES);
    every(&mut play.checks, "s3 down: pages do not notice", &pages, Sample::ok);

    outage.end(play).await?;
    let back = play.now();
    play.watch_for(Duration::from_millis(1_500)).await;
    let photos = play.since(back, &[Route::Upload, Route::Photo]);
    every(&mut play.checks, "s3 down: back, photos are served and stored", &photos, Sample::ok);
    Ok(())
}

pub(super) async fn openai(play: &mut Play) -> Result<()> {
    let Some(outage) = Outage::begin(play, Victim::OpenAi, "openai down").await? else {
        return Ok(());
    };
    let snapshot = play.snapshot();
    down(play, "openai", &snapshot, snapshot.flags.plain_answers());
    play.watch_for(Duration::from_secs(1)).await;
    let descriptions = play.since(outage.killed, &[Route::Description]);
    every(&mut play.checks, "openai down: other descriptions, marked so", &descriptions, |one| {
        one.ok() && (one.mark == "cached" || one.mark == "plain")
    });

    outage.end(play).await?;
    let back = play.now();
    play.watch_for(Duration::from_millis(1_500)).await;
    let descriptions = play.since(back, &[Route::Description]);
    every(&mut play.checks, "openai down: back, descriptions are its own", &descriptions, |one| {
        one.ok() && one.mark.is_empty()
    });
    Ok(())
}

/// What the manager makes of one that is down: nothing is shed, and its flag is up.
fn down(play: &mut Play, name: &str, snapshot: &Snapshot, flag: bool) {
    let act = format!("{name} down");
    let expected = format!("{}, as weighted", weighted(snapshot));
    let holds = u32::from(snapshot.score) == weighted(snapshot) && snapshot.is_down(name);
    play.checks.add(format!("{act}: score, and it is down"), expected, snapshot.score, holds);
    stands(&mut play.checks, &act, snapshot, Level::Normal, Mode::Full);
    let flags: Vec<_> = snapshot.flags.iter().collect();
    play.checks.add(format!("{act}: its flag"), "up", flags.join(", "), flag);
}
