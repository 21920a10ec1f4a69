//! The names of the operations.

use serde::Serialize;

/// The operations, and what metrics call them.
///
/// Exhaustive: the label's values are a closed set.
#[expect(clippy::exhaustive_enums, reason = "the label's closed set")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Store an object.
    Upload,
    /// Read an object.
    Download,
    /// Remove an object.
    Delete,
    /// One page of keys.
    List,
    /// An object's properties.
    Head,
    /// Copy an object within S3.
    Copy,
    /// Is the bucket there: `HeadBucket`.
    HealthCheck,
    /// Any other call of the SDK.
    Other,
}

impl Operation {
    /// Every operation, in the order of [`Operation::index`].
    pub const ALL: [Self; 8] = [
        Self::Upload,
        Self::Download,
        Self::Delete,
        Self::List,
        Self::Head,
        Self::Copy,
        Self::HealthCheck,
        Self::Other,
    ];

    /// The label values, in the order of [`Operation::index`].
    pub const LABELS: [&'static str; 8] =
        ["upload", "download", "delete", "list", "head", "copy", "health_check", "other"];

    /// The label value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Download => "download",
            Self::Delete => "delete",
            Self::List => "list",
            Self::Head => "head",
            Self::Copy => "copy",
            Self::HealthCheck => "health_check",
            Self::Other => "other",
        }
    }

    /// Its place in [`Operation::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        Self::ALL.iter().position(|other| *other == self).unwrap_or(Self::ALL.len())
    }
}
