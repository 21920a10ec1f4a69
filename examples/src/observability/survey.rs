//! Which questions have an answer.

use std::time::Duration;

use circuit_layer::Clock;

use super::dashboard::{Picked, queries};
use super::prometheus::{Prometheus, PrometheusError};
use super::selectors::selectors;

/// One question, and what came of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Asked {
    /// The panel, or the rule.
    pub by: String,
    /// As it was sent.
    pub query: String,
    /// How many numbers Prometheus answered; 0 until it has answered any.
    pub answers: usize,
}

/// Everything that dashboard and rules ask. Clones are copies.
#[derive(Clone, Debug)]
pub struct Survey {
    asked: Vec<Asked>,
}

impl Survey {
    /// All queries of the dashboard, with all and with one instance picked; each series that a rule is
    /// about; and the series that rules record.
    ///
    /// # Errors
    ///
    /// Prometheus does not tell its rules, or the dashboard can not be read.
    pub async fn new(
        prometheus: &Prometheus,
        instance: &str,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let picks = [Picked::all(), Picked::one("inventory", instance)];
        let queries = queries()?;
        let panels = queries.iter().flat_map(|asks| {
            picks.iter().map(|picked| (asks.panel.clone(), picked.fill_in(&asks.expression)))
        });
        let rules = prometheus.rules().await?;
        let about = rules.iter().flat_map(|rule| {
            let series = selectors(&rule.expression).into_iter();
            let series = series.map(|series| (rule.name.clone(), series));
            let recorded = rule.state.is_none().then(|| (rule.name.clone(), rule.name.clone()));
            series.chain(recorded)
        });
        let mut asked: Vec<_> = panels.chain(about).collect();
        asked.sort_unstable();
        asked.dedup();
        let asked = asked.into_iter().map(|(by, query)| Asked { by, query, answers: 0 });
        Ok(Self { asked: asked.collect() })
    }

    /// Asks what has no answer yet, again and again, until everything has one, for so long at most.
    ///
    /// # Errors
    ///
    /// Prometheus does not answer, or refuses a query.
    ///
    /// # Cancellation
    ///
    /// What has been answered stays answered.
    pub async fn ask(
        &mut self,
        prometheus: &Prometheus,
        limit: Duration,
    ) -> Result<(), PrometheusError> {
        let clock = Clock::default();
        let deadline = clock.now() + limit;
        loop {
            for open in self.asked.iter_mut().filter(|asked| asked.answers == 0) {
                open.answers = prometheus.query(&open.query).await?.len();
            }
            if self.unanswered().next().is_none() || clock.now() > deadline {
                return Ok(());
            }
            clock.sleep_until(clock.now() + Duration::from_millis(500)).await;
        }
    }

    /// Everything that was asked.
    #[must_use]
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// What has had no answer.
    pub fn unanswered(&self) -> impl Iterator<Item = &Asked> {
        self.asked.iter().filter(|asked| asked.answers == 0)
    }
}
