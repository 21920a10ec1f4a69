//! The operations, as s3s hands them over: from its types to the store and back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource,
    CreateBucketInput, CreateBucketOutput, CreateMultipartUploadInput, CreateMultipartUploadOutput,
    DeleteObjectInput, DeleteObjectOutput, ETag, GetObjectInput, GetObjectOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListObjectsV2Input, ListObjectsV2Output, MetadataDirective, MultipartUpload, PutObjectInput,
    PutObjectOutput, StreamingBlob, Tag, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};

use super::list;
use super::multipart::{ranged, read};
use super::store::{Attributes, Bucket, Object, Store};

pub(super) struct Api {
    store: Arc<Mutex<Store>>,
}

impl Api {
    pub(super) const fn new(store: Arc<Mutex<Store>>) -> Self {
        Self { store }
    }

    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl S3 for Api {
    async fn create_bucket(
        &self,
        request: S3Request<CreateBucketInput>,
    ) -> S3Result<S3Response<CreateBucketOutput>> {
        let mut store = self.store();
        if store.buckets.contains_key(&request.input.bucket) {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        store.buckets.insert(request.input.bucket, Bucket::default());
        Ok(S3Response::new(CreateBucketOutput::default()))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        self.store().bucket(&request.input.bucket)?;
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let bytes = read(input.body).await?;
        let attributes = Attributes {
            content_type: input.content_type,
            cache_control: input.cache_control,
            metadata: input.metadata,
            tags: input.tagging,
            storage_class: input.storage_class,
            encryption: input.server_side_encryption,
        };
        let mut store = self.store();
        let conditions = (input.if_match.as_ref(), input.if_none_match.as_ref());
        store.check_write(&input.bucket, &input.key, conditions.0, conditions.1)?;
        let etag = store.write(&input.bucket, input.key, bytes, "", attributes)?;
        let e_tag = Some(etag);
        Ok(S3Response::new(PutObjectOutput { e_tag, ..PutObjectOutput::default() }))
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let object = self.store().object(&input.bucket, &input.key)?.clone();
        object.check(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let (bytes, content_range) = ranged(&object, input.range)?;
        let body = StreamingBlob::from(s3s::Body::from(bytes.clone()));
        Ok(S3Response::new(GetObjectOutput {
            body: Some(body),
            content_length: i64::try_from(bytes.len()).ok(),
            content_range,
            e_tag: Some(object.etag.clone()),
            last_modified: Some(object.last_modified()),
            content_type: object.attributes.content_type,
            cache_control: object.attributes.cache_control,
            metadata: object.attributes.metadata,
            storage_class: object.attributes.storage_class,
            server_side_encryption: object.attributes.encryption,
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let object = self.store().object(&input.bucket, &input.key)?.clone();
        object.check(input.if_match.as_ref(), input.if_none_match.as_ref())?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(object.bytes.len()).ok(),
            e_tag: Some(object.etag.clone()),
            last_modified: Some(object.last_modified()),
            content_type: object.attributes.content_type,
            cache_control: object.attributes.cache_control,
            metadata: object.attributes.metadata,
            storage_class: object.attributes.storage_class,
            server_side_encryption: object.attributes.encryption,
            ..HeadObjectOutput::default()
        }))
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.store().bucket(&request.input.bucket)?.objects.remove(&request.input.key);
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn copy_object(
        &self,
        request: S3Request<CopyObjectInput>,
    ) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = request.input;
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        let mut store = self.store();
        let Object { bytes, mut attributes, .. } = store.object(bucket, key)?.clone();
        let replaced = MetadataDirective::from_static(MetadataDirective::REPLACE);
        if input.metadata_directive == Some(replaced) {
            attributes.content_type = input.content_type;
            attributes.cache_control = input.cache_control;
            attributes.metadata = input.metadata;
        }
        let etag = store.write(&input.bucket, input.key, bytes, "", attributes)?;
        let result = CopyObjectResult { e_tag: Some(etag), ..CopyObjectResult::default() };
        let copy_object_result = Some(result);
        Ok(S3Response::new(CopyObjectOutput { copy_object_result, ..CopyObjectOutput::default() }))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let mut store = self.store();
        let objects = &store.bucket(&request.input.bucket)?.objects;
        Ok(S3Response::new(list::page(objects, request.input)))
    }

    async fn get_object_tagging(
        &self,
        request: S3Request<GetObjectTaggingInput>,
    ) -> S3Result<S3Response<GetObjectTaggingOutput>> {
        let input = request.input;
        let tags = self.store().object(&input.bucket, &input.key)?.attributes.tags.clone();
        let tags = tags.unwrap_or_default();
        let pairs = form_urlencoded::parse(tags.as_bytes()).into_owned();
        let tag_set = pairs.map(|(key, value)| Tag { key: Some(key), value: Some(value) });
        let tag_set = tag_set.collect();
        Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id: None }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let attributes = Attributes {
            content_type: input.content_type,
            cache_control: input.cache_control,
            metadata: input.metadata,
            tags: input.tagging,
            storage_class: input.storage_class,
            encryption: input.server_side_encryption,
        };
        Ok(S3Response::new(self.begin(input.bucket, input.key, attributes)?))
    }

    async fn upload_part(
        &self,
        request: S3Request<UploadPartInput>,
    ) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let bytes = read(input.body).await?;
        let checksum_crc32 = input.checksum_crc32;
        let mut store = self.store();
        let e_tag = Some(ETag::Strong(format!("{:032x}", store.next())));
        let uploads = &mut store.bucket(&input.bucket)?.uploads;
        let upload = uploads.get_mut(&input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        upload.parts.insert(input.part_number, bytes);
        let output = UploadPartOutput { e_tag, checksum_crc32, ..UploadPartOutput::default() };
        Ok(S3Response::new(output))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        Ok(S3Response::new(self.complete(request.input)?))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let mut store = self.store();
        let uploads = &mut store.bucket(&request.input.bucket)?.uploads;
        uploads.remove(&request.input.upload_id).ok_or_else(|| s3_error!(NoSuchUpload))?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let mut store = self.store();
        let uploads = store.bucket(&request.input.bucket)?.uploads.iter();
        let uploads = uploads.map(|(id, upload)| MultipartUpload {
            key: Some(upload.key.clone()),
            upload_id: Some(id.clone()),
            ..MultipartUpload::default()
        });
        let uploads = Some(uploads.collect());
        let bucket = Some(request.input.bucket);
        let listed =
            ListMultipartUploadsOutput { bucket, uploads, ..ListMultipartUploadsOutput::default() };
        Ok(S3Response::new(listed))
    }
}
