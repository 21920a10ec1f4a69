//! Two are gone at once: the level worsens, and what matters least is shed.

use std::time::Duration;

use circuit_layer::State;
use degradation::{Level, Mode};

use super::outage::Outage;
use super::{every, stands, weighted};
use crate::play::{Play, Result, Victim};
use crate::traffic::{Route, Sample};

pub(super) async fn redis_and_openai(play: &mut Play) -> Result<()> {
    let act = "both down";
    let Some(openai) = Outage::begin(play, Victim::OpenAi, "both down, openai").await? else {
        return Ok(());
    };
    let Some(redis) = Outage::begin(play, Victim::Redis, "both down, redis").await? else {
        return openai.end(play).await;
    };
    let degraded = |play: &Play| play.snapshot().level == Level::Degraded;
    play.until(Duration::from_secs(2), degraded).await;
    let since = play.now();
    let snapshot = play.snapshot();
    stands(&mut play.checks, act, &snapshot, Level::Degraded, Mode::Full);
    let expected = format!("{}, as weighted, and ≤ 55", weighted(&snapshot));
    let holds = u32::from(snapshot.score) == weighted(&snapshot) && snapshot.score <= 55;
    play.checks.add(format!("{act}: score"), expected, snapshot.score, holds);
    play.watch_for(Duration::from_millis(800)).await;

    let descriptions = play.since(since, &[Route::Description]);
    every(&mut play.checks, &format!("{act}: descriptions are shed"), &descriptions, |one| {
        one.status == Some(503) && one.mark == "shed" && one.retry_after.is_some()
    });
    let rest = play.since(since, &[Route::Page, Route::List, Route::Stock, Route::Photo]);
    every(&mut play.checks, &format!("{act}: all else is served"), &rest, Sample::ok);

    // Descriptions are shed, so nothing probes the API until Redis has bettered the level.
    play.restart(Victim::OpenAi).await?;
    redis.end(play).await?;
    let limit = Duration::from_secs(6);
    let normal = play.until(limit, |play| play.snapshot().level == Level::Normal).await;
    play.checks.happened("both down: back, level normal", "within 6 s", normal);
    let closed = play.until(limit, |play| play.is(Victim::OpenAi, State::Closed)).await;
    play.checks.happened("both down: back, openai's breaker closes then", "within 6 s", closed);
    Ok(())
}
