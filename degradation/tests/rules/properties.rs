//! What holds for all weights, scores and sets.

use degradation::score::weighted;
use degradation::{
    Access, Admission, Class, Criticality, Level, LevelRules, Mode, ModeRules, admission,
};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const NAMES: [&str; 4] = ["database", "openai", "redis", "s3"];
const LEVELS: [Level; 3] = [Level::Normal, Level::Degraded, Level::Critical];
const MODES: [Mode; 3] = [Mode::Full, Mode::Minimal, Mode::ReadOnly];
const CRITICALITIES: [Criticality; 4] = [
    Criticality::Sheddable,
    Criticality::SheddablePlus,
    Criticality::Critical,
    Criticality::CriticalPlus,
];

/// One to eight weights that add up to 100.
fn weights() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(0..=100_u8, 0..8).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts.push(100);
        let mut last = 0;
        let difference = |cut| {
            let weight = cut - last;
            last = cut;
            weight
        };
        cuts.into_iter().map(difference).collect()
    })
}

/// Weights and a score for each.
fn dependencies() -> impl Strategy<Value = Vec<(u8, u8)>> {
    weights().prop_flat_map(|weights| {
        let scores = proptest::collection::vec(0..=100_u8, weights.len());
        scores.prop_map(move |scores| weights.iter().copied().zip(scores).collect())
    })
}

fn class() -> impl Strategy<Value = Class> {
    let access = prop_oneof![Just(Access::Read), Just(Access::Write)];
    (select(&CRITICALITIES), access).prop_map(|(criticality, access)| Class { criticality, access })
}

fn passes(level: Level, mode: Mode, class: Class) -> bool {
    admission::admit(level, mode, class) == Admission::Pass
}

proptest! {
    #[test]
    fn the_score_lies_between_the_worst_and_the_best_dependency(parts in dependencies()) {
        let score = weighted(parts.clone());
        let counted = || parts.iter().filter(|(weight, _)| *weight > 0).map(|(_, score)| *score);
        prop_assert!(score <= 100);
        prop_assert!(score >= counted().min().unwrap_or(0));
        prop_assert!(score <= counted().max().unwrap_or(100));
    }

    #[test]
    fn the_score_is_the_weighted_mean_rounded_down(parts in dependencies()) {
        let sum: u32 = parts.iter().map(|(weight, score)| u32::from(*weight) * u32::from(*score)).sum();
        let score = u32::from(weighted(parts));
        prop_assert!(score * 100 <= sum && sum < (score + 1) * 100);
    }

    #[test]
    fn a_dependency_that_does_better_never_lowers_the_score(
        parts in dependencies(),
        index: proptest::sample::Index,
        more in 0..=100_u8,
    ) {
        let mut better = parts.clone();
        let one = index.index(parts.len());
        better[one].1 = better[one].1.saturating_add(more).min(100);
        prop_assert!(weighted(better) >= weighted(parts));
    }

    #[test]
    fn any_weights_and_scores_give_a_score(parts: Vec<(u8, u8)>) {
        prop_assert!(weighted(parts) <= 100);
    }

    #[test]
    fn a_higher_score_never_gives_a_worse_level(
        one in 0..=100_u8, other in 0..=100_u8, degraded in 0..=100_u8, critical in 0..=100_u8,
    ) {
        let rules = LevelRules::exact()
            .degraded_below(degraded.max(critical))
            .critical_below(critical.min(degraded));
        prop_assert!(rules.of(one.max(other)) <= rules.of(one.min(other)));
    }

    #[test]
    fn what_goes_down_besides_never_loosens_the_mode_and_never_clears_a_flag(
        down in subsequence(&NAMES, 0..=4), besides in subsequence(&NAMES, 0..=4),
    ) {
        let rules = ModeRules::default();
        let more: Vec<&str> = down.iter().chain(&besides).copied().collect();
        let ((mode, flags), (stricter, all)) = (rules.decide(&down), rules.decide(&more));
        prop_assert!(stricter >= mode);
        prop_assert!(flags.iter().all(|flag| all.contains(flag)));
    }

    #[test]
    fn what_passes_passes_in_better_times_and_if_it_matters_more_and_if_it_only_reads(
        class in class(),
        level in select(&LEVELS), mode in select(&MODES),
        better in select(&LEVELS), looser in select(&MODES),
        other in select(&CRITICALITIES),
    ) {
        prop_assume!(passes(level, mode, class));
        prop_assert!(passes(better.min(level), looser.min(mode), class));
        let matters_more = Class { criticality: other.max(class.criticality), ..class };
        prop_assert!(passes(level, mode, matters_more));
        prop_assert!(passes(level, mode, Class::read(class.criticality)));
    }
}
