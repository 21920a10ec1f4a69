//! Objects from 16 MiB on, and streams that do not tell their length. In memory and unsigned, since
//! hashing 16 MiB takes an unoptimised build seconds; moto sees a signed one.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Config, Region, RequestChecksumCalculation};
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use bytes::Bytes;
use circuit_layer::{Clock, State};
use s3_service::{ErrorType, MemoryStore, S3, Start, Upload, Written};

use crate::support::{BUCKET, Frames, RESET, Then, eventually};

pub(super) const MIB: usize = 1024 * 1024;

pub(crate) fn unsigned(store: &MemoryStore) -> Client {
    Client::from_conf(unsigned_config().http_client(store.http_client()).build())
}

fn unsigned_config() -> Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url("http://memory")
        .force_path_style(true)
        .allow_no_auth()
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
}

async fn service(store: &MemoryStore) -> S3 {
    let settings = S3::builder().bucket(BUCKET).client(unsigned(store)).start(Start::Lazy);
    settings.fail_max(1).build().await.unwrap()
}

/// A client of a store whose answers let whatever else is ready go first, as those of a wire do.
fn unhurried(store: &MemoryStore) -> Client {
    let store = store.http_client();
    let http = http_client_fn(move |settings, components| {
        SharedHttpConnector::new(Unhurried(store.http_connector(settings, components)))
    });
    Client::from_conf(unsigned_config().http_client(http).build())
}

#[derive(Debug)]
struct Unhurried(SharedHttpConnector);

impl HttpConnector for Unhurried {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let store = self.0.clone();
        HttpConnectorFuture::new(async move {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            store.call(request).await
        })
    }
}

fn frames(mib: usize) -> impl Iterator<Item = Bytes> {
    (0..mib).map(|n| Bytes::from(vec![u8::try_from(n).unwrap(); MIB]))
}

pub(super) fn content(mib: usize) -> Vec<u8> {
    frames(mib).collect::<Vec<_>>().concat()
}

fn stream(mib: usize, then: Then) -> ByteStream {
    Frames::of(frames(mib)).then(then)
}

/// How many uploads the store has begun and not ended.
async fn unfinished(store: &MemoryStore) -> usize {
    let listed = unsigned(store).list_multipart_uploads().bucket(BUCKET).send().await;
    listed.unwrap().uploads().len()
}

#[tokio::test]
async fn a_large_object_goes_in_parts_and_comes_back_whole() {
    let store = MemoryStore::new(BUCKET);
    let s3 = service(&store).await;
    for (mib, parts) in [(16, Some("-2\"")), (20, Some("-3\"")), (15, None)] {
        for body in [ByteStream::from(content(mib)), stream(mib, Then::End)] {
            let upload = Upload::new("k", body).content_type("text/plain").metadata("n", "1");
            let Written::Stored(stored) = s3.upload(upload).await.unwrap() else { panic!() };
            let etag = stored.etag.unwrap();
            assert!(
                parts.map_or_else(|| !etag.contains('-'), |suffix| etag.ends_with(suffix)),
                "{etag}"
            );
            let read = s3.download("k").await.unwrap();
            assert_eq!(read.info.content_type.as_deref(), Some("text/plain"));
            assert_eq!(read.info.metadata.get("n").map(String::as_str), Some("1"));
            assert!(read.into_bytes().await.unwrap() == content(mib), "the bytes differ");
        }
    }
    let health = s3.get_health();
    let total = u64::try_from(2 * (16 + 20 + 15) * MIB).unwrap();
    // Beside the objects there are documents: the list of parts, and the answers to it.
    for bytes in [health.bytes_uploaded, health.bytes_downloaded] {
        assert!((total..total + 10_000).contains(&bytes), "{bytes}");
    }
    let uploads = health.report.recent.iter().filter(|call| call.operation == "upload");
    assert_eq!(uploads.count(), 6, "whatever its parts, an upload is one call");
    assert_eq!(unfinished(&store).await, 0);
}

#[tokio::test]
async fn a_large_object_that_is_there_is_not_written_over() {
    let s3 = service(&MemoryStore::new(BUCKET)).await;
    s3.upload(Upload::new("k", b"first".to_vec())).await.unwrap();
    let refused = s3.upload(Upload::new("k", content(17)).if_none_match()).await.unwrap_err();
    assert_eq!(refused.status(), Some(412));
    assert_eq!(s3.head("k").await.unwrap().size, 5);
}

#[tokio::test]
async fn an_upload_whose_source_breaks_is_aborted_and_no_fault_of_s3() {
    let store = MemoryStore::new(BUCKET);
    let s3 = service(&store).await;
    for mib in [2, 20] {
        let error = s3.upload(Upload::new("k", stream(mib, Then::Break))).await.unwrap_err();
        assert_eq!(error.error_type(), Some(ErrorType::Client), "{error:?}");
        eventually("it is aborted", async || unfinished(&store).await == 0).await;
    }
    assert!(s3.head("k").await.unwrap_err().is_not_found());
    assert_eq!(s3.get_health().report.failures, 0);
}

#[tokio::test]
async fn a_dropped_upload_is_aborted_although_the_breaker_is_open() {
    let store = MemoryStore::new(BUCKET);
    let s3 = service(&store).await;
    let writer = s3.clone();
    let upload = Upload::new("k", stream(20, Then::Wait));
    let upload = tokio::spawn(async move { writer.upload(upload).await });
    eventually("it has begun", async || unfinished(&store).await == 1).await;
    s3.breaker().force_open("test", None);
    upload.abort();
    assert!(upload.await.unwrap_err().is_cancelled());
    eventually("it is aborted", async || unfinished(&store).await == 0).await;
}

#[tokio::test]
async fn a_large_object_closes_a_breaker_that_has_fewer_places_than_it_has_parts() {
    let store = MemoryStore::new(BUCKET);
    for probes in 1..=6 {
        let (clock, time) = Clock::manual();
        let settings = S3::builder().bucket(BUCKET).client(unhurried(&store)).start(Start::Lazy);
        let settings = settings.clock(clock).fail_max(1).half_open_max_attempts(probes);
        let s3 = settings.build().await.unwrap();
        s3.breaker().try_acquire().unwrap().failure("timeout");
        time.advance(RESET);
        for body in [ByteStream::from(content(48)), stream(48, Then::End)] {
            s3.upload(Upload::new("k", body)).await.unwrap();
        }
        assert_eq!(s3.breaker().state(), State::Closed, "{probes} probes");
        assert!(s3.download("k").await.unwrap().into_bytes().await.unwrap() == content(48));
    }
}

#[tokio::test]
async fn an_upload_dropped_at_any_poll_leaves_nothing_behind() {
    let store = MemoryStore::new(BUCKET);
    let s3 = service(&store).await;
    let body = Bytes::from(content(17));
    for polls in 1..60 {
        let upload = s3.upload(Upload::new("k", ByteStream::from(body.clone())));
        let mut upload = std::pin::pin!(upload);
        let mut left = polls;
        let done = std::future::poll_fn(|cx| {
            left -= 1;
            let polled = upload.as_mut().poll(cx).map(Some);
            if left == 0 && polled.is_pending() { std::task::Poll::Ready(None) } else { polled }
        });
        if let Some(done) = done.await {
            done.unwrap();
            break;
        }
    }
    eventually("all are aborted", async || unfinished(&store).await == 0).await;
}
