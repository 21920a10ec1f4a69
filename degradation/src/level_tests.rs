use super::*;

const START: Moment = Moment::from_nanos(86_400_000_000_000);

fn at(millis: u64) -> Moment {
    START + Duration::from_millis(millis)
}

/// Steps through `(millisecond, score)` and returns the levels.
fn levels(rules: LevelRules, first: u8, steps: &[(u64, u8)]) -> Vec<Level> {
    let mut tracker = LevelTracker::new(rules, first);
    steps.iter().map(|&(millis, score)| tracker.step(score, at(millis))).collect()
}

use Level::{Critical, Degraded, Normal};

#[test]
fn thresholds_are_exclusive() {
    let rules = LevelRules::default();
    let found: Vec<_> = [100, 60, 59, 30, 29, 0].map(|score| rules.of(score)).to_vec();
    assert_eq!(found, [Normal, Normal, Degraded, Degraded, Critical, Critical]);
}

#[test]
fn worse_only_after_a_second_without_a_break() {
    let steps = [(0, 50), (999, 50), (1_000, 60), (1_500, 50), (2_499, 50), (2_500, 50)];
    let expected = [Normal, Normal, Normal, Normal, Normal, Degraded];
    assert_eq!(levels(LevelRules::default(), 100, &steps), expected);
}

#[test]
fn the_second_below_thirty_is_counted_from_the_fall_below_thirty() {
    let steps = [(0, 50), (500, 10), (1_000, 10), (1_499, 10), (1_500, 10)];
    let expected = [Normal, Normal, Degraded, Degraded, Critical];
    assert_eq!(levels(LevelRules::default(), 100, &steps), expected);
}

#[test]
fn a_deep_fall_skips_degraded() {
    assert_eq!(levels(LevelRules::default(), 100, &[(0, 0), (1_000, 0)]), [Normal, Critical]);
}

#[test]
fn better_after_fifteen_seconds_and_one_step_at_a_time() {
    let steps = [(0, 100), (14_999, 100), (15_000, 100), (29_999, 100), (30_000, 100)];
    let expected = [Critical, Critical, Degraded, Degraded, Normal];
    assert_eq!(levels(LevelRules::default(), 0, &steps), expected);
}

#[test]
fn a_score_inside_the_margin_never_leaves() {
    assert_eq!(levels(LevelRules::default(), 50, &[(0, 64), (60_000, 64)]), [Degraded, Degraded]);
    assert_eq!(levels(LevelRules::default(), 50, &[(0, 65), (15_000, 65)]), [Degraded, Normal]);
    assert_eq!(levels(LevelRules::default(), 0, &[(0, 34), (60_000, 34)]), [Critical, Critical]);
    assert_eq!(levels(LevelRules::default(), 0, &[(0, 35), (15_000, 35)]), [Critical, Degraded]);
}

#[test]
fn a_dip_on_the_way_up_starts_the_wait_again() {
    let steps = [(0, 100), (14_000, 50), (14_100, 100), (29_099, 100), (29_100, 100)];
    let expected = [Degraded, Degraded, Degraded, Degraded, Normal];
    assert_eq!(levels(LevelRules::default(), 50, &steps), expected);
}

#[test]
fn exact_rules_are_a_function_of_the_score() {
    let steps = [(0, 0), (0, 100), (0, 30), (0, 29), (0, 60), (0, 59)];
    let expected = [Critical, Normal, Degraded, Critical, Normal, Degraded];
    assert_eq!(levels(LevelRules::exact(), 100, &steps), expected);
}

#[test]
fn the_deadline_is_the_moment_at_which_a_step_changes_the_level() {
    let mut tracker = LevelTracker::new(LevelRules::default(), 100);
    assert_eq!(tracker.deadline(), None, "nothing is due while all is well");
    tracker.step(0, START);
    assert_eq!(tracker.deadline(), Some(at(1_000)));
    assert_eq!(tracker.step(0, at(1_000)), Critical);
    assert_eq!(tracker.deadline(), None, "nothing is worse than critical");
    tracker.step(100, at(2_000));
    assert_eq!(tracker.deadline(), Some(at(17_000)));
    assert_eq!(tracker.step(100, at(17_000)), Degraded);
    assert_eq!(tracker.deadline(), Some(at(32_000)), "the next step waits again");
    assert_eq!(tracker.step(100, at(32_000)), Normal);
    assert_eq!(tracker.deadline(), None);
}

#[test]
fn a_clock_that_steps_back_changes_nothing() {
    assert_eq!(levels(LevelRules::default(), 100, &[(5_000, 50), (0, 50)]), [Normal, Normal]);
}
