//! One number for the health of everything.
//!
//! A service with four dependencies needs one figure to compare with a threshold, and a plain mean
//! would say that losing the place for thumbnails weighs as much as losing the database. So each
//! dependency has a weight, and the weights add up to 100.
//!
//! **Integers throughout.** With floats, `100 × (1 − (0.50 + 0.15 + 0.05))` is 29.999999999999993
//! and a service whose score is exactly 30 falls below a threshold of 30.

/// What the weights of all dependencies add up to.
pub const WEIGHTS_SUM: u32 = 100;

/// The best health there is.
pub const FULL_SCORE: u8 = 100;

/// The weighted mean of `(weight, score)` pairs, rounded down, 0–100.
///
/// Rounding down keeps thresholds honest: `floor(x) < t` says the same as `x < t` for every whole
/// `t`. The weights are taken to add up to [`WEIGHTS_SUM`]; scores above 100 count as 100.
///
/// ```
/// // database and s3 well, openai half-open, redis down
/// assert_eq!(degradation::score::weighted([(50, 100), (30, 50), (15, 0), (5, 100)]), 70);
/// ```
#[must_use]
pub fn weighted(parts: impl IntoIterator<Item = (u8, u8)>) -> u8 {
    let total: u32 = parts
        .into_iter()
        .map(|(weight, score)| u32::from(weight) * u32::from(score.min(FULL_SCORE)))
        .fold(0, u32::saturating_add);
    u8::try_from(total.div_euclid(WEIGHTS_SUM)).map_or(FULL_SCORE, |score| score.min(FULL_SCORE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_well_is_a_hundred_and_all_down_is_zero() {
        assert_eq!(weighted([(50, 100), (30, 100), (15, 100), (5, 100)]), 100);
        assert_eq!(weighted([(50, 0), (30, 0), (15, 0), (5, 0)]), 0);
    }

    #[test]
    fn what_floats_get_wrong_is_exactly_thirty() {
        assert_eq!(weighted([(50, 0), (30, 100), (15, 0), (5, 0)]), 30);
    }

    #[test]
    fn a_fraction_is_rounded_down_so_that_a_threshold_means_what_it_says() {
        assert_eq!(weighted([(50, 100), (45, 21), (5, 10)]), 59, "59.95 is below 60");
    }

    #[test]
    fn a_score_above_the_best_counts_as_the_best() {
        assert_eq!(weighted([(100, 255)]), 100);
        assert_eq!(weighted([(255, 100), (255, 100)]), 100);
    }
}
