//! The machine beside a naive model of the same rules, under every order and any timing.

mod model;

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use self::model::{How, Model, Place, Setup};
use super::{At, Machine, Order, Rules, Ticket};
use crate::backoff::Backoff;
use crate::clock::Moment;
use crate::half_open::HalfOpen;
use crate::outcome::Outcome;
use crate::policy::ConsecutiveFailures;
use crate::state::Control;

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
            prop_assert_eq!(machine.generation(), model.generation());
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
