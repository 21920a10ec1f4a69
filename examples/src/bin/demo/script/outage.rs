//! What holds in every outage: how the breaker opens, how it probes, how it closes.

use std::time::Duration;

use circuit_layer::{Cause, Moment, State, Transition};

use crate::play::{Play, Result, Victim};

/// From the kill to an open breaker, at most: five calls have to fail, and come by first. A database
/// that refuses is only noticed when the time of a call is over.
const TO_OPEN: Duration = Duration::from_secs(5);

/// From the first probe that is due to a closed breaker, at most: three calls have to come by.
const TO_CLOSE: Duration = Duration::from_millis(1_500);

/// An outage under way.
pub(super) struct Outage {
    victim: Victim,
    /// What the checks of this outage begin with.
    act: String,
    pub(super) killed: Moment,
    /// Since when calls are rejected.
    pub(super) open: Moment,
    failures: f64,
}

impl Outage {
    /// Kills it and waits for the breaker. None: it is not ours to kill, or did not open.
    pub(super) async fn begin(play: &mut Play, victim: Victim, act: &str) -> Result<Option<Self>> {
        let name = victim.name();
        let before = failures(play, victim).await?;
        let killed = play.now();
        if !play.kill(victim).await? {
            return Ok(None);
        }
        let opened = play.until(TO_OPEN, |play| play.is(victim, State::Open)).await;
        play.checks.happened(format!("{act}: breaker opens"), "within 5 s", opened);
        // Calls in flight when it opened still fail, and belong to the opening; and observers hear of
        // a state after it is visible.
        play.watch_for(Duration::from_millis(100)).await;
        let first = play.timeline.transitions(name, killed).into_iter().next();
        let cause = first.map_or_else(|| "none".to_owned(), |first| first.cause.to_string());
        let wanted = Cause::ConsecutiveFailures(play.pace.fail_max).to_string();
        play.checks.equal(format!("{act}: cause"), wanted, cause);
        let failures = failures(play, victim).await?;
        // A database that does not answer holds its callers, so more of them are in flight.
        if victim != Victim::Database {
            let paid = failures - before;
            let most = f64::from(play.pace.fail_max) * 2.0;
            let check = format!("{act}: calls that failed until then");
            play.checks.add(check, "5, and those in flight: ≤ 10", paid, paid <= most);
        }
        let open = play.now();
        Ok(opened.map(|_| Self { victim, act: act.to_owned(), killed, open, failures }))
    }

    /// Waits until probes have failed and the breaker is open again.
    pub(super) async fn see_probes_fail(&self, play: &mut Play) -> Result<()> {
        let (victim, act) = (self.victim, &self.act);
        let limit = play.pace.reset_timeout * 2;
        play.until(limit, |play| !self.relapses(play).is_empty()).await;
        play.watch_for(Duration::from_millis(100)).await;
        let relapses = self.relapses(play);
        let half_open = f64::from(u32::try_from(relapses.len()).unwrap_or(u32::MAX));
        let causes: Vec<_> = relapses.iter().map(|one| one.cause.to_string()).collect();
        let wanted = Cause::ProbeFailed.to_string();
        let holds = causes.first() == Some(&wanted);
        play.checks.add(format!("{act}: half-open and back"), wanted, causes.join(", "), holds);
        let probes = failures(play, victim).await? - self.failures;
        let most = f64::from(play.pace.probes) * half_open;
        let holds = probes >= 1.0 && probes <= most;
        let expected = format!("1 to {}", play.pace.probes);
        play.checks.add(format!("{act}: calls that probed"), expected, probes, holds);
        Ok(())
    }

    /// Starts it again and waits for the breaker.
    pub(super) async fn end(self, play: &mut Play) -> Result<()> {
        let (victim, act) = (self.victim, &self.act);
        play.restart(victim).await?;
        // A probe that was on its way meanwhile may still fail, and only then is the wait known.
        play.until(TO_CLOSE, |play| !play.is(victim, State::HalfOpen)).await;
        let wait = play.breaker(victim).snapshot().retry_after.unwrap_or_default();
        let limit = wait + TO_CLOSE;
        let closed = play.until(limit, |play| play.is(victim, State::Closed)).await;
        let expected = format!("within the wait of {wait:.1?} and 1.5 s");
        play.checks.happened(format!("{act}: back, breaker closes"), expected, closed);
        // The page that was asked for while it closed is still on its way.
        play.watch_for(Duration::from_millis(300)).await;
        Ok(())
    }

    fn relapses(&self, play: &Play) -> Vec<Transition> {
        let mut all = play.timeline.transitions(self.victim.name(), self.killed);
        all.retain(|one| one.from == State::HalfOpen && one.to == State::Open);
        all
    }
}

/// Calls that failed so far, as scraped.
async fn failures(play: &Play, victim: Victim) -> Result<f64> {
    let scrape = play.scrape().await?;
    Ok(scrape.sum(&format!("{}_requests_total", victim.name()), "status=\"failure\""))
}
