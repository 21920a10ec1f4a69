use super::*;
use crate::mode::Mode;

fn refused(builder: DegradationBuilder, sentence: &str) {
    assert_eq!(builder.build().unwrap_err().to_string(), sentence);
}

#[tokio::test]
async fn a_configuration_that_makes_no_sense_is_refused_with_one_sentence() {
    let well = || Health::up(100);
    let one = || DegradationManager::builder().dependency("a", 100, well);
    refused(DegradationManager::builder(), "there is no dependency");
    refused(one().dependency("b", 5, well), "the weights add up to 105, not to 100");
    refused(one().dependency("a", 0, well), "two of a kind are named `a`");
    let typo = ModeRules::empty().mode(&["databse"], Mode::ReadOnly);
    refused(one().modes(typo), "a rule names `databse`, and no dependency does");
    let crossed = LevelRules::default().critical_below(70);
    refused(
        one().levels(crossed),
        "the threshold of critical (70) is above that of degraded (60), or that above 100",
    );
    let stuck = LevelRules::default().degraded_below(98);
    refused(
        one().levels(stuck),
        "a score of 100 would not leave the level: 98 and a margin of 5 exceed it",
    );
    refused(
        one().check_every(Duration::ZERO),
        "the pace and the timeout of checks must be longer than zero",
    );
    let hasty = DegradationManager::builder().dependency("a", 100, well.within(Duration::ZERO));
    refused(hasty, "the pace and the timeout of checks must be longer than zero");
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let builder = DegradationManager::builder().dependency("a", 100, || Health::up(100));
    assert_eq!(builder.build().unwrap_err(), ConfigError::NoRuntime);
}
