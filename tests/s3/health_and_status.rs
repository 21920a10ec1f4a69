//! Starting, and the reports for people and pages.

use std::collections::HashMap;

use s3_service::{InitError, S3, Start, Upload, close_s3, get_s3, initialize_s3};

use crate::support::{BUCKET, rig_with, server, settings};

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
