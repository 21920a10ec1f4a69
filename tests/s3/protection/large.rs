//! An object of 1 GiB, in and out, in little memory. The server throws away what comes and makes up
//! what goes, and nothing is signed: hashing a gibibyte takes an unoptimised build minutes.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Config, Region, RequestChecksumCalculation};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::ByteStream;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use s3_service::test_server::S3Server;
use s3_service::{S3, Start, Upload};

const SIZE: u64 = 1 << 30;
const CHUNK: u64 = 256 * 1024;
const ALLOWED: u64 = 64 << 20;

/// So many bytes, all of them the same few in memory.
struct Made {
    left: u64,
    chunk: Bytes,
}

impl Made {
    fn new() -> Self {
        Self { left: SIZE, chunk: Bytes::from(vec![7; usize::try_from(CHUNK).unwrap()]) }
    }
}

impl http_body::Body for Made {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= CHUNK;
        Poll::Ready(Some(Ok(Frame::data(self.chunk.clone()))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// As much of S3 as an upload in parts and a download ask for.
async fn answer(State(taken): State<Arc<AtomicU64>>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    if *request.method() == Method::GET {
        return Body::new(Made::new()).into_response();
    }
    let is_part = *request.method() == Method::PUT;
    let mut body = std::pin::pin!(request.into_body());
    while let Some(frame) =
        std::future::poll_fn(|cx| http_body::Body::poll_frame(body.as_mut(), cx)).await
    {
        if is_part {
            let len = frame.unwrap().data_ref().map_or(0, Bytes::len);
            taken.fetch_add(u64::try_from(len).unwrap(), Ordering::Relaxed);
        }
    }
    if is_part {
        return [("etag", "\"part\"")].into_response();
    }
    if query.contains("uploadId") {
        return "<CompleteMultipartUploadResult><ETag>\"whole\"</ETag></CompleteMultipartUploadResult>"
            .into_response();
    }
    "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        .into_response()
}

async fn service(taken: Arc<AtomicU64>) -> S3 {
    let socket = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let endpoint = format!("http://{}", socket.local_addr().unwrap());
    let router = axum::Router::new().fallback(answer).with_state(taken);
    tokio::spawn(async move { axum::serve(socket, router).await });
    let other = S3Server::start().await.unwrap().config().build();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .allow_no_auth()
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .http_client(other.http_client().unwrap());
    let client = Client::from_conf(config.build());
    S3::builder().bucket("b").client(client).start(Start::Lazy).build().await.unwrap()
}

/// The resident memory of this process in bytes: now, and the most since the last call.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    };
    // Sets the high-water mark down to what there is now.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    (field("VmRSS:"), field("VmHWM:"))
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_gibibyte_goes_in_and_out_in_64_mebibytes_of_memory() {
    let taken = Arc::new(AtomicU64::new(0));
    let s3 = service(Arc::clone(&taken)).await;
    s3.upload(Upload::new("small", b"warm".to_vec())).await.unwrap();
    taken.store(0, Ordering::Relaxed);
    let (idle, _) = resident();

    let upload = Upload::new("k", ByteStream::from_body_1_x(Made::new()));
    s3.upload(upload).await.unwrap();
    assert_eq!(taken.load(Ordering::Relaxed), SIZE);
    let (_, most) = resident();
    assert!(most <= idle + ALLOWED, "uploading: {idle} at rest, {most} at most");

    let mut body = s3.download("k").await.unwrap().body;
    let mut read = 0;
    while let Some(bytes) = body.next().await {
        read += u64::try_from(bytes.unwrap().len()).unwrap();
    }
    assert_eq!(read, SIZE);
    let (_, most) = resident();
    assert!(most <= idle + ALLOWED, "downloading: {idle} at rest, {most} at most");
    assert!(s3.get_health().bytes_downloaded >= SIZE);
}
