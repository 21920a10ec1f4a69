//! The machine beside a naive model of the same rules, under every order and any timing.
//!
//! The model keeps the whole history and counts by looking through it. It has no counters, no
//! generations inside its decisions and no published word, so it can not share the machine's bugs.

#![expect(
    clippy::as_conversions,
    clippy::integer_division,
    clippy::wildcard_enum_match_arm,
    reason = "a naive model computes naively"
)]

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{At, Machine, Order, Rules, Ticket};
use crate::backoff::Backoff;
use crate::clock::Moment;
use crate::half_open::HalfOpen;
use crate::outcome::{Outcome, Recorded};
use crate::policy::ConsecutiveFailures;
use crate::state::{Control, State};

const MINUTE: u64 = 60_000;

#[derive(Clone, Copy, Debug)]
struct Setup {
    fail_max: u32,
    reset: u64,
    factor: f64,
    probes: u32,
    threshold: Option<f64>,
    lease: u64,
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Wait(u64),
    Admit,
    Settle {
        which: prop::sample::Index,
        how: How,
    },
    /// The answer of a probe begins.
    Begin(prop::sample::Index),
    /// The rest of an answer that has begun breaks.
    Break(prop::sample::Index),
    Order(Order),
    Update(Setup),
    Answer {
        healthy: bool,
        late: bool,
    },
    Look,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Success,
    Failure,
    FailureWithAdvice(u64),
    Ignored,
}

/// One admitted call, as the model remembers it.
#[derive(Clone, Copy, Debug)]
struct Memory {
    era: usize,
    probe: bool,
    due: u64,
    end: Option<End>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Good(u64),
    Bad,
    Neutral,
    Lapsed,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Closed,
    Open(u64),
    HalfOpen,
}

struct Model {
    setup: Setup,
    place: Place,
    control: Control,
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
    fn new(setup: Setup) -> Self {
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

    fn look(&mut self, now: u64) {
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

    fn would_reject(&self, now: u64) -> bool {
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
    fn admit(&mut self, now: u64) -> Result<Option<usize>, ()> {
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

    fn settle(&mut self, which: usize, how: How, now: u64) -> Recorded {
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
    fn begin(&mut self, which: usize, now: u64) -> Option<usize> {
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
    fn break_off(&mut self, which: usize, now: u64) -> Recorded {
        self.look(now);
        if self.calls[which].era != self.era() || matches!(self.place, Place::Open(_)) {
            return Recorded::Stale;
        }
        self.calls[which].end = None;
        self.settle(which, How::Failure, now)
    }

    fn order(&mut self, order: Order, now: u64) {
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
    fn update(&mut self, setup: Setup, now: u64) {
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
    fn answer(&mut self, healthy: bool, late: bool, now: u64) {
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

    fn state(&self) -> State {
        match self.place {
            Place::Closed => State::Closed,
            Place::Open(_) => State::Open,
            Place::HalfOpen => State::HalfOpen,
        }
    }
}

fn setup() -> impl Strategy<Value = Setup> {
    (
        1_u32..4,
        1_u64..5_000,
        prop_oneof![Just(1.0), Just(2.0), Just(3.0)],
        1_u32..5,
        prop_oneof![Just(None), prop_oneof![Just(0.25), Just(0.5), Just(1.0)].prop_map(Some)],
        1_u64..3_000,
    )
        .prop_map(|(fail_max, reset, factor, probes, threshold, lease)| Setup {
            fail_max,
            reset,
            factor,
            probes,
            threshold,
            lease,
        })
}

fn rules(setup: Setup) -> Rules {
    let fail_max = setup.fail_max;
    Rules {
        policy: Arc::new(move || Box::new(ConsecutiveFailures::new(fail_max))),
        reset_timeout: Duration::from_millis(setup.reset),
        backoff: if setup.factor > 1.0 {
            Backoff::exponential(setup.factor).jitter(0.0)
        } else {
            Backoff::none()
        },
        half_open: match setup.threshold {
            None => HalfOpen::all(setup.probes),
            Some(threshold) => HalfOpen::rate(setup.probes, threshold),
        },
        lease: Duration::from_millis(setup.lease),
        slow: None,
        ramp_up: None,
    }
}

fn op() -> impl Strategy<Value = Op> {
    let how = prop_oneof![
        3 => Just(How::Success),
        4 => Just(How::Failure),
        1 => (0_u64..100_000).prop_map(How::FailureWithAdvice),
        1 => Just(How::Ignored),
    ];
    let limit =
        prop_oneof![Just(None), (1_u64..5_000).prop_map(|ms| Some(Duration::from_millis(ms)))];
    let control = prop_oneof![
        Just(Control::ForcedOpen),
        Just(Control::ForcedClosed),
        Just(Control::Disabled),
        Just(Control::ObserveOnly),
    ];
    let order = prop_oneof![
        2 => (control, limit).prop_map(|(control, limit)| Order::Force(control, limit)),
        2 => Just(Order::Release),
        1 => Just(Order::Reset),
    ];
    prop_oneof![
        6 => (0_u64..2_000).prop_map(Op::Wait),
        2 => (0_u64..200_000).prop_map(Op::Wait),
        12 => Just(Op::Admit),
        14 => (any::<prop::sample::Index>(), how)
            .prop_map(|(which, how)| Op::Settle { which, how }),
        3 => any::<prop::sample::Index>().prop_map(Op::Begin),
        2 => any::<prop::sample::Index>().prop_map(Op::Break),
        1 => order.prop_map(Op::Order),
        1 => setup().prop_map(Op::Update),
        2 => (any::<bool>(), prop::bool::weighted(0.1))
            .prop_map(|(healthy, late)| Op::Answer { healthy, late }),
        1 => Just(Op::Look),
    ]
}

fn at(now: u64, rules: &Rules) -> At<'_> {
    At { now: Moment::from_nanos(now * 1_000_000), rules, roll: 0.5 }
}

proptest! {
    #[test]
    fn the_machine_agrees_with_a_naive_model(
        setup in setup(), ops in prop::collection::vec(op(), 1..120),
    ) {
        let mut rules = rules(setup);
        let mut now = 0_u64;
        let mut machine = Machine::new("model", 1, at(now, &rules));
        let mut model = Model::new(setup);
        let mut out: Vec<(Ticket, usize)> = Vec::new();
        let mut begun: Vec<(Ticket, usize)> = Vec::new();
        for op in ops {
            match op {
                Op::Wait(ms) => now += ms,
                Op::Admit => match (machine.admit(at(now, &rules)), model.admit(now)) {
                    (Ok(ticket), Ok(Some(call))) => out.push((ticket, call)),
                    (Ok(ticket), Ok(None)) => prop_assert_eq!(ticket, Ticket::UNCOUNTED),
                    (Err(_), Err(())) => {}
                    (real, naive) => prop_assert!(false, "{real:?} but {naive:?}"),
                },
                Op::Settle { which, how } if !out.is_empty() => {
                    let (ticket, call) = out.swap_remove(which.index(out.len()));
                    let outcome = match how {
                        How::Success => Outcome::Success,
                        How::Failure => Outcome::failure("x"),
                        How::FailureWithAdvice(ms) => Outcome::Failure {
                            kind: "x",
                            retry_after: Some(Duration::from_millis(ms)),
                        },
                        How::Ignored => Outcome::Ignored,
                    };
                    let real = machine.settle(ticket, None, outcome, at(now, &rules));
                    prop_assert_eq!(real, model.settle(call, how, now));
                }
                Op::Begin(which) => {
                    let probes = out.iter().enumerate().filter(|(_, (ticket, _))| ticket.probe != 0);
                    let probes: Vec<usize> = probes.map(|(place, _)| place).collect();
                    if !probes.is_empty() {
                        let (ticket, call) = out.swap_remove(probes[which.index(probes.len())]);
                        let real = machine.settle_early(ticket, None, at(now, &rules));
                        let naive = model.begin(call, now);
                        prop_assert_eq!(real.is_some(), naive.is_some());
                        begun.extend(real.zip(naive));
                    }
                }
                Op::Break(which) if !begun.is_empty() => {
                    let (ticket, call) = begun.swap_remove(which.index(begun.len()));
                    let real = machine.settle(ticket, None, Outcome::failure("cut"), at(now, &rules));
                    prop_assert_eq!(real, model.break_off(call, now));
                }
                Op::Settle { .. } | Op::Break(_) => {}
                Op::Order(order) => {
                    machine.order(order, Arc::from("because"), at(now, &rules));
                    model.order(order, now);
                }
                Op::Update(setup) => {
                    machine.tick(at(now, &rules));
                    rules = self::rules(setup);
                    machine.update(at(now, &rules));
                    model.update(setup, now);
                }
                Op::Answer { healthy, late } => {
                    let generation = machine.generation() - u64::from(late);
                    machine.answer(generation, healthy, at(now, &rules));
                    model.answer(healthy, late, now);
                }
                Op::Look => {
                    machine.tick(at(now, &rules));
                    model.look(now);
                }
            }
            prop_assert_eq!(machine.state(), model.state());
            prop_assert_eq!(machine.control(), model.control);
            prop_assert_eq!(machine.generation(), model.era() as u64 + 1);
            let until = machine.tripped().and_then(|(until, _)| until);
            let deadline = match model.place {
                Place::Open(u64::MAX) => Some(Moment::NEVER),
                Place::Open(until) => Some(Moment::from_nanos(until * 1_000_000)),
                Place::Closed | Place::HalfOpen => None,
            };
            prop_assert_eq!(until, deadline);
            let objection = machine.objection(at(now, &rules).now, &rules.half_open);
            prop_assert_eq!(objection.is_some(), model.would_reject(now));
            let refusal = machine.refusal(at(now, &rules).now, &rules.half_open);
            let observes = model.control == Control::ObserveOnly;
            prop_assert_eq!(refusal.is_some(), model.would_reject(now) && !observes);
        }
        // Nothing is lost on the way: every generation but the first was announced, in order.
        let told: Vec<u64> = machine.take_transitions().iter().map(|t| t.generation).collect();
        prop_assert_eq!(told, (2..=machine.generation()).collect::<Vec<_>>());
    }
}
