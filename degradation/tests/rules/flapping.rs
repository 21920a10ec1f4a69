//! A dependency that comes and goes must not drag the whole service along.

use std::time::Duration;

use circuit_layer::Moment;
use degradation::{Change, Level, LevelRules};

use crate::house::{House, SECOND};

const HOUR: Duration = Duration::from_secs(3_600);

/// One simulated hour in which the database is down and up in turns of these lengths.
async fn hour(
    levels: LevelRules,
    turns: impl Iterator<Item = (Duration, Duration)>,
) -> Vec<Change> {
    let house = House::new("", levels);
    let mut events = house.manager.events();
    let end = house.manager.clock().now() + HOUR;
    let mut changes = Vec::new();
    let mut turns = turns;
    while house.manager.clock().now() < end {
        let (down, up) = turns.next().unwrap();
        house.down("d");
        house.after(down).await;
        house.down("");
        house.after(up).await;
        changes.extend(std::iter::from_fn(|| events.try_recv().ok()));
    }
    changes.retain(|change| change.level.0 != change.level.1);
    changes
}

/// Turns between these bounds in milliseconds, the same in each run.
fn turns(shortest: u64, longest: u64) -> impl Iterator<Item = (Duration, Duration)> {
    let mut seed = 7_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Duration::from_millis(shortest + (seed >> 33) % (longest - shortest))
    };
    std::iter::from_fn(move || Some((next(), next())))
}

/// Between two changes lies at least the dwell time of the second one.
fn keeps_dwelling(changes: &[Change]) {
    let dwell =
        |change: &Change| if change.level.1 > change.level.0 { SECOND } else { 15 * SECOND };
    let mut last: Option<Moment> = None;
    for change in changes {
        if let Some(last) = last {
            assert!(change.at - last >= dwell(change), "{change:?}");
        }
        last = Some(change.at);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_flaps_for_an_hour_changes_the_level_at_most_once_per_dwell_time() {
    let changes = hour(LevelRules::default(), turns(50, 5_000)).await;
    keeps_dwelling(&changes);
    let levels: Vec<_> = changes.iter().map(|change| change.level).collect();
    assert_eq!(levels, [(Level::Normal, Level::Degraded)], "down once, and held there");

    // Turns of up to half a minute are no flapping any more: the level follows, but slowly.
    let changes = hour(LevelRules::default(), turns(50, 30_000)).await;
    keeps_dwelling(&changes);
    let most = 2 * 225; // One down and one up take 16 s, of which an hour has 225.
    assert!((10..=most).contains(&changes.len()), "{}", changes.len());
}

#[tokio::test(start_paused = true)]
async fn the_same_hour_without_dwelling_shows_what_dwelling_is_for() {
    let changes = hour(LevelRules::exact(), turns(50, 5_000)).await;
    assert!(changes.len() > 1_000, "{}", changes.len());
}

#[tokio::test(start_paused = true)]
async fn outages_shorter_than_a_second_do_not_change_the_level() {
    let changes = hour(LevelRules::default(), turns(50, 900)).await;
    assert!(changes.is_empty(), "{changes:?}");
}
