//! Each operation, through the facade and through tower.

use std::collections::HashMap;

use s3_service::{
    CopyObject, Download, InitError, List, S3, S3Request, S3Response, Start, Upload, Written,
    close_s3, get_s3, initialize_s3,
};
use tower::ServiceExt as _;

use crate::support::{BUCKET, rig, rig_with, server, settings};

#[tokio::test]
async fn an_object_comes_back_as_it_was_stored() {
    let rig = rig().await;
    let upload = Upload::new("a/b c.txt", b"hello".to_vec());
    let upload = upload.content_type("text/plain").metadata("owner", "me");
    let written = rig.s3.upload(upload).await.unwrap();
    let Written::Stored(stored) = written else { panic!("{written:?}") };
    assert!(stored.etag.is_some());

    let downloaded = rig.s3.download("a/b c.txt").await.unwrap();
    assert_eq!(downloaded.info.content_type.as_deref(), Some("text/plain"));
    assert_eq!(downloaded.info.metadata.get("owner").map(String::as_str), Some("me"));
    assert_eq!(downloaded.info.size, 5);
    assert_eq!(downloaded.into_bytes().await.unwrap(), "hello");

    let health = rig.s3.get_health();
    assert_eq!((health.bytes_uploaded, health.bytes_downloaded), (5, 5));
}

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
async fn a_range_is_part_of_an_object() {
    let rig = rig().await;
    rig.s3.upload(Upload::new("k", b"0123456789".to_vec())).await.unwrap();
    let part = rig.s3.download(Download::new("k").range(2, 4)).await.unwrap();
    assert_eq!(part.info.size, 3);
    assert_eq!(part.into_bytes().await.unwrap(), "234");
}

#[tokio::test]
async fn pages_list_every_key_once() {
    let rig = rig().await;
    for n in 0..5 {
        rig.s3.upload(Upload::new(format!("p/{n}"), b"x".to_vec())).await.unwrap();
    }
    rig.s3.upload(Upload::new("other", b"x".to_vec())).await.unwrap();

    let (mut keys, mut sizes, mut next) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let list = List::new().prefix("p/").max_keys(2);
        let list = match next.take() {
            Some(next) => list.after(next),
            None => list,
        };
        let page = rig.s3.list(list).await.unwrap();
        sizes.push(page.objects.len());
        keys.extend(page.objects.into_iter().map(|object| object.key));
        next = page.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(sizes, [2, 2, 1]);
    assert_eq!(keys, ["p/0", "p/1", "p/2", "p/3", "p/4"]);

    let top = rig.s3.list(List::new().delimiter("/")).await.unwrap();
    assert_eq!(top.prefixes, ["p/"]);
}

#[tokio::test]
async fn a_copy_keeps_its_metadata_unless_told_otherwise() {
    let rig = rig().await;
    rig.server.create_bucket("second").await.unwrap();
    let upload = Upload::new("from +ä", b"x".to_vec());
    rig.s3.upload(upload.content_type("text/plain").metadata("n", "1")).await.unwrap();

    rig.s3.copy(CopyObject::new("from +ä", "kept")).await.unwrap();
    let kept = rig.s3.head("kept").await.unwrap();
    assert_eq!(kept.metadata.get("n").map(String::as_str), Some("1"));

    rig.s3.copy(CopyObject::new("from +ä", "there").destination_bucket("second")).await.unwrap();
    rig.s3.copy(CopyObject::new("there", "back").source_bucket("second")).await.unwrap();
    assert_eq!(rig.s3.head("back").await.unwrap().size, 1);
}

#[tokio::test]
async fn a_removed_object_is_gone() {
    let rig = rig().await;
    rig.s3.upload(Upload::new("k", b"x".to_vec())).await.unwrap();
    rig.s3.delete("k").await.unwrap();
    assert!(rig.s3.head("k").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn any_other_call_of_the_sdk_is_booked_as_other() {
    let rig = rig().await;
    let call = rig.s3.call(|client| async move { client.list_buckets().send().await });
    let buckets = call.await.unwrap().buckets.unwrap();
    assert_eq!(buckets.len(), 1);
    let recent = rig.s3.get_health().report.recent;
    assert_eq!(recent.last().unwrap().operation, "other");
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

#[tokio::test]
async fn a_strict_start_names_the_bucket_that_it_misses() {
    let server = server().await;
    let (settings, _) = settings(&server);
    let refused = settings.bucket("missing").start(Start::Strict).build().await;
    let Err(InitError::Bucket { bucket, source }) = refused else { panic!("{refused:?}") };
    assert_eq!(bucket, "missing");
    assert!(source.is_not_found());
}

#[tokio::test]
async fn a_lazy_start_needs_no_server() {
    let server = server().await;
    let (settings, _) = settings(&server);
    server.kill().await;
    let s3 = settings.start(Start::Lazy).build().await.unwrap();
    assert!(s3.health_check().await.is_err());
    server.restart().await.unwrap();
    s3.health_check().await.unwrap();
}

#[tokio::test]
async fn settings_that_can_not_work_are_typed_errors() {
    let refused = S3::builder().build().await;
    assert!(matches!(refused, Err(InitError::MissingBucket)), "{refused:?}");
    let bad = S3::builder().bucket("b").endpoint("http://127.0.0.1:1").credentials("a", "b");
    let refused = bad.fail_max(0).build().await;
    assert!(matches!(refused, Err(InitError::Breaker(_))), "{refused:?}");
}

#[tokio::test]
async fn a_status_can_be_serialised_and_holds_no_secret() {
    let rig = rig_with(|settings| settings.region("eu-west-1")).await;
    rig.s3.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    let status = rig.s3.get_status();
    let text = serde_json::to_string(&status).unwrap();
    assert!(!text.contains(rig.server.secret_key()) && !text.contains(rig.server.access_key()));
    let status: HashMap<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
    assert_eq!(status["bucket"], BUCKET);
    assert_eq!(status["region"], "eu-west-1");
    assert_eq!(status["endpoint"], rig.server.endpoint());
    assert_eq!(status["health"]["score"], 100);
    assert_eq!(status["health"]["bytes_uploaded"], 1);
    assert_eq!(status["breaker"]["state"], "closed");
    assert!(!format!("{:?}", settings(&rig.server).0).contains(rig.server.secret_key()));
}

#[tokio::test]
async fn the_process_wide_instance_is_initialized_once() {
    let server = server().await;
    assert!(matches!(get_s3(), Err(InitError::NotInitialized)));
    initialize_s3(settings(&server).0).await.unwrap();
    get_s3().unwrap().health_check().await.unwrap();
    let second = initialize_s3(settings(&server).0).await;
    assert!(matches!(second, Err(InitError::AlreadyInitialized)));
    close_s3().await.unwrap();
    assert!(matches!(close_s3().await, Err(InitError::NotInitialized)));
    initialize_s3(settings(&server).0).await.unwrap();
    close_s3().await.unwrap();
}
