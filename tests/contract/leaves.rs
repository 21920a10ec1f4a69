//! Every service of the workspace that ends a stack keeps every law.

use bytes::Bytes;
use circuit_layer::State;
use redis_service::test_server::RedisServer;
use redis_service::{Redis, Request};
use s3_service::test_server::S3Server;
use s3_service::{S3, S3Request, Upload};

use crate::leaf::broken;

const NONE: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_behind_its_breaker() {
    let server = RedisServer::start().await.unwrap();
    let redis = Redis::builder().url(&server.url()).connect().await.unwrap();
    let incr = || Request::Incr { key: Bytes::from_static(b"count"), by: 1 };
    let changed = async || redis.get::<u64>("count").await.unwrap().is_some();
    assert_eq!(broken(redis.service().clone(), incr, changed).await, NONE);
    assert_eq!(redis.breaker().state(), State::Closed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s3_behind_its_breaker() {
    let server = S3Server::start().await.unwrap();
    server.create_bucket("bucket").await.unwrap();
    let builder = S3::builder().bucket("bucket").endpoint(server.endpoint());
    let builder = builder.credentials(server.access_key(), server.secret_key());
    let s3 = builder.build().await.unwrap();
    let upload = || S3Request::Upload(Upload::new("key", b"value".to_vec()));
    let changed = async || s3.head("key").await.is_ok();
    assert_eq!(broken(s3.service(), upload, changed).await, NONE);
    assert_eq!(s3.breaker().state(), State::Closed);
}
