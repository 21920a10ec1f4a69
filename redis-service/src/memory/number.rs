//! Numbers as Redis reads and writes them.

use bytes::Bytes;

use super::link::Refusal;

/// An integer of a value or an argument.
pub(super) fn integer(word: &Bytes) -> Result<i64, Refusal> {
    let text = std::str::from_utf8(word).ok().filter(|text| !text.starts_with('+'));
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| "ERR value is not an integer or out of range".to_owned())
}

/// A score; `inf` is one, `nan` is not.
pub(super) fn score(word: &Bytes) -> Result<f64, Refusal> {
    let number = std::str::from_utf8(word).ok().and_then(|text| text.parse().ok());
    number
        .filter(|score: &f64| !score.is_nan())
        .ok_or_else(|| "ERR value is not a valid float".to_owned())
}

/// The part of `0..len` from `start` to `stop`, both included, negative ones counted from the end.
pub(super) fn range(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let from_end = |at: i64| {
        let back = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
        if at < 0 { len.checked_sub(back) } else { Some(back) }
    };
    let start = from_end(start).unwrap_or(0);
    let stop = from_end(stop).map_or(0, |stop| stop.saturating_add(1)).min(len);
    start.min(stop)..stop
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_may_begin_and_end_anywhere() {
        for (start, stop, expected) in [
            (0, -1, 0..3),
            (-2, -1, 1..3),
            (-100, 1, 0..2),
            (1, 100, 1..3),
            (2, 1, 2..2),
            (5, 9, 3..3),
            (0, -4, 0..0),
            (i64::MIN, i64::MAX, 0..3),
        ] {
            assert_eq!(range(start, stop, 3), expected, "{start} {stop}");
        }
        assert_eq!(range(0, -1, 0), 0..0);
    }
}
