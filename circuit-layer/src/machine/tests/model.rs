//! The naive model: it keeps the whole history and counts by looking through it. It has no counters, no
//! generations inside its decisions and no published word, so it can not share the machine's bugs.

#![expect(
    clippy::as_conversions,
    clippy::integer_division,
    clippy::wildcard_enum_match_arm,
    reason = "a naive model computes naively"
)]

use crate::machine::Order;
use crate::outcome::Recorded;
use crate::state::{Control, State};

const MINUTE: u64 = 60_000;

#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) fail_max: u32,
    pub(super) reset: u64,
    pub(super) factor: f64,
    pub(super) probes: u32,
    pub(super) threshold: Option<f64>,
    pub(super) lease: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum How {
    Success,
    Failure,
    FailureWithAdvice(u64),
    Ignored,
}

/// One admitted call, as the model remembers it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    era: usize,
    probe: bool,
    due: u64,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Good(u64),
    Bad,
    Neutral,
    Lapsed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Place {
    Closed,
    Open(u64),
    HalfOpen,
}

pub(super) struct Model {
    setup: Setup,
    pub(super) place: Place,
    pub(super) control: Control,
    limit: Option<u64>,
    /// When each era began.
    eras: Vec<u64>,
    calls: Vec<Memory>,
    /// Calls in the order in which they ended.
    ended: Vec<usize>,
    relapses: u32,
    /// How long the open state is to last.
    wait: u64,
}

impl Model {
    pub(super) fn new(setup: Setup) -> Self {
        Self {
            setup,
            place: Place::Closed,
            control: Control::Automatic,
            limit: None,
            eras: vec![0],
            calls: Vec::new(),
            ended: Vec::new(),
            relapses: 0,
            wait: 0,
        }
    }

    fn era(&self) -> usize {
        self.eras.len() - 1
    }

    pub(super) fn generation(&self) -> u64 {
        self.eras.len() as u64
    }

    fn of_this_era(&self) -> impl Iterator<Item = &Memory> {
        let era = self.era();
        self.calls.iter().filter(move |call| call.era == era)
    }

    /// Whole minutes of the closed era in which a call succeeded.
    fn healthy_minutes(&self, now: u64) -> u32 {
        let start = *self.eras.last().unwrap();
        if self.place != Place::Closed || self.control == Control::Disabled {
            return 0;
        }
        let mut minutes: Vec<u64> = self
            .of_this_era()
            .filter_map(|call| match call.end {
                Some(End::Good(at)) => Some((at - start) / MINUTE),
                _ => None,
            })
            .filter(|minute| start + (minute + 1) * MINUTE <= now)
            .collect();
        minutes.sort_unstable();
        minutes.dedup();
        u32::try_from(minutes.len()).unwrap()
    }

    fn enter(&mut self, place: Place, control: Control, now: u64) {
        self.relapses = self.relapses.saturating_sub(self.healthy_minutes(now));
        self.place = place;
        self.control = control;
        if control == Control::Automatic {
            self.limit = None;
        }
        self.eras.push(now);
    }

    fn own_control(&self) -> Control {
        match self.control {
            Control::ObserveOnly => Control::ObserveOnly,
            _ => Control::Automatic,
        }
    }

    fn trip(&mut self, advice: Option<u64>, now: u64) {
        let Setup { reset, factor, .. } = self.setup;
        self.relapses = self.relapses.saturating_sub(self.healthy_minutes(now));
        let longest = reset.max(600_000);
        let wait = match advice {
            Some(advice) => advice.clamp(1, longest),
            None => {
                let mut wait = reset as f64;
                for _ in 0..self.relapses.min(100) {
                    wait *= factor;
                }
                wait.min(longest as f64) as u64
            }
        };
        let relapses = if factor > 1.0 { self.relapses + 1 } else { 0 };
        self.enter(Place::Open(now + wait), self.own_control(), now);
        self.relapses = relapses;
        self.wait = wait;
    }

    /// What the probes of this era have come to, by going through all of them.
    fn verdict(&mut self, advice: Option<u64>, now: u64) {
        let good = self.of_this_era().filter(|c| matches!(c.end, Some(End::Good(_)))).count();
        let bad = self.of_this_era().filter(|c| matches!(c.end, Some(End::Bad | End::Lapsed)));
        let bad = bad.count();
        let n = self.setup.probes as usize;
        let fatal = |bad: usize| match self.setup.threshold {
            None => bad >= 1,
            Some(threshold) => bad as f64 / n as f64 >= threshold,
        };
        if bad > 0 && fatal(bad) {
            self.trip(advice, now);
        } else if good + bad >= n || !fatal(n - good) {
            self.enter(Place::Closed, self.own_control(), now);
        }
    }

    pub(super) fn look(&mut self, now: u64) {
        if self.limit.is_some_and(|limit| now >= limit) {
            self.enter(Place::Closed, Control::Automatic, now);
        }
        let era = self.era();
        let mut lapsed = false;
        for call in &mut self.calls {
            if call.era == era && call.probe && call.end.is_none() && now >= call.due {
                call.end = Some(End::Lapsed);
                lapsed = true;
            }
        }
        if lapsed && self.place == Place::HalfOpen {
            self.verdict(None, now);
        }
    }

    pub(super) fn would_reject(&self, now: u64) -> bool {
        match self.place {
            Place::Closed => false,
            Place::Open(until) => now < until,
            Place::HalfOpen => {
                let taken = self
                    .of_this_era()
                    .filter(|call| !matches!(call.end, Some(End::Neutral | End::Lapsed)))
                    .count();
                taken >= self.setup.probes as usize
            }
        }
    }

    /// The number of the call, if it was admitted and counts.
    pub(super) fn admit(&mut self, now: u64) -> Result<Option<usize>, ()> {
        self.look(now);
        if let Place::Open(until) = self.place
            && now >= until
        {
            self.enter(Place::HalfOpen, self.own_control(), now);
        }
        if self.would_reject(now) {
            return if self.control == Control::ObserveOnly { Ok(None) } else { Err(()) };
        }
        self.calls.push(Memory {
            era: self.era(),
            probe: self.place == Place::HalfOpen,
            due: now + self.setup.lease,
            end: None,
        });
        Ok(Some(self.calls.len() - 1))
    }

    pub(super) fn settle(&mut self, which: usize, how: How, now: u64) -> Recorded {
        self.look(now);
        if self.calls[which].era != self.era() {
            return Recorded::Stale;
        }
        if how == How::Ignored {
            self.calls[which].end.get_or_insert(End::Neutral);
            return Recorded::Ignored;
        }
        if self.calls[which].end.is_some() {
            return Recorded::Stale;
        }
        if self.control == Control::Disabled {
            return Recorded::Ignored;
        }
        let good = how == How::Success;
        self.calls[which].end = Some(if good { End::Good(now) } else { End::Bad });
        self.ended.push(which);
        let advice = match how {
            How::FailureWithAdvice(advice) => Some(advice),
            How::Success | How::Failure | How::Ignored => None,
        };
        if self.place == Place::HalfOpen {
            self.verdict(advice, now);
        } else if self.control != Control::ForcedClosed {
            self.judge_streak(advice, now);
        }
        Recorded::Counted
    }

    /// Which call the rest of this probe's answer belongs to, if the probe counts.
    pub(super) fn begin(&mut self, which: usize, now: u64) -> Option<usize> {
        if self.settle(which, How::Success, now) == Recorded::Stale {
            return None;
        }
        let era = self.era();
        // It has settled: it has no lease any more.
        self.calls[which].probe = false;
        if self.calls[which].era == era {
            return Some(which);
        }
        // The probe was the last one that it took, and the rest belongs to what it led to.
        self.calls.push(Memory { era, probe: false, due: u64::MAX, end: None });
        Some(self.calls.len() - 1)
    }

    /// That call fails, whatever it was before.
    pub(super) fn break_off(&mut self, which: usize, now: u64) -> Recorded {
        self.look(now);
        if self.calls[which].era != self.era() || matches!(self.place, Place::Open(_)) {
            return Recorded::Stale;
        }
        self.calls[which].end = None;
        self.settle(which, How::Failure, now)
    }

    pub(super) fn order(&mut self, order: Order, now: u64) {
        self.look(now);
        match order {
            Order::Force(control, limit) => {
                let limit = limit.map(|limit| now + limit.as_millis() as u64);
                let place = match control {
                    Control::ForcedOpen => Place::Open(limit.unwrap_or(u64::MAX)),
                    Control::ObserveOnly if self.control == Control::Automatic => self.place,
                    _ => Place::Closed,
                };
                if control == Control::ForcedOpen {
                    self.wait = limit.map_or(u64::MAX, |limit| limit - now);
                }
                self.enter(place, control, now);
                self.limit = limit.filter(|_| control != Control::ForcedOpen);
            }
            Order::Release => match self.control {
                Control::Automatic => {}
                Control::ForcedOpen => self.enter(Place::HalfOpen, Control::Automatic, now),
                _ => self.enter(Place::Closed, Control::Automatic, now),
            },
            Order::Reset => {
                self.enter(Place::Closed, Control::Automatic, now);
                self.relapses = 0;
            }
        }
    }

    /// Other rules: what has been set stays, what has been seen is judged anew.
    pub(super) fn update(&mut self, setup: Setup, now: u64) {
        self.look(now);
        self.setup = setup;
        let held = matches!(self.control, Control::Disabled | Control::ForcedClosed);
        match self.place {
            Place::Closed if held => {}
            Place::Closed => self.judge_streak(None, now),
            Place::Open(_) => {}
            Place::HalfOpen => self.verdict(None, now),
        }
    }

    /// An active probe of this era, or of the one before it, has its answer.
    pub(super) fn answer(&mut self, healthy: bool, late: bool, now: u64) {
        let era = self.era();
        self.look(now);
        if late || era != self.era() {
            return;
        }
        if let Place::Open(until) = &mut self.place {
            *until = if healthy { now } else { now.saturating_add(self.wait) };
        }
    }

    fn judge_streak(&mut self, advice: Option<u64>, now: u64) {
        let era = self.era();
        let streak = self.ended.iter().rev().map(|call| self.calls[*call]);
        let streak = streak.take_while(|c| c.era == era && c.end == Some(End::Bad)).count();
        if streak >= self.setup.fail_max as usize {
            self.trip(advice, now);
        }
    }

    pub(super) fn state(&self) -> State {
        match self.place {
            Place::Closed => State::Closed,
            Place::Open(_) => State::Open,
            Place::HalfOpen => State::HalfOpen,
        }
    }
}
