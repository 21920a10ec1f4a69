//! The stage: the service, its callers, and what the script can do with them.

use std::error::Error;
use std::time::Duration;

use async_openai::config::OpenAIConfig;
use circuit_layer::{CircuitBreaker, Clock, Moment, State};
use degradation::Snapshot;
use degradation::openai::OpenAi;
use examples::chaos::Deed;
pub(crate) use examples::chaos::Victim;
use examples::{Inventory, Pace};
use reqwest::Client;
use tokio::task::JoinSet;

use crate::checks::Checks;
use crate::scrape::Scrape;
use crate::timeline::Timeline;
use crate::traffic::{self, Answers, Route, Sample};

/// What a step of the script may fail with; a check that does not hold is no error.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The stage.
#[derive(Debug)]
pub(crate) struct Play {
    inventory: Inventory,
    pub(crate) pace: Pace,
    pub(crate) timeline: Timeline,
    pub(crate) answers: Answers,
    pub(crate) checks: Checks,
    client: Client,
    clock: Clock,
    tasks: JoinSet<()>,
}

impl Play {
    /// Curtain up: the timeline runs, the callers call.
    pub(crate) fn begin(inventory: Inventory, pace: Pace) -> Self {
        let answers = Answers::default();
        let (timeline, mut tasks) = Timeline::begin(&inventory, &answers);
        tasks.spawn(traffic::run(inventory.url(), answers.clone()));
        let (client, clock, checks) = (Client::new(), Clock::default(), Checks::default());
        Self { inventory, pace, timeline, answers, checks, client, clock, tasks }
    }

    /// Curtain down. Gives the checks back.
    pub(crate) async fn end(mut self) -> Checks {
        self.tasks.shutdown().await;
        let stopped = self.inventory.shutdown().await;
        let got = stopped.as_ref().map_or_else(ToString::to_string, |()| "yes".to_owned());
        self.checks.add("the service stops in good order", "yes", got, stopped.is_ok());
        self.checks
    }

    pub(crate) const fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Lets it run for a while.
    pub(crate) async fn watch_for(&self, while_: Duration) {
        self.clock.sleep_until(self.now() + while_).await;
    }

    /// Waits until something holds, for so long at most; how long it took.
    pub(crate) async fn until(
        &self,
        limit: Duration,
        holds: impl Fn(&Self) -> bool,
    ) -> Option<Duration> {
        let start = self.now();
        while !holds(self) {
            if self.now() - start > limit {
                return None;
            }
            self.watch_for(Duration::from_millis(2)).await;
        }
        Some(self.now() - start)
    }

    pub(crate) fn breaker(&self, of: Victim) -> &CircuitBreaker {
        let on = self.inventory.dependencies();
        match of {
            Victim::Redis => on.redis.breaker(),
            Victim::S3 => on.s3.breaker(),
            Victim::Database => on.database.breaker(),
            Victim::OpenAi => on.openai.first_breaker(),
        }
    }

    pub(crate) fn is(&self, of: Victim, state: State) -> bool {
        self.breaker(of).state() == state
    }

    pub(crate) fn snapshot(&self) -> std::sync::Arc<Snapshot> {
        self.inventory.manager().snapshot()
    }

    /// Answers to what was sent since then, and by now.
    pub(crate) fn since(&self, from: Moment, routes: &[Route]) -> Vec<Sample> {
        let mut samples = self.answers.between(from, self.now());
        samples.retain(|sample| routes.contains(&sample.route));
        samples
    }

    pub(crate) async fn scrape(&self) -> Result<Scrape> {
        Ok(Scrape::parse(&self.metrics().await?))
    }

    /// The same once the callers have gone and what they asked for is over: of a call that ends while it
    /// is scraped, one family tells and another does not.
    pub(crate) async fn last_scrape(&mut self) -> Result<Scrape> {
        self.tasks.shutdown().await;
        let mut before = self.metrics().await?;
        loop {
            let now = self.metrics().await?;
            if now == before {
                return Ok(Scrape::parse(&now));
            }
            before = now;
        }
    }

    async fn metrics(&self) -> Result<String> {
        let url = format!("{}/metrics", self.inventory.url());
        Ok(self.client.get(url).send().await?.text().await?)
    }

    /// One request besides the traffic; its status.
    pub(crate) async fn ask(&self, route: Route) -> Result<u16> {
        let url = self.inventory.url();
        Ok(traffic::ask(&self.client, &url, route, 1).await?.status().as_u16())
    }

    /// Kills it for real. False: it does not run here, so it is not ours to kill.
    pub(crate) async fn kill(&self, victim: Victim) -> Result<bool> {
        let how = self.inventory.chaos().act(victim, Deed::Kill).await?;
        match &how {
            Some(how) => self.timeline.say(&format!("{victim}: {how}")),
            None => self.timeline.say(&format!("{victim} is not ours to kill: act left out")),
        }
        Ok(how.is_some())
    }

    /// Starts it again on the same port; Redis comes back empty.
    pub(crate) async fn restart(&self, victim: Victim) -> Result<()> {
        self.inventory.chaos().act(victim, Deed::Restart).await?;
        self.timeline.say(&format!("{victim} is started again"));
        Ok(())
    }

    pub(crate) async fn restart_all(&self, victims: &[Victim]) -> Result<()> {
        for victim in victims {
            self.restart(*victim).await?;
        }
        Ok(())
    }

    /// Calls to the API without the layer in front, until its breaker is open; how long that took.
    pub(crate) async fn ask_openai_until_open(&self) -> Option<Duration> {
        let start = self.now();
        let openai = &self.inventory.dependencies().openai;
        while !self.is(Victim::OpenAi, State::Open) {
            if self.now() - start > Duration::from_secs(8) {
                return None;
            }
            // An error is what is waited for.
            drop(openai.complete(OpenAi::<OpenAIConfig>::ask("Anybody?")).await);
        }
        Some(self.now() - start)
    }
}

/// The value that 99 of 100 do not exceed.
pub(crate) fn p99(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    let rank = values.len().saturating_mul(99).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
