use super::*;
use crate::level::{Level, LevelRules};
use crate::score::weighted;

const WEIGHTS: [(&str, u8); 4] = [("database", 50), ("openai", 30), ("redis", 15), ("s3", 5)];

/// What is down, the score, the level by the score, the mode. One letter for each dependency.
const TABLE: [(&str, u8, Level, Mode); 16] = [
    ("", 100, Level::Normal, Mode::Full),
    ("s", 95, Level::Normal, Mode::Full),
    ("r", 85, Level::Normal, Mode::Full),
    ("rs", 80, Level::Normal, Mode::Full),
    ("o", 70, Level::Normal, Mode::Full),
    ("os", 65, Level::Normal, Mode::Full),
    ("or", 55, Level::Degraded, Mode::Full),
    ("ors", 50, Level::Degraded, Mode::Full),
    ("d", 50, Level::Degraded, Mode::Full),
    ("ds", 45, Level::Degraded, Mode::Full),
    ("dr", 35, Level::Degraded, Mode::Full),
    ("drs", 30, Level::Degraded, Mode::Minimal),
    ("do", 20, Level::Critical, Mode::Full),
    ("dos", 15, Level::Critical, Mode::Full),
    ("dor", 5, Level::Critical, Mode::Full),
    ("dors", 0, Level::Critical, Mode::ReadOnly),
];

#[test]
fn all_sixteen_combinations_give_the_specified_score_level_mode_and_flags() {
    for (letters, score, level, mode) in TABLE {
        let is_down = |name: &str| name.chars().next().is_some_and(|first| letters.contains(first));
        let down: Vec<&str> =
            WEIGHTS.iter().map(|(name, _)| *name).filter(|n| is_down(n)).collect();
        let parts = WEIGHTS.map(|(name, weight)| (weight, if is_down(name) { 0 } else { 100 }));

        let (found, flags) = ModeRules::default().decide(&down);
        assert_eq!(weighted(parts), score, "{letters}");
        assert_eq!(LevelRules::exact().of(score), level, "{letters}");
        assert_eq!(found, mode, "{letters}");
        assert_eq!(flags.cache_fallback(), is_down("redis"), "{letters}");
        assert_eq!(flags.queue_uploads(), is_down("s3"), "{letters}");
        assert_eq!(flags.plain_answers(), is_down("openai"), "{letters}");
    }
}

#[test]
fn a_fifth_dependency_down_does_not_lift_a_mode() {
    let (mode, _) = ModeRules::default().decide(&["database", "redis", "s3", "search"]);
    assert_eq!(mode, Mode::Minimal);
}

#[test]
fn the_strictest_mode_wins_whatever_the_order_of_the_rules() {
    let rules = ModeRules::empty().mode(&["a"], Mode::ReadOnly).mode(&["a", "b"], Mode::Minimal);
    assert_eq!(rules.decide(&["b", "a"]).0, Mode::ReadOnly);
}

#[test]
fn a_rule_without_names_never_applies() {
    let (mode, flags) = ModeRules::empty().mode(&[], Mode::ReadOnly).flag(&[], "x").decide(&[]);
    assert_eq!((mode, flags.is_empty()), (Mode::Full, true));
}
