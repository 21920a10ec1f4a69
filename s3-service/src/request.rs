//! What can be asked of S3, as values that a tower stack can carry.

use std::collections::HashMap;

use aws_sdk_s3::primitives::{ByteStream, SdkBody};

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

/// Store an object.
///
/// The body is bytes in memory, or a stream: of a file
/// ([`ByteStream::from_path`](aws_sdk_s3::primitives::ByteStream::from_path)), or of anything. A
/// stream that can be read only once is never retried.
#[derive(Debug)]
pub struct Upload {
    pub(crate) key: String,
    pub(crate) body: SdkBody,
    pub(crate) content_type: Option<String>,
    pub(crate) metadata: HashMap<String, String>,
}

impl Upload {
    /// Store `body` under `key`.
    #[must_use]
    pub fn new(key: impl Into<String>, body: impl Into<ByteStream>) -> Self {
        Self {
            key: key.into(),
            body: body.into().into_inner(),
            content_type: None,
            metadata: HashMap::new(),
        }
    }

    /// The object's media type.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// One entry of the object's own metadata (`x-amz-meta-…`); S3 folds names to lower case.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.insert(name.into(), value.into());
        self
    }

    /// The same upload again; `None` if its stream can be read only once.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        Some(Self {
            key: self.key.clone(),
            body: self.body.try_clone()?,
            content_type: self.content_type.clone(),
            metadata: self.metadata.clone(),
        })
    }
}

/// Read an object, or a range of it.
#[derive(Clone, Debug)]
pub struct Download {
    pub(crate) key: String,
    pub(crate) range: Option<String>,
}

impl Download {
    /// Read the object under `key`.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), range: None }
    }

    /// Only the bytes from `first` to `last`, both included.
    #[must_use]
    pub fn range(mut self, first: u64, last: u64) -> Self {
        self.range = Some(format!("bytes={first}-{last}"));
        self
    }
}

impl From<&str> for Download {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for Download {
    fn from(key: String) -> Self {
        Self::new(key)
    }
}

/// One page of keys, in their order.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub(crate) prefix: Option<String>,
    pub(crate) delimiter: Option<String>,
    pub(crate) max_keys: Option<i32>,
    pub(crate) after: Option<String>,
}

impl List {
    /// The first page of all keys; S3 gives at most 1000 at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only keys that begin so.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Rolls keys up to the next `delimiter` into [`Page::prefixes`](crate::Page::prefixes).
    #[must_use]
    pub fn delimiter(mut self, delimiter: impl Into<String>) -> Self {
        self.delimiter = Some(delimiter.into());
        self
    }

    /// At most this many keys in the page.
    #[must_use]
    pub fn max_keys(mut self, keys: u16) -> Self {
        self.max_keys = Some(i32::from(keys));
        self
    }

    /// The page that follows the one whose [`Page::next`](crate::Page::next) this is.
    #[must_use]
    pub fn after(mut self, next: impl Into<String>) -> Self {
        self.after = Some(next.into());
        self
    }
}

/// Copy an object within S3; its metadata and media type go with it unless replaced.
#[derive(Clone, Debug)]
pub struct CopyObject {
    pub(crate) source_key: String,
    pub(crate) destination_key: String,
    pub(crate) source_bucket: Option<String>,
    pub(crate) destination_bucket: Option<String>,
    pub(crate) replacement: Option<Replacement>,
}

#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    pub(crate) content_type: Option<String>,
    pub(crate) metadata: HashMap<String, String>,
}

impl CopyObject {
    /// Copy within the service's own bucket.
    #[must_use]
    pub fn new(source_key: impl Into<String>, destination_key: impl Into<String>) -> Self {
        Self {
            source_key: source_key.into(),
            destination_key: destination_key.into(),
            source_bucket: None,
            destination_bucket: None,
            replacement: None,
        }
    }

    /// The source is in another bucket.
    #[must_use]
    pub fn source_bucket(mut self, bucket: impl Into<String>) -> Self {
        self.source_bucket = Some(bucket.into());
        self
    }

    /// The destination is in another bucket.
    #[must_use]
    pub fn destination_bucket(mut self, bucket: impl Into<String>) -> Self {
        self.destination_bucket = Some(bucket.into());
        self
    }

    /// The copy gets this media type and metadata in place of the source's.
    #[must_use]
    pub fn replace_metadata(
        mut self,
        content_type: Option<String>,
        metadata: HashMap<String, String>,
    ) -> Self {
        self.replacement = Some(Replacement { content_type, metadata });
        self
    }
}
