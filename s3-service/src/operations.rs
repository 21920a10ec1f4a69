//! The operations on the SDK: one function each, from a request to an answer.
//!
//! No breaker is in sight: the interceptor in the client is the one point of admission. Each call of the
//! SDK is boxed where it is made: it is a future of 7 to 10 kB, which every layer above would move.

use std::time::SystemTime;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::MetadataDirective;

use crate::error::S3Error;
use crate::interceptor::BypassBreaker;
use crate::request::{CopyObject, Download, List};
use crate::response::{ObjectInfo, ObjectSummary, Page, Stored, Written};

/// A client and the bucket that it talks to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) client: Client,
    pub(crate) bucket: String,
}

impl Target {
    /// Past the breaker, over the same connections.
    pub(crate) fn bypass(&self) -> Self {
        let config = self.client.config().to_builder().interceptor(BypassBreaker);
        Self { client: Client::from_conf(config.build()), bucket: self.bucket.clone() }
    }

    pub(crate) async fn download(
        &self,
        download: Download,
    ) -> Result<(ObjectInfo, Option<u64>, ByteStream), S3Error> {
        let call = self.client.get_object().bucket(&self.bucket).key(download.key);
        let call = call.set_range(download.range).send();
        let output = Box::pin(call).await?;
        Ok(split(output))
    }

    pub(crate) async fn delete(&self, key: String) -> Result<Written, S3Error> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key).send();
        let output = Box::pin(call).await?;
        Ok(Written::Stored(Stored { etag: None, version_id: output.version_id }))
    }

    pub(crate) async fn list(&self, list: List) -> Result<Page, S3Error> {
        let call = self.client.list_objects_v2().bucket(&self.bucket);
        let call = call.set_prefix(list.prefix).set_delimiter(list.delimiter);
        let call = call.set_max_keys(list.max_keys).set_continuation_token(list.after);
        Ok(page(Box::pin(call.send()).await?))
    }

    pub(crate) async fn head(&self, key: String) -> Result<ObjectInfo, S3Error> {
        let call = self.client.head_object().bucket(&self.bucket).key(key).send();
        let output = Box::pin(call).await?;
        Ok(ObjectInfo {
            size: size(output.content_length),
            etag: output.e_tag,
            content_type: output.content_type,
            cache_control: output.cache_control,
            metadata: output.metadata.unwrap_or_default(),
            storage_class: output.storage_class.map(|class| class.as_str().to_owned()),
            encryption: output.server_side_encryption.map(|kind| kind.as_str().to_owned()),
            last_modified: time(output.last_modified),
            version_id: output.version_id,
        })
    }

    pub(crate) async fn copy(&self, copy: CopyObject) -> Result<Stored, S3Error> {
        let source_bucket = copy.source_bucket.as_ref().unwrap_or(&self.bucket);
        let source = format!("{}/{}", source_bucket, percent_encoded(&copy.source_key));
        let bucket = copy.destination_bucket.as_ref().unwrap_or(&self.bucket);
        let mut call = self.client.copy_object().copy_source(source).bucket(bucket);
        if let Some(replacement) = copy.replacement {
            call = call
                .metadata_directive(MetadataDirective::Replace)
                .set_content_type(replacement.content_type)
                .set_metadata(Some(replacement.metadata));
        }
        let output = Box::pin(call.key(copy.destination_key).send()).await?;
        let etag = output.copy_object_result.and_then(|result| result.e_tag);
        Ok(Stored { etag, version_id: output.version_id })
    }

    pub(crate) async fn health_check(&self) -> Result<(), S3Error> {
        Box::pin(self.client.head_bucket().bucket(&self.bucket).send()).await?;
        Ok(())
    }
}

/// What the object is, the length of the body where the headers tell it, and the body.
fn split(output: GetObjectOutput) -> (ObjectInfo, Option<u64>, ByteStream) {
    let length = output.content_length.and_then(|length| u64::try_from(length).ok());
    let info = ObjectInfo {
        size: size(output.content_length),
        etag: output.e_tag,
        content_type: output.content_type,
        cache_control: output.cache_control,
        metadata: output.metadata.unwrap_or_default(),
        storage_class: output.storage_class.map(|class| class.as_str().to_owned()),
        encryption: output.server_side_encryption.map(|kind| kind.as_str().to_owned()),
        last_modified: time(output.last_modified),
        version_id: output.version_id,
    };
    (info, length, output.body)
}

fn page(output: ListObjectsV2Output) -> Page {
    let objects = output.contents.unwrap_or_default().into_iter().map(|object| ObjectSummary {
        key: object.key.unwrap_or_default(),
        size: size(object.size),
        etag: object.e_tag,
        last_modified: time(object.last_modified),
    });
    let prefixes = output.common_prefixes.unwrap_or_default().into_iter();
    Page {
        objects: objects.collect(),
        prefixes: prefixes.filter_map(|prefix| prefix.prefix).collect(),
        next: output.next_continuation_token,
    }
}

fn size(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0)
}

fn time(time: Option<DateTime>) -> Option<SystemTime> {
    time.and_then(|time| SystemTime::try_from(time).ok())
}

/// `x-amz-copy-source` is a URL path, and the SDK sends it as it is given.
pub(crate) fn percent_encoded(key: &str) -> String {
    let mut encoded = String::with_capacity(key.len());
    for byte in key.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_copy_source_is_percent_encoded_but_for_its_slashes() {
        assert_eq!(percent_encoded("a/b c+ä.txt"), "a/b%20c%2B%C3%A4.txt");
    }
}
