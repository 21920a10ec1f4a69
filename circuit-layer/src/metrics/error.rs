//! Why there is no recorder, or nothing to scrape.

use std::error::Error;
use std::fmt;

/// Why a [`Recorder`](super::Recorder) could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecorderError {
    /// A living instance of the family has this name already.
    NameTaken {
        /// The prefix of the family.
        prefix: &'static str,
        /// The name; None if both are unnamed.
        name: Option<String>,
    },
    /// The prefix is in use for a family with other operations, error types or buckets.
    FamilyDiffers {
        /// The prefix.
        prefix: &'static str,
    },
}

impl fmt::Display for RecorderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken { prefix, name: Some(name) } => {
                write!(f, "another {prefix} instance is recorded under the name {name:?}")
            }
            Self::NameTaken { prefix, name: None } => {
                write!(f, "another {prefix} instance is recorded without a name")
            }
            Self::FamilyDiffers { prefix } => {
                write!(f, "the prefix {prefix} is in use for a different family of metrics")
            }
        }
    }
}

impl Error for RecorderError {}

/// Why an [`Exporter`](super::Exporter) could not be made or read. The cause is its `source()`.
#[derive(Debug)]
pub struct ExporterError {
    failed: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl ExporterError {
    pub(super) fn new(failed: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self { failed, source: Box::new(source) }
    }
}

impl fmt::Display for ExporterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.failed)
    }
}

impl Error for ExporterError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
