//! From the set of what is down to what is still offered.
//!
//! A score hides which dependency is gone: without Redis it is 85, which is normal, and yet every
//! handler wants to know that the cache is local now. And it blurs combinations: database, Redis
//! and S3 down leave exactly 30, which is merely degraded, although next to nothing works. So
//! besides the level there is a [`Mode`], with [`Flags`], computed from the *set* of what is down
//! by a table of rules. A rule applies when all its names are down; the strictest mode wins.
//!
//! | down, at least | gives |
//! | --- | --- |
//! | redis | flag `cache_fallback` |
//! | s3 | flag `queue_uploads` |
//! | openai | flag `plain_answers` |
//! | database, redis, s3 | [`Mode::Minimal`] |
//! | database, openai, redis, s3 | [`Mode::ReadOnly`] |
//!
//! Modes change at once, in both directions: a breaker has already judged before a name is down.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// What the service offers. A stricter mode is a greater one.
///
/// Exhaustive: the table of what is shed in which mode is built on there being three.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Mode {
    /// Everything, with the flags telling what is replaced.
    #[default]
    Full,
    /// Critical-plus requests alone.
    Minimal,
    /// Critical-plus requests that only read.
    ReadOnly,
}

impl Mode {
    /// The name as it appears in logs and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Minimal => "minimal",
            Self::ReadOnly => "read_only",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The names of the replacements in use, such as `cache_fallback`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Flags(BTreeSet<Arc<str>>);

impl Flags {
    /// Reads are answered from the memory of this process: Redis is down.
    pub const CACHE_FALLBACK: &'static str = "cache_fallback";
    /// Uploads are queued on disk: S3 is down.
    pub const QUEUE_UPLOADS: &'static str = "queue_uploads";
    /// Answers come without a model: the LLM API is down.
    pub const PLAIN_ANSWERS: &'static str = "plain_answers";

    /// Whether the flag of this name is set.
    #[must_use]
    pub fn contains(&self, flag: &str) -> bool {
        self.0.contains(flag)
    }

    /// Whether [`CACHE_FALLBACK`](Self::CACHE_FALLBACK) is set.
    #[must_use]
    pub fn cache_fallback(&self) -> bool {
        self.contains(Self::CACHE_FALLBACK)
    }

    /// Whether [`QUEUE_UPLOADS`](Self::QUEUE_UPLOADS) is set.
    #[must_use]
    pub fn queue_uploads(&self) -> bool {
        self.contains(Self::QUEUE_UPLOADS)
    }

    /// Whether [`PLAIN_ANSWERS`](Self::PLAIN_ANSWERS) is set.
    #[must_use]
    pub fn plain_answers(&self) -> bool {
        self.contains(Self::PLAIN_ANSWERS)
    }

    /// Whether no flag is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }
}

#[derive(Clone, Debug)]
struct Rule {
    down: BTreeSet<Arc<str>>,
    gives: Gives,
}

#[derive(Clone, Debug)]
enum Gives {
    Flag(Arc<str>),
    Mode(Mode),
}

/// The table that turns a set of names into a mode and flags.
///
/// ```
/// use degradation::{Mode, ModeRules};
///
/// let rules = ModeRules::empty()
///     .flag(&["search"], "plain_listing")
///     .mode(&["database"], Mode::ReadOnly);
/// let (mode, flags) = rules.decide(&["search"]);
/// assert_eq!(mode, Mode::Full);
/// assert!(flags.contains("plain_listing"));
/// ```
#[derive(Clone, Debug)]
pub struct ModeRules {
    rules: Vec<Rule>,
    /// The default table names four dependencies, of which a service may have fewer.
    pub(crate) names_must_exist: bool,
}

impl Default for ModeRules {
    /// The table at the head of this module.
    fn default() -> Self {
        let table = Self::empty()
            .flag(&["redis"], Flags::CACHE_FALLBACK)
            .flag(&["s3"], Flags::QUEUE_UPLOADS)
            .flag(&["openai"], Flags::PLAIN_ANSWERS)
            .mode(&["database", "redis", "s3"], Mode::Minimal)
            .mode(&["database", "openai", "redis", "s3"], Mode::ReadOnly);
        Self { names_must_exist: false, ..table }
    }
}

impl ModeRules {
    /// No rules: always full, without flags.
    #[must_use]
    pub const fn empty() -> Self {
        Self { rules: Vec::new(), names_must_exist: true }
    }

    /// Sets a flag while all of these are down.
    #[must_use]
    pub fn flag(self, down: &[&str], flag: &str) -> Self {
        self.rule(down, Gives::Flag(flag.into()))
    }

    /// Asks for at least this mode while all of these are down.
    #[must_use]
    pub fn mode(self, down: &[&str], mode: Mode) -> Self {
        self.rule(down, Gives::Mode(mode))
    }

    fn rule(mut self, down: &[&str], gives: Gives) -> Self {
        self.rules.push(Rule { down: down.iter().copied().map(Arc::from).collect(), gives });
        self
    }

    /// Mode and flags for what is down. Pure. A rule without names never applies.
    #[must_use]
    pub fn decide(&self, down: &[&str]) -> (Mode, Flags) {
        let mut mode = Mode::default();
        let mut flags = Flags::default();
        for rule in &self.rules {
            let applies = rule.down.iter().all(|name| down.contains(&name.as_ref()));
            if rule.down.is_empty() || !applies {
                continue;
            }
            match &rule.gives {
                Gives::Flag(flag) => drop(flags.0.insert(Arc::clone(flag))),
                Gives::Mode(asked) => mode = mode.max(*asked),
            }
        }
        (mode, flags)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| rule.down.iter().map(AsRef::as_ref))
    }
}

#[cfg(test)]
#[path = "mode_tests.rs"]
mod tests;
