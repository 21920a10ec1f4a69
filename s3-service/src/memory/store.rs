//! What is stored: plain data, and the few moves on it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use s3s::dto::{
    ETag, ETagCondition, Metadata, ObjectStorageClass, ServerSideEncryption, StorageClass,
    Timestamp,
};
use s3s::{S3Result, s3_error};

/// The first write is as old as this; it is the 1st of January 2024.
const EPOCH: Duration = Duration::from_secs(1_704_067_200);

#[derive(Clone, Debug, Default)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) metadata: Option<Metadata>,
    pub(super) tags: Option<String>,
    pub(super) storage_class: Option<StorageClass>,
    pub(super) encryption: Option<ServerSideEncryption>,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) bytes: Bytes,
    pub(super) etag: ETag,
    written: u64,
    pub(super) attributes: Attributes,
}

impl Object {
    pub(super) fn len(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn last_modified(&self) -> Timestamp {
        let age = EPOCH.saturating_add(Duration::from_secs(self.written));
        Timestamp::from(SystemTime::UNIX_EPOCH + age)
    }

    pub(super) fn listed_class(&self) -> ObjectStorageClass {
        let class = self.attributes.storage_class.as_ref();
        let class = class.map_or(StorageClass::STANDARD, StorageClass::as_str);
        ObjectStorageClass::from(class.to_owned())
    }

    /// Whether a reader's conditions let it be read.
    pub(super) fn check(
        &self,
        if_match: Option<&ETagCondition>,
        if_none_match: Option<&ETagCondition>,
    ) -> S3Result<()> {
        if if_match.is_some_and(|condition| !self.meets(condition)) {
            return Err(s3_error!(PreconditionFailed));
        }
        if if_none_match.is_some_and(|condition| self.meets(condition)) {
            return Err(s3_error!(NotModified));
        }
        Ok(())
    }

    fn meets(&self, condition: &ETagCondition) -> bool {
        condition.as_etag().is_none_or(|etag| etag.weak_cmp(&self.etag))
    }
}

#[derive(Debug, Default)]
pub(super) struct Bucket {
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: BTreeMap<String, Upload>,
}

/// A multipart upload that is not completed yet.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) attributes: Attributes,
    pub(super) parts: BTreeMap<i32, Bytes>,
}

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) buckets: BTreeMap<String, Bucket>,
    writes: u64,
}

impl Store {
    pub(super) fn with_bucket(name: &str) -> Self {
        let buckets = BTreeMap::from([(name.to_owned(), Bucket::default())]);
        Self { buckets, writes: 0 }
    }

    pub(super) fn bucket(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.buckets.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket))
    }

    pub(super) fn object(&mut self, bucket: &str, key: &str) -> S3Result<&mut Object> {
        let objects = &mut self.bucket(bucket)?.objects;
        objects.get_mut(key).ok_or_else(|| s3_error!(NoSuchKey))
    }

    /// A number that no write had before.
    pub(super) fn next(&mut self) -> u64 {
        self.writes += 1;
        self.writes
    }

    /// Whether a writer's conditions let the key be written.
    pub(super) fn check_write(
        &mut self,
        bucket: &str,
        key: &str,
        if_match: Option<&ETagCondition>,
        if_none_match: Option<&ETagCondition>,
    ) -> S3Result<()> {
        let there = self.bucket(bucket)?.objects.get(key);
        let met = |condition| there.is_some_and(|object| object.meets(condition));
        let refused = if_match.is_some_and(|condition| !met(condition));
        if refused || if_none_match.is_some_and(met) {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(())
    }

    /// `suffix` tells of how many parts the object is made.
    pub(super) fn write(
        &mut self,
        bucket: &str,
        key: String,
        bytes: Bytes,
        suffix: &str,
        attributes: Attributes,
    ) -> S3Result<ETag> {
        let written = self.next();
        let etag = ETag::Strong(format!("{written:032x}{suffix}"));
        let object = Object { bytes, etag: etag.clone(), written, attributes };
        self.bucket(bucket)?.objects.insert(key, object);
        Ok(etag)
    }
}
