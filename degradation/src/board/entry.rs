//! One dependency on the board: what was heard of it, and what counts.
//!
//! The two differ. A source that does not answer leaves what was known before, because a lack of
//! evidence must not shed requests; and in a drill a dependency counts as down that is well.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Moment;

use super::chart::{Chart, Totals};
use crate::health::{Health, Status};
use crate::score::FULL_SCORE;
use crate::snapshot::{Dependency, Order};

/// A deadline that is told again and has moved by less than this is the same: the source read its
/// clock a moment before us.
const SAME_DEADLINE: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: Arc<str>,
    pub(crate) weight: u8,
    heard: Health,
    retry_at: Option<Moment>,
    /// Score and down as of the last answer that was one.
    known: (u8, bool),
    pub(crate) drill: Option<Order>,
    pub(crate) chart: Chart,
    /// How often it went down.
    pub(crate) outages: u64,
}

impl Entry {
    pub(crate) fn new(name: Arc<str>, weight: u8, now: Moment) -> Self {
        let heard = Health { score: 0, status: Status::Unknown, detail: None, retry_after: None };
        let known = (FULL_SCORE, false);
        let (retry_at, drill, chart) = (None, None, Chart::new(now));
        Self { name, weight, heard, retry_at, known, drill, chart, outages: 0 }
    }

    pub(crate) fn count(&mut self, totals: Totals, now: Moment) {
        self.chart.take(totals, self.score(), now);
    }

    pub(crate) fn hear(&mut self, health: Health, now: Moment) {
        let was_down = self.known.1;
        match health.status {
            Status::Up => self.known = (health.score, false),
            Status::Down => self.known = (0, true),
            Status::Unknown => {}
        }
        self.outages += u64::from(self.known.1 && !was_down);
        let told = health.retry_after.map(|wait| now + wait);
        self.retry_at = match (self.retry_at, told) {
            (Some(old), Some(new)) if (new - old).max(old - new) < SAME_DEADLINE => Some(old),
            _ => told,
        };
        self.heard = health;
    }

    pub(crate) const fn score(&self) -> u8 {
        if self.drill.is_some() { 0 } else { self.known.0 }
    }

    pub(crate) fn show(&self) -> Dependency {
        Dependency {
            name: Arc::clone(&self.name),
            weight: self.weight,
            score: self.score(),
            down: self.drill.is_some() || self.known.1,
            status: self.heard.status,
            detail: self.heard.detail.clone(),
            retry_at: self.retry_at,
            drill: self.drill.clone(),
        }
    }
}
