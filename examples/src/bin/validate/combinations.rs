//! What follows from each of the sixteen sets of outages, by the rules and in integers.

use degradation::{DegradationManager, Health, Level, LevelRules, Mode};

use crate::Fallible;
use crate::report::Report;

/// Name and weight, as the service has them.
const DEPENDENCIES: [(&str, u8); 4] = [("database", 50), ("openai", 30), ("redis", 15), ("s3", 5)];

pub(crate) async fn check(report: &mut Report) -> Fallible<()> {
    for set in 0..16_u8 {
        let down = |index: usize| set & (1 << index) != 0;
        let mut builder = DegradationManager::builder().levels(LevelRules::exact());
        for (index, (name, weight)) in DEPENDENCIES.into_iter().enumerate() {
            let health = if down(index) { Health::down() } else { Health::up(100) };
            builder = builder.dependency(name, weight, move || health.clone());
        }
        let manager = builder.build()?;
        // The sources are closures, so what they say is in the first snapshot.
        let snapshot = manager.snapshot();
        let names: Vec<_> = DEPENDENCIES
            .iter()
            .enumerate()
            .filter(|(index, _)| down(*index))
            .map(|(_, (name, _))| *name)
            .collect();
        let up = DEPENDENCIES.iter().enumerate().filter(|(index, _)| !down(*index));
        let score: u8 = up.map(|(_, (_, weight))| *weight).sum();
        let expected = (score, level(score), mode(&names));
        let seen = (snapshot.score, snapshot.level, snapshot.mode);
        let flags: Vec<_> = snapshot.flags.iter().collect();
        let what = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        report.check(
            format!("down: {what}"),
            format!("score {}, {}, {}; {}", seen.0, seen.1, seen.2, flags.join(", ")),
            seen == expected,
        );
    }
    Ok(())
}

const fn level(score: u8) -> Level {
    match score {
        ..30 => Level::Critical,
        30..60 => Level::Degraded,
        60.. => Level::Normal,
    }
}

fn mode(down: &[&str]) -> Mode {
    if down.len() == DEPENDENCIES.len() {
        Mode::ReadOnly
    } else if down == ["database", "redis", "s3"] {
        Mode::Minimal
    } else {
        Mode::Full
    }
}
