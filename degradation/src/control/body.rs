//! What an order must say.

use std::time::Duration;

use serde::Deserialize;

use super::problem::Problem;
use crate::level::Level;
use crate::mode::Mode;
use crate::orders::BreakerOrder;

/// The longest reason: two lines of a page.
const LONGEST_REASON: usize = 500;

/// Why an order is given. Blank reasons tell nobody anything.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Reason(String);

impl Reason {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reason {
    type Error = &'static str;

    fn try_from(reason: String) -> Result<Self, Self::Error> {
        let reason = reason.trim();
        match reason.chars().count() {
            0 => Err("the reason is blank"),
            1..=LONGEST_REASON => Ok(Self(reason.to_owned())),
            _ => Err("the reason is longer than 500 characters"),
        }
    }
}

/// How long an order stands: a whole number of seconds, at least one.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
pub(super) struct Seconds(Duration);

impl TryFrom<u64> for Seconds {
    type Error = &'static str;

    fn try_from(seconds: u64) -> Result<Self, Self::Error> {
        if seconds == 0 {
            Err("an order of zero seconds")
        } else {
            Ok(Self(Duration::from_secs(seconds)))
        }
    }
}

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Self {
        seconds.0
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForceLevel {
    pub(super) level: Level,
    pub(super) reason: Reason,
    pub(super) seconds: Option<Seconds>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ForceMode {
    pub(super) mode: Mode,
    pub(super) reason: Reason,
    pub(super) seconds: Option<Seconds>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Drill {
    pub(super) reason: Reason,
    pub(super) seconds: Seconds,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Because {
    pub(super) reason: Reason,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderBreaker {
    order: BreakerOrderName,
    pub(super) reason: Reason,
    seconds: Option<Seconds>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum BreakerOrderName {
    ForceOpen,
    ForceClosed,
    Disable,
    ObserveOnly,
    Release,
    Reset,
}

impl OrderBreaker {
    /// The order. A release and a reset are done at once, so a limit is a misunderstanding.
    pub(super) fn order(&self) -> Result<BreakerOrder, Problem> {
        let limit = self.seconds.map(Duration::from);
        match self.order {
            BreakerOrderName::ForceOpen => Ok(BreakerOrder::ForceOpen(limit)),
            BreakerOrderName::ForceClosed => Ok(BreakerOrder::ForceClosed(limit)),
            BreakerOrderName::Disable => Ok(BreakerOrder::Disable(limit)),
            BreakerOrderName::ObserveOnly => Ok(BreakerOrder::ObserveOnly(limit)),
            BreakerOrderName::Release | BreakerOrderName::Reset if limit.is_some() => {
                Err(Problem::invalid("a release or a reset takes no seconds"))
            }
            BreakerOrderName::Release => Ok(BreakerOrder::Release),
            BreakerOrderName::Reset => Ok(BreakerOrder::Reset),
        }
    }
}

/// How many entries to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
    #[serde(default = "Listing::usual")]
    limit: usize,
}

impl Listing {
    const MOST: usize = 1_000;

    fn usual() -> usize {
        100
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.min(Self::MOST)
    }
}
