//! The contract on moto, which is somebody else's and stricter than s3s-fs.

use s3_service::Upload;

use super::contract;
use crate::moto::Moto;

#[tokio::test]
async fn moto_keeps_the_contract() {
    let moto = Moto::start().await;
    let s3 = moto.service().await;
    contract::every_store(&s3).await;
    contract::full_stores(&s3).await;
}

#[tokio::test]
async fn a_signed_upload_in_parts_with_checksums_is_taken() {
    let moto = Moto::start().await;
    let s3 = moto.service().await;
    let bytes: Vec<u8> = (0..17 * 1024 * 1024_u32).map(|n| n.to_le_bytes()[1]).collect();
    let upload = Upload::new("k", bytes.clone()).content_type("text/plain").tag("a", "b");
    s3.upload(upload).await.unwrap();
    let read = s3.download("k").await.unwrap();
    assert_eq!(read.info.content_type.as_deref(), Some("text/plain"));
    assert!(read.into_bytes().await.unwrap() == bytes, "the bytes differ");
    let bucket = s3.bucket().to_owned();
    let unfinished = s3
        .call(|client| async move { client.list_multipart_uploads().bucket(bucket).send().await });
    assert!(unfinished.await.unwrap().uploads().is_empty());
}

#[tokio::test]
async fn a_bucket_with_objects_is_not_deleted_and_that_is_an_answer() {
    let moto = Moto::start().await;
    let s3 = moto.service().await;
    s3.upload(Upload::new("k", b"x".to_vec())).await.unwrap();
    let bucket = s3.bucket().to_owned();
    let delete =
        s3.call(|client| async move { client.delete_bucket().bucket(bucket).send().await });
    assert_eq!(delete.await.unwrap_err().code(), Some("BucketNotEmpty"));
    assert_eq!(s3.get_health().report.failures, 0);
}
