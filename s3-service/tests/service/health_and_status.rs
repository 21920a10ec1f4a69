//! Starting, and the reports.

use circuit_layer::CircuitBreaker;
use s3_service::{InitError, MemoryStore, S3, Start, Upload, install_client};

use crate::wire::Answer::{Refused, Status};
use crate::wire::{Wire, service};

#[tokio::test]
async fn settings_that_can_not_work_are_typed_errors() {
    let refused = S3::builder().build().await;
    assert!(matches!(refused, Err(InitError::MissingBucket)), "{refused:?}");
    let refused = S3::builder().bucket("").build().await;
    assert!(matches!(refused, Err(InitError::MissingBucket)), "{refused:?}");
    let client = MemoryStore::new("bucket").client();
    let refused = S3::builder().bucket("bucket").client(client).fail_max(0).build().await;
    assert!(matches!(refused, Err(InitError::Breaker(_))), "{refused:?}");
}

#[tokio::test]
async fn a_strict_start_names_the_bucket_and_what_is_wrong_with_it() {
    let client = MemoryStore::new("bucket").client();
    let refused = S3::builder().bucket("missing").client(client).start(Start::Strict).build().await;
    let Err(InitError::Bucket { bucket, source }) = refused else { panic!("{refused:?}") };
    assert_eq!(bucket, "missing");
    assert!(source.is_not_found());

    let client = aws_sdk_s3::Client::from_conf(Wire::of([Refused]).config().build());
    let refused = S3::builder().bucket("bucket").client(client).build().await;
    let Err(InitError::Bucket { source, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(source.error_type().unwrap().as_str(), "dispatch");
}

#[tokio::test]
async fn a_lazy_start_asks_nothing_of_s3() {
    let wire = Wire::of([Refused]);
    let (s3, _) = service(&wire).await;
    assert_eq!(wire.requests(), 0);
    assert!(s3.health_check().await.is_err());
    wire.then([Status(200, "")]);
    s3.health_check().await.unwrap();
}

#[tokio::test]
async fn a_client_with_a_breaker_of_its_own_is_not_given_a_second() {
    let breaker = CircuitBreaker::new("mine");
    let client = install_client(&MemoryStore::new("bucket").client(), &breaker);
    let refused = S3::builder().bucket("bucket").client(client.clone()).build().await;
    assert!(matches!(refused, Err(InitError::ForeignBreaker)), "{refused:?}");
    let s3 = S3::builder().bucket("bucket").client(client).breaker(breaker).build().await.unwrap();
    assert_eq!(s3.breaker().name(), "mine");
}

#[tokio::test]
async fn a_status_can_be_serialised_and_holds_no_secret() {
    let s3 = S3::memory();
    s3.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    let status: serde_json::Value = serde_json::to_value(s3.get_status()).unwrap();
    assert_eq!(status["bucket"], "memory");
    assert_eq!(status["region"], "us-east-1");
    assert_eq!(status["health"]["score"], 100);
    assert_eq!(status["health"]["bytes_uploaded"], 1);
    assert_eq!(status["breaker"]["state"], "closed");

    let (wired, _) = service(&Wire::of([Refused])).await;
    assert!(!serde_json::to_string(&wired.get_status()).unwrap().contains("hidden"));
    let settings = S3::builder().bucket("b").credentials("key", "hidden");
    assert!(!format!("{settings:?}").contains("hidden"));
}
