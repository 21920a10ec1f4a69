//! Numbers as people read them.

use std::time::Duration;

/// What is not known.
pub(crate) const NONE: &str = "–";

/// `12 s`, `3 min 5 s`, `2 h 10 min`.
pub(crate) fn lasting(millis: u64) -> String {
    let seconds = Duration::from_millis(millis).as_secs();
    let (minutes, hours) = (seconds.div_euclid(60), seconds.div_euclid(3_600));
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {} s", seconds % 60),
        _ => format!("{hours} h {} min", minutes % 60),
    }
}

/// `1.6 ms`, `740 ms`, `4.1 s`.
pub(crate) fn millis(value: f64) -> String {
    match value {
        value if value >= 1_000.0 => format!("{:.1} s", value / 1_000.0),
        value if value >= 10.0 => format!("{value:.0} ms"),
        value => format!("{value:.1} ms"),
    }
}

/// A part of 1 in percent.
pub(crate) fn percent(part: f64) -> String {
    let percent = part * 100.0;
    if percent > 0.0 && percent < 10.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

/// `12 B`, `700.0 MiB`.
pub(crate) fn bytes(value: u64) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.into_iter().find(|(shift, _)| value >> shift > 0) {
        Some((shift, unit)) => {
            let tenths = u128::from(value).saturating_mul(10) >> shift;
            format!("{}.{} {unit}", tenths.div_euclid(10), tenths % 10)
        }
        None => format!("{value} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_have_units() {
        assert_eq!(
            [0, 59_999, 60_000, 3_725_000].map(lasting),
            ["0 s", "59 s", "1 min 0 s", "1 h 2 min"]
        );
        assert_eq!(
            [1.64, 9.96, 740.2, 4_120.0].map(millis),
            ["1.6 ms", "10.0 ms", "740 ms", "4.1 s"]
        );
        assert_eq!([0.0, 0.004, 0.18, 1.0].map(percent), ["0 %", "0.4 %", "18 %", "100 %"]);
        assert_eq!(
            [0, 1_023, 1_024, 734_003_200].map(bytes),
            ["0 B", "1023 B", "1.0 KiB", "700.0 MiB"]
        );
        assert_eq!(bytes(u64::MAX), "16777215.9 TiB");
    }
}
