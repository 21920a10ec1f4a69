//! Uploads in parts, and parts of objects.

use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use s3s::dto::{
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CreateMultipartUploadOutput,
    Range, StreamingBlob,
};
use s3s::{S3Result, s3_error};

use super::api::Api;
use super::store::{Attributes, Object, Upload};

/// S3's least length of a part that is not the last.
const LEAST: usize = 5 * 1024 * 1024;

impl Api {
    pub(super) fn begin(
        &self,
        bucket: String,
        key: String,
        attributes: Attributes,
    ) -> S3Result<CreateMultipartUploadOutput> {
        let mut store = self.store();
        let upload_id = store.next().to_string();
        let upload = Upload { key: key.clone(), attributes, parts: [].into() };
        store.bucket(&bucket)?.uploads.insert(upload_id.clone(), upload);
        Ok(CreateMultipartUploadOutput {
            bucket: Some(bucket),
            key: Some(key),
            upload_id: Some(upload_id),
            ..CreateMultipartUploadOutput::default()
        })
    }

    pub(super) fn complete(
        &self,
        input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let mut store = self.store();
        let uploads = &store.bucket(&input.bucket)?.uploads;
        let upload = uploads.get(&input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        let wanted = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let numbers = wanted.iter().map(|part| part.part_number.unwrap_or_default());
        let (bytes, attributes) = (join(upload, numbers)?, upload.attributes.clone());
        let conditions = (input.if_match.as_ref(), input.if_none_match.as_ref());
        store.check_write(&input.bucket, &input.key, conditions.0, conditions.1)?;
        store.bucket(&input.bucket)?.uploads.remove(&input.upload_id);
        let suffix = format!("-{}", wanted.len());
        let etag = store.write(&input.bucket, input.key.clone(), bytes, &suffix, attributes)?;
        Ok(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(etag),
            ..CompleteMultipartUploadOutput::default()
        })
    }
}

/// A request body, whole.
pub(super) async fn read(body: Option<StreamingBlob>) -> S3Result<Bytes> {
    let Some(body) = body else { return Ok(Bytes::new()) };
    let gathered = body.try_fold(BytesMut::new(), |mut all, frame| async move {
        all.extend_from_slice(&frame);
        Ok(all)
    });
    Ok(gathered.await.map_err(|_| s3_error!(IncompleteBody))?.freeze())
}

fn join(upload: &Upload, numbers: impl ExactSizeIterator<Item = i32>) -> S3Result<Bytes> {
    let last = numbers.len();
    if last == 0 {
        return Err(s3_error!(MalformedXML));
    }
    let (mut all, mut before) = (BytesMut::new(), 0);
    for (index, number) in numbers.enumerate() {
        let part = upload.parts.get(&number).ok_or_else(|| s3_error!(InvalidPart))?;
        if number <= before {
            return Err(s3_error!(InvalidPartOrder));
        }
        if part.len() < LEAST && index + 1 < last {
            return Err(s3_error!(EntityTooSmall));
        }
        before = number;
        all.extend_from_slice(part);
    }
    Ok(all.freeze())
}

/// The bytes of a range, and how the answer tells of it.
pub(super) fn ranged(object: &Object, range: Option<Range>) -> S3Result<(Bytes, Option<String>)> {
    let Some(range) = range else { return Ok((object.bytes.clone(), None)) };
    let length = object.len();
    let range = range.check(length).map_err(|_| s3_error!(InvalidRange))?;
    let told = format!("bytes {}-{}/{length}", range.start, range.end.saturating_sub(1));
    let bound = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(object.bytes.len());
    Ok((object.bytes.slice(bound(range.start)..bound(range.end)), Some(told)))
}
