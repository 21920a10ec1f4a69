//! What cannot be shown by killing is drilled: an operator says "act as if these were down".
//!
//! This is a switch, and the only one in the demo. It is the manager's own, for game days, and here
//! it stands for a database that nobody can kill without hurting somebody else's.

use std::time::Duration;

use degradation::{Level, Mode};

use super::stands;
use crate::play::{Play, Result};
use crate::traffic::Route;

const LIMIT: Duration = Duration::from_secs(30);
const REASON: &str = "the demo's drill";

pub(super) async fn the_rest(play: &mut Play) -> Result<()> {
    play.timeline.say("drill, not outage: as if database, redis and s3 were down");
    drill(play, &["database", "redis", "s3"])?;
    settle(play, Level::Degraded).await;
    let snapshot = play.snapshot();
    play.checks.equal("drill of three: score", 30, snapshot.score);
    stands(&mut play.checks, "drill of three", &snapshot, Level::Degraded, Mode::Minimal);
    check(play, "drill of three: a list is shed", Route::List, 503).await?;
    check(play, "drill of three: a product is served", Route::Page, 200).await?;
    check(play, "drill of three: stock is changed", Route::Stock, 200).await?;

    play.timeline.say("drill, not outage: as if openai were down too");
    drill(play, &["openai"])?;
    settle(play, Level::Critical).await;
    let snapshot = play.snapshot();
    play.checks.equal("drill of all: score", 0, snapshot.score);
    stands(&mut play.checks, "drill of all", &snapshot, Level::Critical, Mode::ReadOnly);
    check(play, "drill of all: a product is served", Route::Page, 200).await?;
    check(play, "drill of all: stock is not changed", Route::Stock, 503).await?;

    play.timeline.say("the drill is over");
    for name in ["database", "redis", "s3", "openai"] {
        play.inventory().manager().end_drill(name, "the rehearsal is over")?;
    }
    settle(play, Level::Normal).await;
    let snapshot = play.snapshot();
    stands(&mut play.checks, "after the drill", &snapshot, Level::Normal, Mode::Full);
    Ok(())
}

fn drill(play: &Play, names: &[&str]) -> Result<()> {
    for name in names {
        play.inventory().manager().drill(name, REASON, LIMIT)?;
    }
    Ok(())
}

/// Levels take their time, one step after the other.
async fn settle(play: &Play, level: Level) {
    play.until(Duration::from_secs(6), |play| play.snapshot().level == level).await;
    play.watch_for(Duration::from_millis(300)).await;
}

async fn check(play: &mut Play, name: &str, route: Route, status: u16) -> Result<()> {
    let got = play.ask(route).await?;
    play.checks.equal(name, status, got);
    Ok(())
}
