//! Who may try first after an outage, and how many have to come back well.

use std::time::Duration;

use crate::clock::Moment;

/// How a half-open breaker decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HalfOpen {
    pub(crate) probes: u32,
    pub(crate) verdict: Verdict,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Every probe must succeed; the first failure re-opens.
    All,
    /// The share of failed probes decides, from 0 to 1.
    Rate(f64),
}

impl HalfOpen {
    /// At most `probes` calls are in flight or done; when all of them have succeeded the breaker
    /// closes, and one failure re-opens it at once.
    #[must_use]
    pub const fn all(probes: u32) -> Self {
        Self { probes, verdict: Verdict::All }
    }

    /// Decides when `probes` calls have finished, or earlier when the rest can not change the
    /// verdict: open where the share of failures has reached `threshold` (0 to 1), else closed.
    #[must_use]
    pub const fn rate(probes: u32, threshold: f64) -> Self {
        Self { probes, verdict: Verdict::Rate(threshold) }
    }

    /// Whether so many failed probes re-open.
    fn is_fatal(&self, failed: u32) -> bool {
        failed > 0
            && match self.verdict {
                Verdict::All => true,
                // A division, because 7/100 is the double 0.07 and 0.07·100 is more than 7.
                Verdict::Rate(threshold) => f64::from(failed) / f64::from(self.probes) >= threshold,
            }
    }
}

/// The probes of one half-open period: one lease for each that is out, and what came back.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probes {
    leases: Vec<Lease>,
    last: u32,
    pub(crate) succeeded: u32,
    pub(crate) failed: u32,
    lapsed: u32,
}

#[derive(Clone, Copy, Debug)]
struct Lease {
    id: u32,
    until: Moment,
}

/// Whether the probes have decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Undecided,
    Close,
    Reopen,
}

impl Probes {
    /// Whether one more may go. A lapsed probe has counted as failed and is replaced.
    pub(crate) fn has_room(&self, rule: &HalfOpen) -> bool {
        let admitted = self.in_flight().saturating_add(self.succeeded).saturating_add(self.failed);
        admitted < rule.probes.saturating_add(self.lapsed)
    }

    /// Hands out a lease. Its number is never zero.
    pub(crate) fn admit(&mut self, now: Moment, lease: Duration) -> u32 {
        self.last = self.last.wrapping_add(1).max(1);
        self.leases.push(Lease { id: self.last, until: now + lease });
        self.last
    }

    /// Takes a probe's answer. None if it is not out: its lease has lapsed.
    pub(crate) fn settle(&mut self, id: u32, failed: bool, rule: &HalfOpen) -> Option<Decision> {
        self.release(id).then(|| {
            let count = if failed { &mut self.failed } else { &mut self.succeeded };
            *count = count.saturating_add(1);
            self.decision(rule)
        })
    }

    /// Takes a slot back without an answer. False if it was not out.
    pub(crate) fn release(&mut self, id: u32) -> bool {
        let out = self.leases.len();
        self.leases.retain(|lease| lease.id != id);
        self.leases.len() < out
    }

    /// A probe that succeeded at first has failed after all.
    pub(crate) fn fail_late(&mut self, rule: &HalfOpen) -> Decision {
        self.succeeded = self.succeeded.saturating_sub(1);
        self.failed = self.failed.saturating_add(1);
        self.decision(rule)
    }

    /// Counts every probe whose lease is over as failed, and tells how many those are.
    pub(crate) fn reap(&mut self, now: Moment, rule: &HalfOpen) -> (u32, Decision) {
        let out = self.in_flight();
        self.leases.retain(|lease| now < lease.until);
        let lapsed = out.saturating_sub(self.in_flight());
        self.lapsed = self.lapsed.saturating_add(lapsed);
        self.failed = self.failed.saturating_add(lapsed);
        (lapsed, self.decision(rule))
    }

    /// When the next lease ends.
    pub(crate) fn next_lapse(&self) -> Moment {
        self.leases.iter().map(|lease| lease.until).min().unwrap_or(Moment::NEVER)
    }

    pub(crate) fn in_flight(&self) -> u32 {
        u32::try_from(self.leases.len()).unwrap_or(u32::MAX)
    }

    /// What the probes so far come to.
    pub(crate) fn decision(&self, rule: &HalfOpen) -> Decision {
        let finished = self.succeeded.saturating_add(self.failed);
        let to_come = rule.probes.saturating_sub(finished);
        if rule.is_fatal(self.failed) {
            Decision::Reopen
        } else if to_come == 0 || !rule.is_fatal(self.failed.saturating_add(to_come)) {
            Decision::Close
        } else {
            Decision::Undecided
        }
    }
}
