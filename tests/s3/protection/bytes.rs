//! What the service counts, beside what a server counts.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_s3::primitives::ByteStream;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use s3_service::{S3, Start, Upload};

use crate::support::BUCKET;

const SIZE: usize = 1_000_001;
const BUSY: &str = "<Error><Code>InternalError</Code><Message>once more</Message></Error>";

/// What came and went, and how often it was asked.
#[derive(Debug, Default)]
struct Books {
    requests: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Books {
    fn totals(&self) -> (u64, u64) {
        (self.received.load(Ordering::Relaxed), self.sent.load(Ordering::Relaxed))
    }
}

fn len(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap()
}

/// Fails every call once, after it has read the request to its end.
async fn answer(State(books): State<Arc<Books>>, request: Request) -> Response {
    let is_retry = books.requests.fetch_add(1, Ordering::Relaxed) % 2 == 1;
    let is_write = *request.method() == Method::PUT;
    // Of a stream the SDK sends chunks with signatures in between, and says how much they hold.
    let announced = request.headers().get("x-amz-decoded-content-length");
    let announced = announced.map(|value| value.to_str().unwrap().parse::<u64>().unwrap());
    let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
    books.received.fetch_add(announced.unwrap_or_else(|| len(&body)), Ordering::Relaxed);
    let (status, body) = match (is_retry, is_write) {
        (false, _) => (StatusCode::INTERNAL_SERVER_ERROR, Bytes::from(BUSY)),
        (true, true) => (StatusCode::OK, Bytes::new()),
        (true, false) => (StatusCode::OK, Bytes::from(vec![7; SIZE])),
    };
    books.sent.fetch_add(len(&body), Ordering::Relaxed);
    (status, body).into_response()
}

#[tokio::test]
async fn bytes_are_those_that_the_server_saw_both_ways_with_every_retry() {
    let books = Arc::new(Books::default());
    let socket = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let router = axum::Router::new().fallback(answer).with_state(Arc::clone(&books));
    tokio::spawn(async move { axum::serve(socket, router).await });
    let settings = S3::builder().bucket(BUCKET).endpoint(endpoint).credentials("key", "secret");
    let s3 = settings.max_attempts(2).start(Start::Lazy).build().await.unwrap();
    let counted = || {
        let health = s3.get_health();
        (health.bytes_uploaded, health.bytes_downloaded)
    };

    let (size, busy) = (u64::try_from(SIZE).unwrap(), u64::try_from(BUSY.len()).unwrap());
    s3.upload(Upload::new("k", vec![7; SIZE])).await.unwrap();
    assert_eq!(counted(), (2 * size, busy));
    assert_eq!(counted(), books.totals());

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), vec![7; SIZE]).unwrap();
    s3.upload(Upload::new("k", ByteStream::from_path(file.path()).await.unwrap())).await.unwrap();
    assert_eq!(counted(), (4 * size, 2 * busy));
    assert_eq!(counted(), books.totals());

    assert_eq!(s3.download("k").await.unwrap().into_bytes().await.unwrap().len(), SIZE);
    assert_eq!(counted(), (4 * size, 3 * busy + size));
    assert_eq!(counted(), books.totals());
    let report = s3.get_health().report;
    assert_eq!((report.successes, report.failures), (3, 0), "three calls, whatever their retries");
}
