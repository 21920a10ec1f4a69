//! How much a request matters, and whether it changes anything.
//!
//! To shed load well one must know what to shed. The four classes are those of Google's SRE book
//! (chapter 21, "Handling Overload"); in what order they go is [`admission`](crate::admission)'s
//! business. Whether a request writes is asked apart, because a service without its stores can
//! still show what it remembers and must not pretend to save.

use std::fmt;

/// How much a request matters. What matters more is greater.
///
/// Exhaustive: the table of what is shed is built on there being four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Criticality {
    /// Often unavailable without harm: prefetches, reports, batch work.
    Sheddable,
    /// Can wait a while: a search suggestion, a retried batch.
    SheddablePlus,
    /// Users see it fail. What is not classified is this.
    #[default]
    Critical,
    /// Without it there is no service: sign-in, checkout.
    CriticalPlus,
}

impl Criticality {
    /// The name as it appears in logs and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::SheddablePlus => "sheddable-plus",
            Self::Critical => "critical",
            Self::CriticalPlus => "critical-plus",
        }
    }
}

impl fmt::Display for Criticality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a request changes anything.
///
/// Exhaustive: it does or it does not. What is unknown counts as a write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Access {
    /// It only reads.
    Read,
    /// It writes, or may.
    #[default]
    Write,
}

impl Access {
    /// What an HTTP method promises: the safe methods of RFC 9110 section 9.2.1 read, all else may
    /// write. Every gRPC call is a POST, so a gRPC method that only reads must be listed.
    #[must_use]
    pub fn of(method: &http::Method) -> Self {
        if method.is_safe() { Self::Read } else { Self::Write }
    }
}

/// The class of a request. The layer puts it into the request's extensions.
///
/// Exhaustive: it is made by [`read`](Self::read) and [`write`](Self::write) or by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[expect(clippy::exhaustive_structs, reason = "see above")]
pub struct Class {
    /// How much it matters.
    pub criticality: Criticality,
    /// Whether it writes.
    pub access: Access,
}

impl Class {
    /// A request of this criticality that only reads.
    #[must_use]
    pub const fn read(criticality: Criticality) -> Self {
        Self { criticality, access: Access::Read }
    }

    /// A request of this criticality that writes.
    #[must_use]
    pub const fn write(criticality: Criticality) -> Self {
        Self { criticality, access: Access::Write }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    #[test]
    fn safe_methods_read_and_all_others_may_write() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            assert_eq!(Access::of(&method), Access::Read);
        }
        let purge = Method::from_bytes(b"PURGE").unwrap();
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, purge] {
            assert_eq!(Access::of(&method), Access::Write);
        }
    }

    #[test]
    fn what_is_not_classified_is_a_critical_write() {
        assert_eq!(Class::default(), Class::write(Criticality::Critical));
    }
}
