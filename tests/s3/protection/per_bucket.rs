//! A breaker for each bucket, and calls past a breaker.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use circuit_layer::{KeyedBreakers, State};
use s3_service::install_per_bucket;
use s3_service::test_server::Fault;

use crate::support::{rig_with, server};

#[tokio::test]
async fn the_trouble_of_one_bucket_is_not_that_of_another() {
    let server = server().await;
    server.create_bucket("other").await.unwrap();
    let buckets = KeyedBreakers::new("buckets", |builder| builder.fail_max(2)).unwrap();
    let config = install_per_bucket(server.config(), &buckets);
    let client = Client::from_conf(config.retry_config(RetryConfig::disabled()).build());
    server.inject_times(Fault::InternalError, 2);
    for _ in 0..2 {
        assert!(client.head_bucket().bucket("bucket").send().await.is_err());
    }
    assert_eq!(buckets.get("bucket").state(), State::Open);
    assert_eq!(buckets.get("other").state(), State::Closed);
    client.head_bucket().bucket("other").send().await.unwrap();
    assert!(client.get_object().bucket("bucket").key("k").send().await.is_err());
    assert_eq!(buckets.get("bucket").snapshot().rejected, 1);
    client.list_buckets().send().await.unwrap();
    assert_eq!(buckets.len(), 3, "operations without a bucket have one of their own");
}

#[tokio::test]
async fn a_bypass_passes_an_open_breaker_and_is_booked_but_not_judged() {
    let rig = rig_with(|settings| settings.fail_max(1)).await;
    let bypass = rig.s3.bypass();
    rig.server.inject_times(Fault::InternalError, 1);
    assert!(bypass.health_check().await.is_err());
    assert_eq!(rig.s3.breaker().state(), State::Closed);
    rig.s3.breaker().force_open("test", None);
    bypass.health_check().await.unwrap();
    let connected = rig.server.connections();
    assert!(rig.s3.health_check().await.unwrap_err().rejected().is_some());
    bypass.health_check().await.unwrap();
    assert_eq!(rig.server.connections(), connected, "over the same connections");
    let health = rig.s3.get_health().report;
    assert_eq!((health.successes, health.failures, health.rejected), (2, 1, 1));
}
