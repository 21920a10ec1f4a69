//! Latencies on a logarithmic scale, small enough to keep one per second.
//!
//! A percentile needs the distribution, and keeping every latency of a minute costs memory that
//! grows with the traffic. Four cells per doubling, from 16 µs to 68 s, are enough to tell 1 ms
//! from 1.25 ms at any speed. Each cell also keeps the sum of what fell into it, so a percentile is
//! the mean of its cell: exact where the calls of a cell took equally long, and otherwise off by
//! less than a quarter, the width of a cell.

use std::time::Duration;

/// Everything below 2^14 ns shares the first cell.
const LOWEST: u32 = 14;
/// Everything from 2^36 ns up shares the last one.
const HIGHEST: u32 = 36;
const CELLS: usize = 2 + 4 * 22;
const _: () = assert!(HIGHEST - LOWEST == 22, "CELLS counts the doublings between the two");

#[derive(Clone, Debug)]
pub(super) struct Latencies {
    counts: [u32; CELLS],
    sums: [u64; CELLS],
}

impl Latencies {
    pub(super) const fn new() -> Self {
        Self { counts: [0; CELLS], sums: [0; CELLS] }
    }

    pub(super) fn add(&mut self, nanos: u64) {
        let cell = cell(nanos);
        if let (Some(count), Some(sum)) = (self.counts.get_mut(cell), self.sums.get_mut(cell)) {
            *count = count.saturating_add(1);
            *sum = sum.saturating_add(nanos);
        }
    }

    /// Takes away what `other` once added.
    pub(super) fn subtract(&mut self, other: &Self) {
        for (count, gone) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_sub(*gone);
        }
        for (sum, gone) in self.sums.iter_mut().zip(&other.sums) {
            *sum = sum.saturating_sub(*gone);
        }
    }

    /// The latency that `percent` of the calls did not exceed; zero without calls.
    pub(super) fn percentile(&self, percent: u64) -> Duration {
        let calls: u64 = self.counts.iter().map(|count| u64::from(*count)).sum();
        let rank = calls.saturating_mul(percent).div_ceil(100).max(1);
        let mut seen = 0;
        for (count, sum) in self.counts.iter().zip(&self.sums) {
            seen += u64::from(*count);
            if seen >= rank {
                return Duration::from_nanos(sum.checked_div(u64::from(*count)).unwrap_or(0));
            }
        }
        Duration::ZERO
    }
}

/// The cell of a latency: its highest bit says the doubling, the two below it the quarter.
fn cell(nanos: u64) -> usize {
    let Some(highest) = nanos.checked_ilog2().filter(|bit| *bit >= LOWEST) else { return 0 };
    if highest >= HIGHEST {
        return CELLS - 1;
    }
    let quarter = (nanos >> (highest - 2)) & 0b11;
    let index = u64::from((highest - LOWEST) * 4) + quarter + 1;
    usize::try_from(index).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_the_scale_are_where_the_module_says() {
        for (nanos, expected) in [
            (0, 0),
            ((1 << 14) - 1, 0),
            (1 << 14, 1),
            ((1 << 14) + (1 << 12), 2),
            ((1 << 36) - 1, CELLS - 2),
            (1 << 36, CELLS - 1),
            (u64::MAX, CELLS - 1),
        ] {
            assert_eq!(cell(nanos), expected, "{nanos} ns");
        }
    }

    #[test]
    fn equal_latencies_are_reported_exactly() {
        let mut latencies = Latencies::new();
        for _ in 0..1_000 {
            latencies.add(10_000_000);
        }
        assert_eq!(latencies.percentile(50), Duration::from_millis(10));
        assert_eq!(latencies.percentile(99), Duration::from_millis(10));
    }

    proptest! {
        #[test]
        fn a_percentile_is_within_a_quarter_of_the_sorted_list(
            mut all in prop::collection::vec(20_000..60_000_000_000_u64, 1..300),
            percent in 1..=100_u8,
        ) {
            let mut latencies = Latencies::new();
            for nanos in &all {
                latencies.add(*nanos);
            }
            all.sort_unstable();
            let covers = |rank: &usize| 100 * rank >= all.len() * usize::from(percent);
            let rank = (1..=all.len()).find(covers).unwrap();
            let exact = Duration::from_nanos(all[rank - 1]).as_secs_f64();
            let told = latencies.percentile(u64::from(percent)).as_secs_f64();
            prop_assert!((told / exact - 1.0).abs() < 0.25, "{told} for {exact}");
        }

        #[test]
        fn cells_rise_with_the_latency(a: u64, b: u64) {
            prop_assert!(cell(a.min(b)) <= cell(a.max(b)));
        }

        #[test]
        fn what_was_added_can_be_taken_away(list in prop::collection::vec(any::<u32>(), 0..50)) {
            let (mut total, mut part) = (Latencies::new(), Latencies::new());
            total.add(5_000_000);
            for nanos in list {
                total.add(u64::from(nanos));
                part.add(u64::from(nanos));
            }
            total.subtract(&part);
            prop_assert_eq!(total.percentile(100), Duration::from_millis(5));
        }
    }
}
