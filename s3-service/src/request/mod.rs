//! What can be asked of S3, as values that a tower stack can carry.

mod copy;
mod download;
mod list;
mod upload;

pub use copy::CopyObject;
pub use download::Download;
pub use list::List;
pub use upload::Upload;

pub(crate) use upload::Attributes;

use crate::operation::Operation;

/// A request to one bucket.
#[non_exhaustive]
#[derive(Debug)]
pub enum S3Request {
    /// Store an object.
    Upload(Upload),
    /// Read an object.
    Download(Download),
    /// Remove an object; one that is not there is removed too.
    Delete {
        /// The object's key.
        key: String,
    },
    /// One page of keys.
    List(List),
    /// An object's properties.
    Head {
        /// The object's key.
        key: String,
    },
    /// Copy an object within S3.
    Copy(CopyObject),
    /// Is the bucket there, and are we let in: `HeadBucket`.
    HealthCheck,
}

impl S3Request {
    /// Which operation it is.
    #[must_use]
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Upload(_) => Operation::Upload,
            Self::Download(_) => Operation::Download,
            Self::Delete { .. } => Operation::Delete,
            Self::List(_) => Operation::List,
            Self::Head { .. } => Operation::Head,
            Self::Copy(_) => Operation::Copy,
            Self::HealthCheck => Operation::HealthCheck,
        }
    }

    /// The same request again, for layers that repeat: `None` for an upload whose stream can be
    /// read only once.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        Some(match self {
            Self::Upload(upload) => Self::Upload(upload.try_clone()?),
            Self::Download(download) => Self::Download(download.clone()),
            Self::Delete { key } => Self::Delete { key: key.clone() },
            Self::List(list) => Self::List(list.clone()),
            Self::Head { key } => Self::Head { key: key.clone() },
            Self::Copy(copy) => Self::Copy(copy.clone()),
            Self::HealthCheck => Self::HealthCheck,
        })
    }
}
