//! Uploads of which a part fails: once, and for good.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{
    HttpClient as _, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use circuit_layer::State;
use circuit_layer::metrics::Exporter;
use http_body::Body as _;
use s3_service::{ErrorType, MemoryStore, S3, S3Builder, Start, Upload};

use super::multipart::{MIB, content, unsigned};
use crate::health_metrics::scrape;
use crate::moto::Moto;
use crate::support::{BUCKET, eventually};

/// Between a client and its store: answers the second part in the store's place, so many times, and
/// writes down what passes.
#[derive(Clone, Debug)]
struct Middleman(Arc<Books>);

#[derive(Debug)]
struct Books {
    failures: AtomicU32,
    sent: AtomicU64,
}

#[derive(Debug)]
struct Wire {
    books: Arc<Books>,
    store: SharedHttpConnector,
}

impl Middleman {
    fn failing(times: u32) -> Self {
        Self(Arc::new(Books { failures: AtomicU32::new(times), sent: AtomicU64::new(0) }))
    }

    fn failures_left(&self) -> u32 {
        self.0.failures.load(Ordering::Relaxed)
    }

    /// A service over `client`, each of whose calls is tried twice.
    fn settings(&self, client: &Client) -> S3Builder {
        let books = Arc::clone(&self.0);
        let store = client.config().http_client().unwrap();
        let retries = RetryConfig::standard().with_max_attempts(2);
        let config = client.config().to_builder();
        let config = config.retry_config(retries.with_initial_backoff(Duration::from_millis(1)));
        let config = config.http_client(http_client_fn(move |settings, components| {
            let (books, store) = (Arc::clone(&books), store.http_connector(settings, components));
            SharedHttpConnector::new(Wire { books, store })
        }));
        let client = Client::from_conf(config.build());
        S3::builder().bucket(BUCKET).client(client).start(Start::Lazy)
    }
}

impl HttpConnector for Wire {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        self.books.sent.fetch_add(request.body().content_length().unwrap(), Ordering::Relaxed);
        let failures = &self.books.failures;
        let is_second = request.uri().contains("partNumber=2");
        let fewer = |left: u32| left.checked_sub(1);
        let is_failed =
            is_second && failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer).is_ok();
        if !is_failed {
            return self.store.call(request);
        }
        HttpConnectorFuture::new(async move {
            while let Some(frame) = poll_fn(|cx| Pin::new(request.body_mut()).poll_frame(cx)).await
            {
                assert!(frame.is_ok());
            }
            let document = "<Error><Code>InternalError</Code><Message>m</Message></Error>";
            Ok(HttpResponse::new(500.try_into().unwrap(), SdkBody::from(document)))
        })
    }
}

#[tokio::test]
async fn a_part_that_fails_once_is_sent_again_and_the_object_is_whole() {
    let middleman = Middleman::failing(1);
    let exporter = Exporter::new().unwrap();
    let client = unsigned(&MemoryStore::new(BUCKET));
    let settings = middleman.settings(&client).metrics(&exporter.meter());
    let s3 = settings.build().await.unwrap();
    s3.upload(Upload::new("k", content(20))).await.unwrap();
    assert_eq!(middleman.failures_left(), 0);

    let uploaded = s3.get_health().bytes_uploaded;
    assert_eq!(uploaded, middleman.0.sent.load(Ordering::Relaxed), "as they went out");
    // The second part of 8 MiB twice; and a document that lists the parts.
    let twice = u64::try_from((20 + 8) * MIB).unwrap();
    assert!((twice..twice + 2_000).contains(&uploaded), "{uploaded}");
    let seen = scrape(&exporter);
    let calls = seen.iter().filter(|(name, _)| name.starts_with("s3_requests_total"));
    let calls: Vec<_> = calls.filter(|(_, count)| **count > 0.0).collect();
    let [(name, count)] = calls[..] else { panic!("{calls:?}") };
    assert_eq!(name, r#"s3_requests_total{operation="upload",status="success"}"#);
    assert!((count - 1.0).abs() < 0.5, "{count}");

    assert!(s3.download("k").await.unwrap().into_bytes().await.unwrap() == content(20));
    assert_eq!(s3.breaker().state(), State::Closed);
}

/// How many uploads there are that were begun and neither completed nor aborted, and how many parts
/// they hold.
async fn left_over(client: &Client) -> (usize, usize) {
    let listed = client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    let mut parts = 0;
    for upload in listed.uploads() {
        let call = client.list_parts().bucket(BUCKET).key(upload.key().unwrap());
        // It may be aborted between the two questions.
        let listed = call.upload_id(upload.upload_id().unwrap()).send().await;
        parts += listed.map_or(0, |listed| listed.parts().len());
    }
    (listed.uploads().len(), parts)
}

#[tokio::test]
async fn a_part_that_fails_for_good_ends_the_upload_and_leaves_no_parts_on_the_server() {
    let moto = Moto::start().await;
    let direct = moto.service().await;
    // The hashes of 20 MiB take an unoptimised build seconds.
    let config = unsigned(&MemoryStore::new(BUCKET)).config().to_builder();
    let config = config.endpoint_url(moto.endpoint());
    let client = config.http_client(direct.client().config().http_client().unwrap());
    let client = Client::from_conf(client.build());
    let middleman = Middleman::failing(1_000);
    let s3 = middleman.settings(&client).fail_max(2).build().await.unwrap();

    let error = s3.upload(Upload::new("k", content(20))).await.unwrap_err();
    assert_eq!(error.error_type(), Some(ErrorType::Server), "{error:?}");
    assert_eq!(middleman.failures_left(), 998, "tried twice");
    assert_eq!(s3.get_health().report.failures, 1, "one call");
    eventually("it is aborted", async || left_over(&client).await == (0, 0)).await;
    let head = client.head_object().bucket(BUCKET).key("k").send().await.unwrap_err();
    assert!(head.into_service_error().is_not_found());
}
