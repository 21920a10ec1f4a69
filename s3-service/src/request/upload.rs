//! What to store, and how.

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};
use serde::{Deserialize, Serialize};

/// Store an object.
///
/// The body is bytes in memory, or a stream: of a file
/// ([`ByteStream::from_path`](aws_sdk_s3::primitives::ByteStream::from_path)), or of anything.
///
/// # Size
/// Below 16 MiB it is one request, and a stream that can be read only once is never retried. From
/// 16 MiB on, and whenever a stream that does not tell its length turns out that long, it is a
/// multipart upload: parts of 8 MiB, at most three of them in memory and on their way, each with its
/// own deadlines and retries. 10 000 parts are the most that S3 takes, so the parts of an object over
/// 78 GiB are larger, and those of a stream of unknown length double each time that there are 1 000
/// more, first after 7.8 GiB.
#[derive(Debug)]
pub struct Upload {
    pub(crate) key: String,
    pub(crate) body: SdkBody,
    pub(crate) attributes: Attributes,
}

/// All that is stored of an object beside its key and its bytes, and on which condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) storage_class: Option<String>,
    pub(crate) encryption: Option<String>,
    pub(crate) kms_key_id: Option<String>,
    pub(crate) if_none_match: bool,
}

impl Upload {
    /// Store `body` under `key`.
    #[must_use]
    pub fn new(key: impl Into<String>, body: impl Into<ByteStream>) -> Self {
        let body = body.into().into_inner();
        Self { key: key.into(), body, attributes: Attributes::default() }
    }

    /// The object's media type.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.attributes.content_type = Some(content_type.into());
        self
    }

    /// What caches on the way to a reader may do with the object.
    #[must_use]
    pub fn cache_control(mut self, cache_control: impl Into<String>) -> Self {
        self.attributes.cache_control = Some(cache_control.into());
        self
    }

    /// One entry of the object's own metadata (`x-amz-meta-…`); S3 folds names to lower case.
    #[must_use]
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.metadata.insert(name.into(), value.into());
        self
    }

    /// One tag; S3 takes at most ten.
    #[must_use]
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.attributes.tags.insert(name.into(), value.into());
        self
    }

    /// The storage class; S3's own default is `STANDARD`.
    #[must_use]
    pub fn storage_class(mut self, class: impl Into<StorageClass>) -> Self {
        self.attributes.storage_class = Some(class.into().as_str().to_owned());
        self
    }

    /// How S3 encrypts the object; S3's own default is that of the bucket.
    #[must_use]
    pub fn server_side_encryption(mut self, encryption: impl Into<ServerSideEncryption>) -> Self {
        self.attributes.encryption = Some(encryption.into().as_str().to_owned());
        self
    }

    /// The KMS key of an encryption by `aws:kms`; S3's own default is the account's.
    #[must_use]
    pub fn kms_key_id(mut self, key: impl Into<String>) -> Self {
        self.attributes.kms_key_id = Some(key.into());
        self
    }

    /// `If-None-Match: *`: only if there is no object under the key; else S3 answers 412, and the
    /// object that is there stays. S3 takes no other value of this header.
    #[must_use]
    pub fn if_none_match(mut self) -> Self {
        self.attributes.if_none_match = true;
        self
    }

    /// The same upload again; `None` if its stream can be read only once.
    #[must_use]
    pub fn try_clone(&self) -> Option<Self> {
        let body = self.body.try_clone()?;
        Some(Self { key: self.key.clone(), body, attributes: self.attributes.clone() })
    }
}
