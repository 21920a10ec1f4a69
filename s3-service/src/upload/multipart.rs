//! An object in parts.
//!
//! ```text
//! create ─▶ part, part, … (three at once) ─▶ complete
//!    └─────────────┴───────────── failed or dropped ─▶ abort
//! ```
//! Each request asks the breaker. A part that finds every place for probes taken goes again when the next
//! part has landed: they are taken by its own neighbours, mostly.

use std::sync::Arc;

use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ServerSideEncryption, StorageClass,
};
use bytes::Bytes;
use circuit_layer::{Reason, Rejected};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tracing::Instrument as _;

use super::parts::Parts;
use super::pending::{Pending, Place};
use crate::error::S3Error;
use crate::operations::Target;
use crate::request::Attributes;
use crate::response::Stored;

/// Three are enough to keep the wire busy while one is answered, and few enough for the memory.
const AT_ONCE: usize = 3;

impl Target {
    pub(super) async fn multipart(
        &self,
        key: String,
        mut parts: Parts,
        with: Attributes,
    ) -> Result<Stored, S3Error> {
        let if_none_match = with.if_none_match.then(super::any);
        let pending = self.begin(key, with).await?;
        let checksum = self.checksum();
        let (mut done, mut waiting) = (Vec::new(), Vec::new());
        let mut on_their_way = FuturesUnordered::new();
        let (mut number, mut ended) = (0_i32, false);
        loop {
            tokio::select! {
                biased;
                Some(landed) = on_their_way.next() => match landed {
                    Ok(part) => {
                        done.push(part);
                        for part in waiting.drain(..) {
                            on_their_way.push(send(&pending, part, checksum.clone()));
                        }
                    }
                    Err((error, part)) if is_for_now(&error) && !on_their_way.is_empty() => {
                        waiting.push(part);
                    }
                    Err((error, _)) => return Err(error),
                },
                bytes = parts.next(), if !ended && on_their_way.len() + waiting.len() < AT_ONCE => {
                    match bytes.map_err(S3Error::source)? {
                        Some(bytes) => {
                            number = number.saturating_add(1);
                            let part = Part { number, bytes };
                            on_their_way.push(send(&pending, part, checksum.clone()));
                        }
                        None => ended = true,
                    }
                }
                else => break,
            }
        }
        drop(on_their_way);
        complete(pending, done, if_none_match).await
    }

    /// Begins an upload in a task of its own: whoever drops this before S3 has named the upload drops
    /// what that task returns, and so aborts it.
    async fn begin(&self, key: String, with: Attributes) -> Result<Pending, S3Error> {
        let place = Place { client: self.client.clone(), bucket: self.bucket.clone(), key };
        let call = self.client.create_multipart_upload().bucket(&place.bucket).key(&place.key);
        let call = attributed(call, with).set_checksum_algorithm(self.checksum());
        let begun = async move {
            let output = call.send().await?;
            let upload_id = output.upload_id.unwrap_or_default();
            Ok(Pending::new(Arc::new(place), &upload_id))
        };
        let begun = tokio::spawn(begun.in_current_span());
        match begun.await {
            Ok(pending) => pending,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(shut_down) => Err(S3Error::source(shut_down.into())),
            },
        }
    }

    /// The checksum of the parts, which S3 wants to know before the first; none where the user has
    /// switched them off for a store that knows none.
    fn checksum(&self) -> Option<ChecksumAlgorithm> {
        let calculated = self.client.config().request_checksum_calculation();
        let is_off = calculated == Some(&RequestChecksumCalculation::WhenRequired);
        (!is_off).then_some(ChecksumAlgorithm::Crc32)
    }
}

fn attributed(
    call: CreateMultipartUploadFluentBuilder,
    with: Attributes,
) -> CreateMultipartUploadFluentBuilder {
    let tags = with.tagging();
    call.set_content_type(with.content_type)
        .set_cache_control(with.cache_control)
        .set_metadata(Some(with.metadata.into_iter().collect()))
        .set_tagging(tags)
        .set_storage_class(with.storage_class.as_deref().map(StorageClass::from))
        .set_server_side_encryption(with.encryption.as_deref().map(ServerSideEncryption::from))
        .set_ssekms_key_id(with.kms_key_id)
}

struct Part {
    number: i32,
    bytes: Bytes,
}

/// Whether the breaker has no place for a part while others of this upload have theirs. Their answers
/// make one: in half-open there may be fewer than parts at once.
fn is_for_now(error: &S3Error) -> bool {
    let reason = error.rejected().map(Rejected::reason);
    matches!(reason, Some(Reason::ProbesBusy | Reason::RampUp))
}

async fn send(
    pending: &Pending,
    part: Part,
    checksum: Option<ChecksumAlgorithm>,
) -> Result<CompletedPart, (S3Error, Part)> {
    let Place { client, bucket, key } = &*pending.place;
    let call = client.upload_part().bucket(bucket).key(key).upload_id(&*pending.upload_id);
    let call = call.part_number(part.number).set_checksum_algorithm(checksum);
    match call.body(ByteStream::from(part.bytes.clone())).send().await {
        Ok(output) => {
            let done = CompletedPart::builder().part_number(part.number);
            let done = done.set_e_tag(output.e_tag).set_checksum_crc32(output.checksum_crc32);
            Ok(done.build())
        }
        Err(error) => Err((error.into(), part)),
    }
}

async fn complete(
    pending: Pending,
    mut parts: Vec<CompletedPart>,
    if_none_match: Option<String>,
) -> Result<Stored, S3Error> {
    parts.sort_by_key(CompletedPart::part_number);
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let Place { client, bucket, key } = &*pending.place;
    let call = client.complete_multipart_upload().bucket(bucket).key(key);
    let call = call.upload_id(&*pending.upload_id).multipart_upload(parts);
    let output = call.set_if_none_match(if_none_match).send().await?;
    pending.completed();
    Ok(Stored { etag: output.e_tag, version_id: output.version_id })
}
