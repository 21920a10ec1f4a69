//! The database dies, then everything else with it: minimal, read-only, and all the way back.

use std::time::Duration;

use circuit_layer::State;
use degradation::{Level, Mode, Snapshot};

use super::outage::Outage;
use super::{every, stands, weighted};
use crate::play::{Play, Result, Victim};
use crate::traffic::{Route, Sample};

/// Waits double with each failed recovery, and levels improve one step at a time.
const TO_RECOVER: Duration = Duration::from_secs(30);

pub(super) async fn database(play: &mut Play) -> Result<()> {
    let act = "database down";
    // What was sold is on no page until somebody reads it again, and that takes the database.
    play.until(Duration::from_secs(5), all_is_read_again).await;
    let Some(outage) = Outage::begin(play, Victim::Database, act).await? else { return Ok(()) };
    let degraded = |play: &Play| play.snapshot().level == Level::Degraded;
    play.until(Duration::from_secs(3), degraded).await;
    let snapshot = play.snapshot();
    score(play, act, &snapshot, 50);
    stands(&mut play.checks, act, &snapshot, Level::Degraded, Mode::Full);
    play.watch_for(Duration::from_secs(2)).await;

    let pages = play.since(outage.open, &[Route::Page, Route::List]);
    every(&mut play.checks, &format!("{act}: pages are served"), &pages, Sample::ok);
    let stale = pages.iter().filter(|page| page.mark == "memory").count();
    let got = format!("{stale} of {}", pages.len());
    play.checks.add(format!("{act}: some from memory, marked so"), "some", got, stale > 0);
    let writes = play.since(outage.open, &[Route::Stock]);
    every(
        &mut play.checks,
        &format!("{act}: stock is not changed, and told when"),
        &writes,
        |one| one.status == Some(503) && one.retry_after.is_some_and(|wait| wait >= 1),
    );

    outage.end(play).await?;
    let normal = play.until(TO_RECOVER, |play| play.snapshot().level == Level::Normal).await;
    play.checks.happened(format!("{act}: back, level normal"), "within 30 s", normal);
    let back = play.now();
    play.watch_for(Duration::from_secs(1)).await;
    let writes = play.since(back, &[Route::Stock]);
    every(&mut play.checks, &format!("{act}: back, stock is changed"), &writes, Sample::ok);
    Ok(())
}

/// Whether the list, and the page of each product whose stock was changed, were read after that.
fn all_is_read_again(play: &Play) -> bool {
    let second = play.now() - Duration::from_secs(1);
    let read = play.since(second, &[Route::List, Route::Page, Route::Description]);
    let read_since = |stock: &Sample, route: &[Route], id: Option<u32>| {
        let same = |one: &&Sample| route.contains(&one.route) && id.is_none_or(|id| one.id == id);
        read.iter().filter(same).any(|one| one.ok() && one.sent > stock.sent)
    };
    let stocks = play.since(second, &[Route::Stock]);
    stocks.iter().all(|stock| {
        let page = [Route::Page, Route::Description];
        read_since(stock, &[Route::List], None) && read_since(stock, &page, Some(stock.id))
    })
}

pub(super) async fn everything(play: &mut Play) -> Result<()> {
    let three = [Victim::Redis, Victim::S3, Victim::Database];
    if !kill(play, &three).await? {
        return play.restart_all(&three).await;
    }
    let (act, mode) = ("three down", |play: &Play| play.snapshot().mode);
    let minimal = play.until(Duration::from_secs(8), |play| mode(play) == Mode::Minimal).await;
    play.checks.happened(format!("{act}: mode minimal"), "within 8 s", minimal);
    let snapshot = play.snapshot();
    score(play, act, &snapshot, 30);
    check(play, act, "a list is shed", Route::List, 503).await?;
    check(play, act, "a product is served", Route::Page, 200).await?;
    check(play, act, "an upload is shed", Route::Upload, 503).await?;

    let act = "all down";
    kill(play, &[Victim::OpenAi]).await?;
    // Nothing asks the API any more: descriptions are shed. So its calls have to come past the layer.
    let asked = play.ask_openai_until_open().await;
    play.checks.happened(format!("{act}: openai's breaker opens"), "within 8 s", asked);
    let read_only = play.until(Duration::from_secs(3), |play| mode(play) == Mode::ReadOnly).await;
    play.checks.happened(format!("{act}: mode read-only"), "within 3 s", read_only);
    let snapshot = play.snapshot();
    score(play, act, &snapshot, 0);
    check(play, act, "a product is served", Route::Page, 200).await?;
    check(play, act, "stock is not changed", Route::Stock, 503).await?;

    play.restart_all(&Victim::ALL).await?;
    let well = |play: &Play| {
        let snapshot = play.snapshot();
        snapshot.level == Level::Normal && snapshot.mode == Mode::Full
    };
    let normal = play.until(TO_RECOVER, well).await;
    play.checks.happened("all back: normal and full", "within 30 s", normal);
    check(play, "all back", "stock is changed", Route::Stock, 200).await?;
    let closed = |play: &Play| Victim::ALL.iter().all(|victim| play.is(*victim, State::Closed));
    let closed = play.until(TO_RECOVER, closed).await;
    play.checks.happened("all back: every breaker is closed", "within 30 s", closed);
    Ok(())
}

/// As the weights have it, and no more than without what is down; what failed in the last minute
/// lowers it further.
fn score(play: &mut Play, act: &str, snapshot: &Snapshot, most: u8) {
    let expected = format!("{}, as weighted, and ≤ {most}", weighted(snapshot));
    let holds = u32::from(snapshot.score) == weighted(snapshot) && snapshot.score <= most;
    play.checks.add(format!("{act}: score"), expected, snapshot.score, holds);
}

/// Whether all of them are ours to kill.
async fn kill(play: &Play, victims: &[Victim]) -> Result<bool> {
    let mut all = true;
    for victim in victims {
        all &= play.kill(*victim).await?;
    }
    Ok(all)
}

async fn check(play: &mut Play, act: &str, what: &str, route: Route, status: u16) -> Result<()> {
    let got = play.ask(route).await?;
    play.checks.equal(format!("{act}: {what}"), status, got);
    Ok(())
}
