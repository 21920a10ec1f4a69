//! Who still passes.
//!
//! Level and mode each have a row, and a request passes only if **both** rows let it: the level
//! knows how bad it is, the mode what is gone.
//!
//! | | sheddable | sheddable-plus | critical | critical-plus | writes |
//! | --- | --- | --- | --- | --- | --- |
//! | Normal | pass | pass | pass | pass | pass |
//! | Degraded | shed | pass | pass | pass | pass |
//! | Critical | shed | shed | pass | pass | pass |
//! | Minimal | shed | shed | shed | pass | pass |
//! | ReadOnly | shed | shed | shed | pass | rejected, each class |

use crate::class::{Access, Class, Criticality};
use crate::level::Level;
use crate::mode::Mode;

/// What becomes of a request.
///
/// Exhaustive: the table has three entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Admission {
    /// It is served.
    Pass,
    /// It matters less than what the service can still do.
    Shed,
    /// It writes, and nothing can be written.
    WriteRejected,
}

/// The table. Pure.
#[must_use]
pub fn admit(level: Level, mode: Mode, class: Class) -> Admission {
    if mode == Mode::ReadOnly && class.access == Access::Write {
        Admission::WriteRejected
    } else if class.criticality < least(level, mode) {
        Admission::Shed
    } else {
        Admission::Pass
    }
}

/// Whether the table lets everything pass.
#[must_use]
pub const fn admits_all(level: Level, mode: Mode) -> bool {
    matches!((level, mode), (Level::Normal, Mode::Full))
}

/// The least criticality that passes: the stricter of both rows.
fn least(level: Level, mode: Mode) -> Criticality {
    let by_level = match level {
        Level::Normal => Criticality::Sheddable,
        Level::Degraded => Criticality::SheddablePlus,
        Level::Critical => Criticality::Critical,
    };
    let by_mode = match mode {
        Mode::Full => Criticality::Sheddable,
        Mode::Minimal | Mode::ReadOnly => Criticality::CriticalPlus,
    };
    by_level.max(by_mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLASSES: [Criticality; 4] = [
        Criticality::Sheddable,
        Criticality::SheddablePlus,
        Criticality::Critical,
        Criticality::CriticalPlus,
    ];
    const LEVELS: [Level; 3] = [Level::Normal, Level::Degraded, Level::Critical];
    const MODES: [Mode; 3] = [Mode::Full, Mode::Minimal, Mode::ReadOnly];

    /// A row of the table: one letter for each class (p pass, s shed, w write rejected).
    fn row(level: Level, mode: Mode, access: Access) -> String {
        let letter = |criticality| match admit(level, mode, Class { criticality, access }) {
            Admission::Pass => 'p',
            Admission::Shed => 's',
            Admission::WriteRejected => 'w',
        };
        CLASSES.into_iter().map(letter).collect()
    }

    #[test]
    fn each_row_is_as_in_the_table() {
        for access in [Access::Read, Access::Write] {
            assert_eq!(row(Level::Normal, Mode::Full, access), "pppp");
            assert_eq!(row(Level::Degraded, Mode::Full, access), "sppp");
            assert_eq!(row(Level::Critical, Mode::Full, access), "sspp");
            assert_eq!(row(Level::Normal, Mode::Minimal, access), "sssp");
        }
        assert_eq!(row(Level::Normal, Mode::ReadOnly, Access::Read), "sssp");
        assert_eq!(row(Level::Normal, Mode::ReadOnly, Access::Write), "wwww");
    }

    #[test]
    fn a_request_passes_only_if_the_level_row_and_the_mode_row_both_let_it() {
        for (level, mode) in LEVELS.into_iter().flat_map(|l| MODES.map(|m| (l, m))) {
            for access in [Access::Read, Access::Write] {
                let alone = (row(level, Mode::Full, access), row(Level::Normal, mode, access));
                let both = row(level, mode, access);
                for (found, (one, other)) in both.chars().zip(alone.0.chars().zip(alone.1.chars()))
                {
                    assert_eq!(found == 'p', one == 'p' && other == 'p', "{level} {mode}");
                }
            }
        }
    }

    #[test]
    fn everything_passes_in_normal_and_full_alone() {
        for (level, mode) in LEVELS.into_iter().flat_map(|l| MODES.map(|m| (l, m))) {
            let all = row(level, mode, Access::Write) == "pppp";
            assert_eq!(admits_all(level, mode), all, "{level} {mode}");
        }
    }
}
