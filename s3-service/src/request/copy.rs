//! What to copy where.

use std::collections::HashMap;

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
