//! How many entries may be on their way at once, and how long one rests that came back.
//!
//! A service that has just come back dies of the whole backlog at once. So the drain begins with
//! one; each success allows one more, up to its limit; a failure begins anew. Pure.

use std::time::Duration;

use crate::error::S3Error;

use crate::classify::{ErrorType, Judgement};

/// The first rest; each further one is twice as long.
const SHORTEST: Duration = Duration::from_millis(250);

/// The longest: half of a breaker's default wait, so that a probe always finds an entry.
const LONGEST: Duration = Duration::from_secs(30);

/// How often an answer is waited out that may be of this entry alone: about three minutes.
const PATIENCE: u32 = 12;

/// The keys ran out or are gone, our clock is wrong, the bucket is elsewhere or nowhere. The S3 API
/// reference, "Error responses", has them as 301, 307, 400, 403 and 404.
const OF_ALL: [&str; 10] = [
    "ExpiredToken",
    "InvalidToken",
    "TokenRefreshRequired",
    "InvalidAccessKeyId",
    "RequestTimeTooSkewed",
    "RequestExpired",
    "AuthorizationHeaderMalformed",
    "PermanentRedirect",
    "TemporaryRedirect",
    "NoSuchBucket",
];

/// A digest that does not fit is of the way: the file is sound, or it would not have been sent.
const MAY_PASS: [&str; 4] =
    ["OperationAborted", "ConditionalRequestConflict", "BadDigest", "IncompleteBody"];

#[derive(Debug)]
pub(super) struct Pace {
    allowed: usize,
    limit: usize,
}

impl Pace {
    pub(super) const fn new(limit: usize) -> Self {
        Self { allowed: 1, limit }
    }

    pub(super) const fn allowed(&self) -> usize {
        self.allowed
    }

    pub(super) fn succeeded(&mut self) {
        self.allowed = self.limit.min(self.allowed + 1);
    }

    pub(super) const fn failed(&mut self) {
        self.allowed = 1;
    }
}

/// What becomes of an entry that S3 did not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// S3 was not asked: at the next occasion.
    Rejected,
    /// S3, or the way to it, failed: after a rest, as often as it takes.
    Failed,
    /// S3 refuses whatever comes, until somebody puts it right: as often as it takes, but others need
    /// not follow at once.
    Barred,
    /// S3 refused it for a reason that may pass: after a rest, but not for ever.
    Refused,
    /// S3 will never take it.
    Dead,
}

/// The table. `refusals` is how often S3 has refused the entry before.
pub(super) fn fate(error: &S3Error, refusals: u32) -> Fate {
    if error.rejected().is_some() {
        return Fate::Rejected;
    }
    let own_mistake = error.error_type() == Some(ErrorType::Client);
    match error.judgement() {
        Judgement::Failure => Fate::Failed,
        Judgement::Ignored if !own_mistake => Fate::Failed,
        Judgement::Ignored | Judgement::Success if is_of_all(error) => Fate::Barred,
        Judgement::Ignored | Judgement::Success if refusals < PATIENCE && may_pass(error) => {
            Fate::Refused
        }
        Judgement::Ignored | Judgement::Success => Fate::Dead,
    }
}

fn is_of_all(error: &S3Error) -> bool {
    matches!(error.status(), Some(301 | 307))
        || error.code().is_some_and(|code| OF_ALL.contains(&code))
}

/// A lost permission may be one for this key, a key of KMS may be this object's own.
fn may_pass(error: &S3Error) -> bool {
    matches!(error.status(), None | Some(401 | 403))
        || error.code().is_some_and(|code| MAY_PASS.contains(&code) || code.starts_with("KMS."))
}

/// How long an entry rests after it came back for the `attempts`-th time, from 0.
pub(super) fn rest(attempts: u32) -> Duration {
    SHORTEST.saturating_mul(2_u32.saturating_pow(attempts)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fate, PATIENCE, Pace, fate, rest};
    use crate::error::S3Error;

    #[test]
    fn concurrency_grows_from_one_to_its_limit_and_begins_anew_after_a_failure() {
        let mut pace = Pace::new(3);
        let mut seen = vec![pace.allowed()];
        for _ in 0..3 {
            pace.succeeded();
            seen.push(pace.allowed());
        }
        pace.failed();
        seen.push(pace.allowed());
        assert_eq!(seen, [1, 2, 3, 3, 1]);
    }

    #[test]
    fn rests_double_up_to_half_a_minute() {
        let rests: Vec<_> = [0, 1, 2, 7, 40].into_iter().map(rest).collect();
        assert_eq!(rests, [250, 500, 1000, 30_000, 30_000].map(Duration::from_millis));
    }

    #[test]
    fn what_s3_says_decides_what_becomes_of_an_entry() {
        let of = |status, code: &str, refusals| {
            fate(&S3Error::answer(status, code, "no".to_owned()), refusals)
        };
        for (status, code) in [
            (400, "ExpiredToken"),
            (403, "InvalidAccessKeyId"),
            (403, "RequestTimeTooSkewed"),
            (404, "NoSuchBucket"),
            (301, "PermanentRedirect"),
            (307, ""),
        ] {
            assert_eq!(of(status, code, 0), Fate::Barred, "{status} {code}");
            assert_eq!(of(status, code, 1_000), Fate::Barred, "{status} {code}, for ever");
        }
        for (status, code) in [
            (401, ""),
            (403, "AccessDenied"),
            (400, "KMS.DisabledException"),
            (400, "BadDigest"),
            (409, "OperationAborted"),
            (409, "ConditionalRequestConflict"),
        ] {
            assert_eq!(of(status, code, PATIENCE - 1), Fate::Refused, "{status} {code}");
            assert_eq!(of(status, code, PATIENCE), Fate::Dead, "{status} {code}, not for ever");
        }
        for (status, code) in [(400, "InvalidDigest"), (412, "PreconditionFailed"), (409, "")] {
            assert_eq!(of(status, code, 0), Fate::Dead, "{status} {code}");
        }
        assert_eq!(of(503, "SlowDown", 1_000), Fate::Failed);
    }
}
