//! Each operation: what every store must do, what parts do, and the same through tower.

pub(crate) mod contract;
mod latency;
mod moto;
mod multipart;
mod part_failures;

use s3_service::{CopyObject, List, S3Request, S3Response, Upload};
use tower::ServiceExt as _;

use crate::support::rig;

#[tokio::test]
async fn a_streamed_file_is_counted_to_the_byte() {
    let rig = rig().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("big");
    let bytes: Vec<u8> = (0..3_000_001_u32).map(|n| n.to_le_bytes()[0]).collect();
    std::fs::write(&path, &bytes).unwrap();

    let stream = aws_sdk_s3::primitives::ByteStream::from_path(&path).await.unwrap();
    rig.s3.upload(Upload::new("big", stream)).await.unwrap();
    let read = rig.s3.download("big").await.unwrap().into_bytes().await.unwrap();
    assert!(read == bytes, "the bytes differ");

    let health = rig.s3.get_health();
    assert_eq!((health.bytes_uploaded, health.bytes_downloaded), (3_000_001, 3_000_001));
}

#[tokio::test]
async fn any_other_call_of_the_sdk_is_booked_as_other() {
    let rig = rig().await;
    let call = rig.s3.call(|client| async move { client.list_buckets().send().await });
    let buckets = call.await.unwrap().buckets.unwrap();
    assert_eq!(buckets.len(), 1);
    let recent = rig.s3.get_health().report.recent;
    assert_eq!(recent.first().unwrap().operation, "other");
}

#[tokio::test]
async fn the_tower_service_answers_each_request_in_kind() {
    let rig = rig().await;
    let ask = async |request| rig.s3.service().oneshot(request).await.unwrap();

    let upload = Upload::new("k", b"v".to_vec());
    assert!(matches!(ask(S3Request::Upload(upload)).await, S3Response::Uploaded(_)));
    let S3Response::Downloaded(object) = ask(S3Request::Download("k".into())).await else {
        panic!("not a download");
    };
    assert_eq!(object.into_bytes().await.unwrap(), "v");
    let key = || "k".to_owned();
    assert!(matches!(ask(S3Request::Head { key: key() }).await, S3Response::Head(_)));
    let copy = CopyObject::new("k", "l");
    assert!(matches!(ask(S3Request::Copy(copy)).await, S3Response::Copied(_)));
    let S3Response::Listed(page) = ask(S3Request::List(List::new())).await else {
        panic!("not a page");
    };
    assert_eq!(page.objects.len(), 2);
    assert!(matches!(ask(S3Request::Delete { key: key() }).await, S3Response::Deleted(_)));
    assert!(matches!(ask(S3Request::HealthCheck).await, S3Response::Healthy));
}
