//! What S3 answers.

use std::collections::HashMap;
use std::time::SystemTime;

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;

use crate::error::S3Error;

/// The answer to an [`S3Request`](crate::S3Request), one variant for each.
#[non_exhaustive]
#[derive(Debug)]
pub enum S3Response {
    /// To an upload.
    Uploaded(Written),
    /// To a download.
    Downloaded(Downloaded),
    /// To a removal.
    Deleted(Written),
    /// To a listing.
    Listed(Page),
    /// To a question for an object's properties.
    Head(ObjectInfo),
    /// To a copy.
    Copied(Stored),
    /// To a health check.
    Healthy,
}

/// Where a write is now.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// S3 has it.
    Stored(Stored),
    /// The upload queue has it, durably; S3 gets it when it is back.
    #[cfg(feature = "spool")]
    Queued {
        /// The name of the entry.
        id: crate::EntryId,
    },
}

/// What S3 says of an object that it stored.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The entity tag, in its quotes; none after a removal.
    pub etag: Option<String>,
    /// The version, in a bucket that keeps versions.
    pub version_id: Option<String>,
}

/// An object on its way.
#[non_exhaustive]
#[derive(Debug)]
pub struct Downloaded {
    /// Its properties.
    pub info: ObjectInfo,
    /// Its bytes, as they come. The call is over, and recorded, when they are: a body that is
    /// dropped before its end is in no metric, unless S3 had been silent for 4.5 s, which is a
    /// failure, of `timeout`. The SDK's own stalled stream protection ends a body with an error.
    pub body: ByteStream,
}

impl Downloaded {
    /// The whole object in memory.
    ///
    /// # Errors
    /// When the body breaks on the way; its `error_type` is `body`.
    ///
    /// # Cancellation
    /// Dropping the future drops the body.
    pub async fn into_bytes(self) -> Result<Bytes, S3Error> {
        match self.body.collect().await {
            Ok(bytes) => Ok(bytes.into_bytes()),
            Err(error) => Err(S3Error::body(error)),
        }
    }
}

/// An object's properties.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Length in bytes: of the range, if one was asked for.
    pub size: u64,
    /// The entity tag, in its quotes.
    pub etag: Option<String>,
    /// The media type.
    pub content_type: Option<String>,
    /// What caches may do with it.
    pub cache_control: Option<String>,
    /// The object's own metadata.
    pub metadata: HashMap<String, String>,
    /// The storage class, where it is not `STANDARD`.
    pub storage_class: Option<String>,
    /// How S3 has encrypted it.
    pub encryption: Option<String>,
    /// When it was last written.
    pub last_modified: Option<SystemTime>,
    /// The version, in a bucket that keeps versions.
    pub version_id: Option<String>,
}

/// One page of a listing.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects, in the order of their keys.
    pub objects: Vec<ObjectSummary>,
    /// What the delimiter rolled up.
    pub prefixes: Vec<String>,
    /// Hand it to [`List::after`](crate::List::after) for the next page; `None` on the last.
    pub next: Option<String>,
}

/// An object in a listing.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectSummary {
    /// The key.
    pub key: String,
    /// Length in bytes.
    pub size: u64,
    /// The entity tag, in its quotes, where the service lists it.
    pub etag: Option<String>,
    /// When it was last written.
    pub last_modified: Option<SystemTime>,
}
