//! What callers may do without asking the machine.
//!
//! The machine says so after each step, and the word tells everybody. Whatever it says wrong here is
//! not seen at once: too little only costs each call a lock, and too much loses what should be counted.

use super::{Machine, Phase};
use crate::clock::Moment;
use crate::policy::Deferral;
use crate::state::Control;
use crate::word::Directive;

impl Machine {
    /// What a call has to do, for the published word.
    pub(crate) fn directive(&self) -> Directive {
        let timed = self.limit < Moment::NEVER;
        match &self.phase {
            _ if self.control == Control::ObserveOnly || timed => Directive::Ask,
            Phase::Closed { policy, ramp, .. } => {
                if policy.slow_threshold().is_some() || ramp.is_some() {
                    Directive::Ask
                } else if self.control == Control::Disabled
                    || (policy.quiet() && !self.level.is_raised())
                {
                    Directive::Pristine
                } else {
                    Directive::Counting
                }
            }
            Phase::Open { .. } => Directive::Shut,
            Phase::HalfOpen { .. } => Directive::Ask,
        }
    }

    /// Which successes may be counted aside.
    pub(crate) fn deferral(&self) -> Deferral {
        match &self.phase {
            Phase::Closed { policy, .. }
                if self.directive() == Directive::Counting && !self.level.is_raised() =>
            {
                policy.deferral()
            }
            Phase::Closed { .. } | Phase::Open { .. } | Phase::HalfOpen { .. } => Deferral::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::backoff::Backoff;
    use crate::half_open::HalfOpen;
    use crate::machine::{At, Order, Rules};
    use crate::outcome::Outcome;
    use crate::policy::{ConsecutiveFailures, FailureRate, SlowCallRate, TripPolicy};
    use crate::window::Window;

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);

    fn rules<P: TripPolicy + Clone + Sync>(policy: P) -> Rules {
        let slow = policy.slow_threshold();
        Rules {
            policy: Arc::new(move || Box::new(policy.clone())),
            reset_timeout: MINUTE,
            backoff: Backoff::exponential(2.0).jitter(0.0),
            half_open: HalfOpen::all(1),
            lease: MINUTE,
            slow,
            ramp_up: None,
        }
    }

    /// A machine and the rules and the time that it runs by.
    struct Run {
        machine: Machine,
        rules: Rules,
        now: Moment,
    }

    impl Run {
        fn new(rules: Rules) -> Self {
            let now = Moment::from_nanos(1_000_000_000_000);
            let machine = Machine::new("run", 1, At { now, rules: &rules, roll: 0.5 });
            Self { machine, rules, now }
        }

        fn step<R>(&mut self, step: impl FnOnce(&mut Machine, At<'_>) -> R) -> R {
            step(&mut self.machine, At { now: self.now, rules: &self.rules, roll: 0.5 })
        }

        fn call(&mut self, outcome: Outcome) {
            let ticket = self.step(|machine, at| machine.admit(at)).unwrap();
            self.step(|machine, at| machine.settle(ticket, None, outcome, at));
        }

        fn order(&mut self, control: Control, limit: Option<Duration>) -> Directive {
            let order = Order::Force(control, limit);
            self.step(|machine, at| machine.order(order, Arc::from("a test"), at));
            self.machine.directive()
        }

        /// Tripped once and recovered: at level one.
        fn relapsed(rules: Rules) -> Self {
            let mut run = Self::new(rules);
            run.call(FAILURE);
            assert_eq!(run.machine.directive(), Directive::Shut);
            run.now = run.now + MINUTE;
            run.call(Outcome::Success);
            run
        }
    }

    const FAILURE: Outcome = Outcome::failure("x");

    #[test]
    fn a_closed_machine_with_nothing_to_count_lets_everybody_go() {
        let mut run = Run::new(rules(ConsecutiveFailures::new(2)));
        assert_eq!(run.machine.directive(), Directive::Pristine);
        run.call(FAILURE);
        assert_eq!(run.machine.directive(), Directive::Counting);
        run.call(Outcome::Success);
        assert_eq!(run.machine.directive(), Directive::Pristine);
    }

    #[test]
    fn open_is_shut_and_half_open_has_to_be_asked() {
        let mut run = Run::new(rules(ConsecutiveFailures::new(1)));
        run.call(FAILURE);
        assert_eq!(run.machine.directive(), Directive::Shut);
        run.now = run.now + MINUTE;
        let _probe = run.step(|machine, at| machine.admit(at));
        assert_eq!(run.machine.directive(), Directive::Ask);
    }

    #[test]
    fn a_machine_that_remembers_relapses_counts_successes_one_by_one() {
        let rate = FailureRate::new(1.0, Window::calls(3)).min_calls(1);
        let mut run = Run::relapsed(rules(rate));
        for _ in 0..3 {
            assert_eq!(run.machine.directive(), Directive::Counting);
            assert_eq!(run.machine.deferral(), Deferral::NONE);
            run.call(Outcome::Success);
        }
        assert_eq!(run.machine.directive(), Directive::Counting, "clean, and still at level one");
        run.now = run.now + MINUTE;
        run.call(Outcome::Success);
        assert_eq!(run.machine.directive(), Directive::Pristine);
    }

    #[test]
    fn what_has_to_be_timed_or_held_back_is_asked_for() {
        let slow = SlowCallRate::new(0.5, SECOND, Window::calls(10));
        assert_eq!(Run::new(rules(slow)).machine.directive(), Directive::Ask);
        let rate = FailureRate::new(1.0, Window::calls(10)).min_calls(1);
        let ramp = Rules { ramp_up: Some(SECOND), ..rules(rate) };
        let run = Run::relapsed(ramp);
        assert_eq!(run.machine.directive(), Directive::Ask);
        assert_eq!(run.machine.deferral(), Deferral::NONE);
    }

    #[test]
    fn an_order_says_what_everybody_has_to_do_and_one_that_ends_has_to_be_asked_for() {
        for (control, held) in [
            (Control::ForcedClosed, Directive::Pristine),
            (Control::Disabled, Directive::Pristine),
            (Control::ObserveOnly, Directive::Ask),
            (Control::ForcedOpen, Directive::Shut),
        ] {
            let mut run = Run::new(rules(ConsecutiveFailures::new(2)));
            assert_eq!(run.order(control, None), held, "{control:?}");
            // A forced open one has its limit for a deadline.
            let limited = if control == Control::ForcedOpen { held } else { Directive::Ask };
            assert_eq!(run.order(control, Some(SECOND)), limited, "{control:?}");
        }
    }

    #[test]
    fn disabled_counts_nothing_whatever_its_policy_would() {
        let rate = FailureRate::new(0.5, Window::time(MINUTE));
        let mut run = Run::new(rules(rate));
        assert_eq!(run.machine.directive(), Directive::Counting);
        assert_eq!(run.order(Control::Disabled, None), Directive::Pristine);
        assert_eq!(run.machine.deferral(), Deferral::NONE);
        let mut raised = Run::relapsed(rules(ConsecutiveFailures::new(1)));
        assert_eq!(raised.order(Control::Disabled, None), Directive::Pristine);
    }

    #[test]
    fn the_policy_says_what_may_be_deferred() {
        let rate = FailureRate::new(1.0, Window::calls(10)).min_calls(1);
        let mut run = Run::new(rules(rate));
        assert_eq!(run.machine.deferral(), Deferral::NONE, "the first completes `min_calls`");
        run.call(Outcome::Success);
        assert_eq!(run.machine.deferral(), Deferral::new(8, Moment::NEVER));
    }
}
