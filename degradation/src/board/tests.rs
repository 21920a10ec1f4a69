use std::time::Duration;

use super::*;
use crate::health::Status;
use crate::mode::Flags;

const START: Moment = Moment::from_nanos(86_400_000_000_000);
const WEIGHTS: [(&str, u8); 4] = [("database", 50), ("openai", 30), ("redis", 15), ("s3", 5)];

fn at(millis: u64) -> Time {
    let passed = Duration::from_millis(millis);
    Time { now: START + passed, unix: Duration::from_secs(1_000) + passed }
}

/// Four dependencies; those whose first letter is in `down` are down from the start.
fn board(levels: LevelRules, down: &str) -> Board {
    let health = |name: &str| match name.chars().next().is_some_and(|first| down.contains(first)) {
        true => Health::down(),
        false => Health::up(100),
    };
    let dependencies = WEIGHTS.map(|(name, weight)| (Arc::from(name), weight, health(name)));
    Board::new(ModeRules::default(), levels, dependencies, START)
}

#[test]
fn all_sixteen_combinations_give_the_specified_level_and_mode_as_one_snapshot() {
    for set in 0_u8..16 {
        let down: String = ["d", "o", "r", "s"]
            .iter()
            .enumerate()
            .filter(|(bit, _)| set & (1 << bit) != 0)
            .map(|(_, letter)| *letter)
            .collect();
        let snapshot = board(LevelRules::exact(), &down).evaluate(at(0), None).snapshot;
        let lost = WEIGHTS.map(|(name, weight)| if snapshot.is_down(name) { weight } else { 0 });
        let score = 100 - lost.iter().sum::<u8>();
        let level = match score {
            60.. => Level::Normal,
            30..60 => Level::Degraded,
            _ => Level::Critical,
        };
        let mode = match down.as_str() {
            "drs" => Mode::Minimal,
            "dors" => Mode::ReadOnly,
            _ => Mode::Full,
        };
        assert_eq!((snapshot.score, snapshot.level, snapshot.mode), (score, level, mode), "{down}");
        assert_eq!(snapshot.flags.cache_fallback(), down.contains('r'), "{down}");
        assert_eq!(snapshot.flags.queue_uploads(), down.contains('s'), "{down}");
        assert_eq!(snapshot.flags.plain_answers(), down.contains('o'), "{down}");
        assert_eq!(snapshot.can_generate(), !down.contains('o'), "{down}");
        assert_eq!(snapshot.can_store_objects(), !down.contains('s'), "{down}");
        assert_eq!(snapshot.can_cache(), !down.contains('r'), "{down}");
        assert_eq!(snapshot.can_write_database(), !down.contains('d'), "{down}");
    }
}

#[test]
fn the_database_redis_and_s3_down_is_degraded_by_score_and_minimal_by_mode() {
    let snapshot = board(LevelRules::exact(), "drs").evaluate(at(0), None).snapshot;
    assert_eq!(
        (snapshot.score, snapshot.level, snapshot.mode),
        (30, Level::Degraded, Mode::Minimal)
    );
}

#[test]
fn the_mode_changes_at_once_and_the_level_after_its_dwell() {
    let mut board = board(LevelRules::default(), "");
    let _first = board.evaluate(at(0), None);
    for index in [0, 2, 3] {
        board.hear(index, Health::down(), START);
    }
    let snapshot = board.evaluate(at(0), None).snapshot;
    assert_eq!((snapshot.level, snapshot.mode), (Level::Normal, Mode::Minimal));
    assert_eq!(board.deadline(), Some(at(1_000).now));
    let found = board.evaluate(at(1_000), None);
    assert_eq!(found.snapshot.level, Level::Degraded);
    let change = found.change.expect("the level changed");
    assert_eq!(change.level, (Level::Normal, Level::Degraded));
    assert_eq!(change.mode, (Mode::Minimal, Mode::Minimal));
    assert_eq!(&*change.cause, "score 30: database down, redis down, s3 down");
}

#[test]
fn nothing_new_gives_the_same_snapshot_and_no_change() {
    let mut board = board(LevelRules::default(), "r");
    let first = board.evaluate(at(0), None);
    let again = board.evaluate(at(500), None);
    assert!(Arc::ptr_eq(&first.snapshot, &again.snapshot));
    assert!(!again.is_new && again.change.is_none());
}

#[test]
fn a_wait_that_is_told_again_is_not_news() {
    let mut board = board(LevelRules::default(), "");
    let wait = |millis| Health::down().retry_after(Duration::from_millis(millis));
    board.hear(2, wait(60_000), START);
    let first = board.evaluate(at(0), None).snapshot;
    board.hear(2, wait(59_001), at(1_000).now);
    assert!(!board.evaluate(at(1_000), None).is_new, "the deadline moved by a millisecond");
    board.hear(2, wait(59_001), at(2_000).now);
    assert!(board.evaluate(at(2_000), None).is_new, "the deadline moved by a second");
    assert_eq!(first.retry_after(START), Duration::from_secs(60));
}

#[test]
fn an_unknown_dependency_counts_as_it_was_last_known_and_at_first_as_well() {
    let mut board = board(LevelRules::exact(), "d");
    board.hear(0, Health::unknown().detail("no answer"), START);
    board.hear(1, Health::unknown(), START);
    let snapshot = board.evaluate(at(0), None).snapshot;
    assert_eq!(snapshot.score, 50);
    assert!(snapshot.is_down("database"));
    assert_eq!(snapshot.dependency("database").map(|d| d.status), Some(Status::Unknown));
    assert!(
        snapshot.cause.contains("database unknown, last down (no answer)"),
        "{}",
        snapshot.cause
    );

    let never_seen = [(Arc::from("search"), 100, Health::unknown())];
    let mut board = Board::new(ModeRules::empty(), LevelRules::exact(), never_seen, START);
    let snapshot = board.evaluate(at(0), None).snapshot;
    assert_eq!((snapshot.score, snapshot.is_down("search")), (100, false));
}

#[test]
fn an_order_is_enforced_and_visible_until_its_limit() {
    let mut board = board(LevelRules::default(), "");
    let _first = board.evaluate(at(0), None);
    board.force_level(Level::Critical, "a rehearsal", Some(Duration::from_secs(60)), at(0));
    board.force_mode(Mode::ReadOnly, "moving the disks", None, at(0));
    let forced = board.evaluate(at(0), None).snapshot;
    assert_eq!((forced.level, forced.mode), (Level::Critical, Mode::ReadOnly));
    assert_eq!((forced.observed_level, forced.observed_mode), (Level::Normal, Mode::Full));
    assert!(!forced.can_write_database(), "read-only means that nothing is written");
    assert_eq!(forced.forced_level.as_ref().and_then(|order| order.until_unix_ms), Some(1_060_000));
    assert_eq!(
        &*forced.cause,
        "level forced to critical: a rehearsal; mode forced to read_only: moving the disks; \
         score 100: all dependencies are up"
    );
    assert_eq!(board.deadline(), Some(at(60_000).now));
    let over = board.evaluate(at(60_000), None).snapshot;
    assert_eq!((over.level, over.mode), (Level::Normal, Mode::ReadOnly));
    assert!(over.cause.starts_with("the forced level ran out; mode forced"), "{}", over.cause);
    board.release("done", at(61_000));
    let released = board.evaluate(at(61_000), Some("released: done")).snapshot;
    assert_eq!((released.mode, &released.forced_mode), (Mode::Full, &None));
}

#[test]
fn a_drill_acts_as_an_outage_shows_what_is_true_and_ends_by_itself() {
    let mut board = board(LevelRules::default(), "");
    let _first = board.evaluate(at(0), None);
    assert!(board.drill("redis", "game day", Duration::from_secs(30), at(0)));
    let drilled = board.evaluate(at(0), None).snapshot;
    assert_eq!((drilled.score, drilled.flags.cache_fallback()), (85, true));
    let redis = drilled.dependency("redis").expect("it exists");
    assert_eq!((redis.down, redis.status), (true, Status::Up));
    assert_eq!(&*drilled.cause, "score 85: redis down (drill: game day)");
    let over = board.evaluate(at(30_000), None);
    assert_eq!((over.snapshot.score, &over.snapshot.flags), (100, &Flags::default()));
    assert!(
        over.change.is_some_and(|change| change.cause.starts_with("the drill of redis is over"))
    );
    assert!(!board.drill("kafka", "x", Duration::from_secs(1), at(0)));
}

#[test]
fn a_start_in_trouble_is_a_change_from_a_service_with_nothing_amiss() {
    assert!(board(LevelRules::default(), "").evaluate(at(0), None).change.is_none());
    let change = board(LevelRules::default(), "dors").evaluate(at(0), None).change;
    let change = change.expect("a start in trouble is told");
    assert_eq!(change.level, (Level::Normal, Level::Critical));
    assert_eq!(change.mode, (Mode::Full, Mode::ReadOnly));
}

#[test]
fn the_wait_told_is_the_nearest_probe_then_the_nearest_change_then_five_seconds() {
    let mut board = board(LevelRules::default(), "");
    assert_eq!(board.evaluate(at(0), None).snapshot.retry_after(START), Duration::from_secs(5));
    board.force_level(Level::Critical, "x", Some(Duration::from_secs(40)), at(0));
    let forced = board.evaluate(at(0), None).snapshot;
    assert_eq!(forced.retry_after(START), Duration::from_secs(40));
    board.hear(0, Health::down().retry_after(Duration::from_secs(30)), START);
    board.hear(2, Health::down().retry_after(Duration::from_secs(20)), START);
    let down = board.evaluate(at(0), None).snapshot;
    assert_eq!(down.retry_after(START), Duration::from_secs(20));
    assert_eq!(
        down.retry_after(at(19_900).now),
        Duration::from_secs(1),
        "never less than a second"
    );
    assert_eq!(down.retry_after(at(90_000).now), Duration::from_secs(1));
}
