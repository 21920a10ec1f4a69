//! All sixteen, by a table that was written by hand.

use degradation::{Level, LevelRules, Mode, Snapshot};

use crate::house::{House, SECOND};

use Level::{Critical, Degraded, Normal};
use Mode::{Full, Minimal, ReadOnly};

/// What is down, by first letter · score · level by the score alone · level that hysteresis settles
/// at, coming from all four down · mode · flags.
type Row = (&'static str, u8, Level, Level, Mode, &'static [&'static str]);

#[rustfmt::skip]
const TABLE: [Row; 16] = [
    ("",     100, Normal,   Normal,   Full,     &[]),
    ("s",     95, Normal,   Normal,   Full,     &["queue_uploads"]),
    ("r",     85, Normal,   Normal,   Full,     &["cache_fallback"]),
    ("rs",    80, Normal,   Normal,   Full,     &["cache_fallback", "queue_uploads"]),
    ("o",     70, Normal,   Normal,   Full,     &["plain_answers"]),
    ("os",    65, Normal,   Normal,   Full,     &["plain_answers", "queue_uploads"]),
    ("or",    55, Degraded, Degraded, Full,     &["cache_fallback", "plain_answers"]),
    ("ors",   50, Degraded, Degraded, Full,     &["cache_fallback", "plain_answers", "queue_uploads"]),
    ("d",     50, Degraded, Degraded, Full,     &[]),
    ("ds",    45, Degraded, Degraded, Full,     &["queue_uploads"]),
    ("dr",    35, Degraded, Degraded, Full,     &["cache_fallback"]),
    ("drs",   30, Degraded, Critical, Minimal,  &["cache_fallback", "queue_uploads"]),
    ("do",    20, Critical, Critical, Full,     &["plain_answers"]),
    ("dos",   15, Critical, Critical, Full,     &["plain_answers", "queue_uploads"]),
    ("dor",    5, Critical, Critical, Full,     &["cache_fallback", "plain_answers"]),
    ("dors",   0, Critical, Critical, ReadOnly, &["cache_fallback", "plain_answers", "queue_uploads"]),
];

/// All but the level.
fn check(snapshot: &Snapshot, down: &str, score: u8, mode: Mode, flags: &[&str]) {
    assert_eq!((snapshot.score, snapshot.mode), (score, mode), "{down}");
    assert_eq!(snapshot.flags.iter().collect::<Vec<_>>(), flags, "{down}");
    let can = [
        snapshot.can_write_database(),
        snapshot.can_generate(),
        snapshot.can_cache(),
        snapshot.can_store_objects(),
    ];
    assert_eq!(can, ["d", "o", "r", "s"].map(|letter| !down.contains(letter)), "{down}");
}

#[tokio::test(start_paused = true)]
async fn each_set_of_what_is_down_gives_the_score_level_mode_and_flags_of_the_table() {
    for (down, score, level, _, mode, flags) in TABLE {
        let house = House::new("", LevelRules::exact());
        house.down(down);
        let snapshot = house.after(SECOND / 100).await;
        assert_eq!(snapshot.level, level, "{down}");
        check(&snapshot, down, score, mode, flags);
    }
}

#[tokio::test(start_paused = true)]
async fn coming_from_all_four_down_the_level_settles_as_in_the_table() {
    for (down, score, _, settled, mode, flags) in TABLE {
        let house = House::new("dors", LevelRules::default());
        assert_eq!(house.manager.snapshot().level, Critical);
        house.down(down);
        let snapshot = house.after(SECOND / 100).await;
        check(&snapshot, down, score, mode, flags);
        assert_eq!(snapshot.level, Critical, "a better level waits: {down}");
        let snapshot = house.after(60 * SECOND).await;
        assert_eq!(snapshot.level, settled, "{down}");
        assert_eq!(house.after(600 * SECOND).await.level, settled, "and stays: {down}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_in_each_state_is_told_without_waiting() {
    for (down, score, level, _, mode, flags) in TABLE {
        let snapshot = House::new(down, LevelRules::default()).manager.snapshot();
        assert_eq!(snapshot.level, level, "{down}");
        check(&snapshot, down, score, mode, flags);
    }
}
