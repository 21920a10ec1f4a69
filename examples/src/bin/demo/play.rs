//! The stage: the service, its callers, and what the script can do with them.

use std::error::Error;
use std::time::Duration;

use circuit_layer::{CircuitBreaker, Clock, Moment, State};
use degradation::Snapshot;
use examples::{Inventory, Pace};
use reqwest::Client;
use tokio::task::JoinSet;

use crate::checks::Checks;
use crate::scrape::Scrape;
use crate::timeline::Timeline;
use crate::traffic::{self, Answers, Route, Sample};

/// What a step of the script may fail with; a check that does not hold is no error.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What can be killed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Redis,
    S3,
    OpenAi,
}

impl Victim {
    /// As the manager and its breaker name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::S3 => "s3",
            Self::OpenAi => "openai",
        }
    }
}

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
            Victim::OpenAi => on.openai.breaker(),
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
        let url = format!("{}/metrics", self.inventory.url());
        let text = self.client.get(url).send().await?.text().await?;
        Ok(Scrape::parse(&text))
    }

    /// One request besides the traffic; its status.
    pub(crate) async fn ask(&self, route: Route) -> Result<u16> {
        let url = self.inventory.url();
        Ok(traffic::ask(&self.client, &url, route, 1).await?.status().as_u16())
    }

    /// Kills it for real. False: it does not run here, so it is not ours to kill.
    pub(crate) async fn kill(&mut self, victim: Victim) -> Result<bool> {
        let servers = self.inventory.servers_mut();
        let how = match victim {
            Victim::Redis => match &mut servers.redis {
                Some(server) => {
                    let pid = server.pid();
                    server.kill()?;
                    pid.map(|pid| format!("kill -9 {pid}: redis-server is dead"))
                }
                None => None,
            },
            Victim::S3 => match &servers.s3 {
                Some(server) => {
                    server.kill().await;
                    Some("the S3 server's port is closed, its connections are cut".to_owned())
                }
                None => None,
            },
            Victim::OpenAi => match &mut servers.openai {
                Some(server) => {
                    server.kill().await;
                    Some("the OpenAI server's port is closed, its connections are cut".to_owned())
                }
                None => None,
            },
        };
        let real = format!("{} is a real one, and not ours to kill: act left out", victim.name());
        self.timeline.say(how.as_deref().unwrap_or(&real));
        Ok(how.is_some())
    }

    /// Starts it again on the same port; Redis comes back empty.
    pub(crate) async fn restart(&mut self, victim: Victim) -> Result<()> {
        let servers = self.inventory.servers_mut();
        match victim {
            Victim::Redis => {
                if let Some(server) = &mut servers.redis {
                    server.restart().await?;
                }
            }
            Victim::S3 => {
                if let Some(server) = &servers.s3 {
                    server.restart().await?;
                }
            }
            Victim::OpenAi => {
                if let Some(server) = &mut servers.openai {
                    server.restart().await?;
                }
            }
        }
        self.timeline.say(&format!("{} is started again", victim.name()));
        Ok(())
    }
}

/// The value that 99 of 100 do not exceed.
pub(crate) fn p99(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    let rank = values.len().saturating_mul(99).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
