//! UPLOAD: one request for a small object, parts for a large one.
//!
//! A single request for a large object has one deadline for all of it, is repeated from its first
//! byte, and can not be repeated at all where the bytes come from a stream. In parts of a few
//! megabytes each part has its own deadline and its own retries, and memory holds a few of them
//! whatever the object's size.
//!
//! | body | what is sent |
//! | --- | --- |
//! | shorter than [`MULTIPART_FROM`] | `PutObject`, streamed |
//! | of that length or longer | a multipart upload |
//! | of unknown length | read up to [`MULTIPART_FROM`], then one of the two |

mod multipart;
mod parts;
mod pending;

use std::collections::BTreeMap;

use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_sdk_s3::types::{ServerSideEncryption, StorageClass};

use crate::error::S3Error;
use crate::operations::{Target, percent_encoded};
use crate::request::{Attributes, Upload};
use crate::response::{Stored, Written};
use parts::Parts;

/// From this length on an object goes in parts.
const MULTIPART_FROM: u64 = 16 * 1024 * 1024;

impl Target {
    pub(crate) async fn upload(&self, upload: Upload) -> Result<Written, S3Error> {
        let Upload { key, body, attributes } = upload;
        let length = body.content_length();
        let stored = match length {
            Some(length) if length < MULTIPART_FROM => self.put(key, body, attributes).await?,
            // The rare way is boxed: the future of every upload is as big as its biggest part.
            Some(_) => Box::pin(self.multipart(key, Parts::new(body), attributes)).await?,
            None => {
                let mut parts = Parts::new(body);
                match parts.whole_below(MULTIPART_FROM).await.map_err(S3Error::source)? {
                    Some(bytes) => self.put(key, SdkBody::from(bytes), attributes).await?,
                    None => Box::pin(self.multipart(key, parts, attributes)).await?,
                }
            }
        };
        Ok(Written::Stored(stored))
    }

    async fn put(&self, key: String, body: SdkBody, with: Attributes) -> Result<Stored, S3Error> {
        let tags = with.tagging();
        let call = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .set_content_type(with.content_type)
            .set_cache_control(with.cache_control)
            .set_metadata(Some(with.metadata.into_iter().collect()))
            .set_tagging(tags)
            .set_storage_class(with.storage_class.as_deref().map(StorageClass::from))
            .set_server_side_encryption(with.encryption.as_deref().map(ServerSideEncryption::from))
            .set_ssekms_key_id(with.kms_key_id)
            .set_if_none_match(with.if_none_match.then(any));
        let output = Box::pin(call.body(ByteStream::new(body)).send()).await?;
        Ok(Stored { etag: output.e_tag, version_id: output.version_id })
    }
}

impl Attributes {
    /// The tags as S3 takes them in a header: a query string.
    fn tagging(&self) -> Option<String> {
        (!self.tags.is_empty()).then(|| query(&self.tags))
    }
}

fn query(pairs: &BTreeMap<String, String>) -> String {
    let encoded = |text: &String| percent_encoded(text).replace('/', "%2F");
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Any entity tag at all.
fn any() -> String {
    "*".to_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::query;

    #[test]
    fn tags_become_a_query_string() {
        let tags = [("team", "a&b"), ("path", "x/y =1")];
        let tags: BTreeMap<_, _> = tags.map(|(n, v)| (n.to_owned(), v.to_owned())).into();
        assert_eq!(query(&tags), "path=x%2Fy%20%3D1&team=a%26b");
    }
}
