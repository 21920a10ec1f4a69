//! Requests and answers, through the facade and through tower.

use aws_sdk_s3::primitives::ByteStream;
use s3_service::{CopyObject, Download, List, Operation, S3, S3Request, S3Response, Upload};
use tower::ServiceExt as _;

#[tokio::test]
async fn the_tower_service_answers_each_request_in_kind() {
    let s3 = S3::memory();
    let ask = async |request| s3.service().oneshot(request).await.unwrap();
    let upload = S3Request::Upload(Upload::new("k", b"v".to_vec()));
    assert!(matches!(ask(upload).await, S3Response::Uploaded(_)));
    let S3Response::Downloaded(object) = ask(S3Request::Download("k".into())).await else {
        panic!("not a download");
    };
    assert_eq!(object.into_bytes().await.unwrap(), "v");
    let key = || "k".to_owned();
    assert!(matches!(ask(S3Request::Head { key: key() }).await, S3Response::Head(_)));
    let copy = S3Request::Copy(CopyObject::new("k", "l"));
    assert!(matches!(ask(copy).await, S3Response::Copied(_)));
    let S3Response::Listed(page) = ask(S3Request::List(List::new())).await else {
        panic!("not a page");
    };
    assert_eq!(page.objects.len(), 2);
    assert!(matches!(ask(S3Request::Delete { key: key() }).await, S3Response::Deleted(_)));
    assert!(matches!(ask(S3Request::HealthCheck).await, S3Response::Healthy));
    let booked = s3.get_health().report.recent.into_iter().map(|call| call.operation);
    let names = ["health_check", "delete", "list", "copy", "head", "download", "upload"];
    assert_eq!(booked.collect::<Vec<_>>(), names);
}

#[tokio::test]
async fn any_other_call_of_the_sdk_is_booked_as_other() {
    let s3 = S3::memory();
    s3.upload(Upload::new("k", b"v".to_vec()).tag("a", "b")).await.unwrap();
    let tags = s3.call(|client| async move {
        client.get_object_tagging().bucket("memory").key("k").send().await
    });
    assert_eq!(tags.await.unwrap().tag_set().len(), 1);
    let missing = s3.call(|client| async move {
        client.get_object_tagging().bucket("memory").key("none").send().await
    });
    assert!(missing.await.unwrap_err().is_not_found());
    let recent = s3.get_health().report.recent;
    assert_eq!(recent.first().unwrap().operation, Operation::Other.as_str());
}

#[tokio::test]
async fn a_request_is_repeated_unless_its_stream_can_be_read_only_once() {
    let once = ByteStream::from_body_1_x(aws_sdk_s3::primitives::SdkBody::from_body_1_x(
        aws_sdk_s3::primitives::SdkBody::from("x"),
    ));
    assert!(S3Request::Upload(Upload::new("k", once)).try_clone().is_none());
    let again = S3Request::Upload(Upload::new("k", b"v".to_vec()).tag("a", "b")).try_clone();
    let s3 = S3::memory();
    s3.service().oneshot(again.unwrap()).await.unwrap();
    let range = S3Request::Download(Download::new("k").range(0, 0)).try_clone().unwrap();
    let S3Response::Downloaded(part) = s3.service().oneshot(range).await.unwrap() else {
        panic!("not a download");
    };
    assert_eq!(part.into_bytes().await.unwrap(), "v");
}

#[tokio::test]
async fn stores_in_memory_are_apart() {
    let (one, other) = (S3::memory(), S3::memory());
    one.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    assert!(other.head("k").await.unwrap_err().is_not_found());
    assert_eq!(one.clone().head("k").await.unwrap().size, 1);
}
