//! How long to leave Redis alone after a dial failed.

use std::time::Duration;

use circuit_layer::Moment;

/// After the first failed dial.
const FIRST: Duration = Duration::from_millis(50);

/// The pause between failed dials: 50 ms, doubling up to a cap, up to a quarter shorter by chance
/// so that many clients do not come back at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pause {
    cap: Duration,
    streak: u32,
    until: Option<Moment>,
}

impl Pause {
    pub(crate) const fn new(cap: Duration) -> Self {
        Self { cap, streak: 0, until: None }
    }

    /// Whether a dial must still wait.
    pub(crate) fn holds(&self, now: Moment) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// A dial failed. `chance` is between 0 and 1.
    pub(crate) fn begin(&mut self, now: Moment, chance: f64) {
        // Failures that lie further apart than the cap are no storm.
        if self.until.is_some_and(|until| now > until + self.cap) {
            self.streak = 0;
        }
        let factor = 2_u32.saturating_pow(self.streak);
        let pause = FIRST.saturating_mul(factor).min(self.cap);
        self.until = Some(now + pause.mul_f64(chance.clamp(0.0, 1.0).mul_add(-0.25, 1.0)));
        self.streak = self.streak.saturating_add(1);
    }

    /// A dial succeeded.
    pub(crate) const fn end(&mut self) {
        self.streak = 0;
        self.until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Moment {
        Moment::from_nanos(millis * 1_000_000)
    }

    /// The pause in milliseconds that begins at this moment.
    fn begin(pause: &mut Pause, now: u64) -> u64 {
        pause.begin(at(now), 0.0);
        (0..5000).find(|ms| !pause.holds(at(now + ms))).unwrap()
    }

    #[test]
    fn the_pause_doubles_from_50_ms_to_the_cap() {
        let mut pause = Pause::new(CAP);
        assert!(!pause.holds(at(0)));
        let mut now = 0;
        for expected in [50, 100, 200, 400, 800, 1000, 1000] {
            assert_eq!(begin(&mut pause, now), expected);
            now += expected;
        }
    }

    #[test]
    fn a_success_and_a_long_calm_start_over() {
        let mut pause = Pause::new(CAP);
        begin(&mut pause, 0);
        begin(&mut pause, 100);
        pause.end();
        assert!(!pause.holds(at(100)));
        assert_eq!(begin(&mut pause, 200), 50);
        assert_eq!(begin(&mut pause, 10_000), 50);
    }

    #[test]
    fn chance_shortens_it_by_a_quarter_at_most() {
        let mut pause = Pause::new(CAP);
        pause.begin(at(0), 1.0);
        assert!(pause.holds(at(37)));
        assert!(!pause.holds(at(38)));
    }

    #[test]
    fn a_hundred_failures_in_a_row_overflow_nothing() {
        let mut pause = Pause::new(CAP);
        for now in 0..100 {
            pause.begin(at(now), 0.5);
        }
        assert!(pause.holds(at(900)));
    }
}
