//! An operation of the SDK as a client span, as OpenTelemetry's conventions want it.

mod attempts;
mod transitions;

use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use s3_service::test_server::{Fault, S3Server};
use s3_service::{CopyObject, S3Builder, Upload};
use tests::spans::{Fields, Span, Spans};
use tracing::Instrument as _;

use crate::support::{BUCKET, Rig, rig, rig_with, until};

const CALL: &str = "aws.call";
const MIB: usize = 1024 * 1024;

async fn spanned() -> Rig {
    rig_with(S3Builder::spans).await
}

fn last(spans: &Spans) -> Span {
    spans.named(CALL).pop().unwrap()
}

/// The span of the one call that was made.
fn only(spans: &Spans) -> Span {
    let [span] = spans.named(CALL).try_into().unwrap();
    assert!(span.closed, "{span:?}");
    span
}

fn names(spans: &Spans) -> Vec<String> {
    spans.named(CALL).iter().map(|span| span.field("otel.name").unwrap().to_owned()).collect()
}

/// What the last call has said of its failure: the type, and the status.
fn failure(spans: &Spans) -> [Option<String>; 2] {
    let span = last(spans);
    assert!(span.closed, "{span:?}");
    ["error.type", "otel.status_code"].map(|name| span.field(name).map(str::to_owned))
}

fn failed(error_type: &str) -> [Option<String>; 2] {
    [error_type, "ERROR"].map(|text| Some(text.to_owned()))
}

/// A call whose request is out, and which gets no answer.
async fn hanging<F: Future>(server: &S3Server, call: F) -> Pin<Box<F>> {
    server.inject(Fault::Stall);
    let before = server.requests();
    let mut call = Box::pin(call);
    until("the request is out", || {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        server.requests() > before
    })
    .await;
    call
}

#[tokio::test]
async fn an_operation_is_a_span_with_the_fields_of_the_convention() {
    let rig = spanned().await;
    let (spans, _listening) = Spans::listen();
    rig.s3.upload(Upload::new("a/b", b"v".to_vec())).await.unwrap();
    let mut span = only(&spans);
    // Each request has another one, where the server gives any.
    span.fields.remove("aws.request_id");
    let expected = [
        ("otel.name", "S3.PutObject"),
        ("otel.kind", "client"),
        ("rpc.system", "aws-api"),
        ("rpc.service", "S3"),
        ("rpc.method", "PutObject"),
        ("aws.s3.bucket", BUCKET),
        ("aws.s3.key", "a/b"),
        ("cloud.region", "us-east-1"),
        ("http.response.status_code", "200"),
    ];
    let expected: Fields = expected.map(|(name, value)| (name, value.to_owned())).into();
    assert_eq!((span.fields, span.parent), (expected, None));
}

#[tokio::test]
async fn every_operation_has_the_name_of_the_service_and_its_own() {
    let rig = spanned().await;
    let (spans, _listening) = Spans::listen();
    rig.s3.health_check().await.unwrap();
    rig.s3.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    rig.s3.head("k").await.unwrap();
    rig.s3.copy(CopyObject::new("k", "k2")).await.unwrap();
    let copy = last(&spans);
    rig.s3.list(s3_service::List::new()).await.unwrap();
    rig.s3.delete("k").await.unwrap();
    rig.s3.call(|client| async move { client.list_buckets().send().await }).await.unwrap();
    let expected = [
        "S3.HeadBucket",
        "S3.PutObject",
        "S3.HeadObject",
        "S3.CopyObject",
        "S3.ListObjectsV2",
        "S3.DeleteObject",
        "S3.ListBuckets",
    ];
    assert_eq!(names(&spans), expected);
    assert_eq!(copy.field("aws.s3.copy_source"), Some("bucket/k"));
    assert_eq!(
        (last(&spans).field("aws.s3.bucket"), last(&spans).field("aws.s3.key")),
        (None, None)
    );
    assert!(spans.named(CALL).iter().all(|span| span.closed));
}

#[tokio::test]
async fn an_upload_in_parts_is_several_spans_under_one_parent() {
    // An unoptimised build hashes 20 MiB for seconds, and on a busy machine for more.
    let patient = Duration::from_secs(60);
    let rig =
        rig_with(|settings| settings.spans().attempt_timeout(patient).operation_timeout(patient))
            .await;
    let (spans, _listening) = Spans::listen();
    let upload = rig.s3.upload(Upload::new("k", vec![7; 20 * MIB]));
    upload.instrument(tracing::info_span!("report")).await.unwrap();
    let mut names = names(&spans);
    names.sort();
    names.dedup();
    assert_eq!(names, ["S3.CompleteMultipartUpload", "S3.CreateMultipartUpload", "S3.UploadPart"]);
    let all = spans.all();
    let report = all.iter().position(|span| span.name == "report");
    assert!(report.is_some() && all.iter().all(|span| span.closed));
    assert!(all.iter().filter(|span| span.name == CALL).all(|span| span.parent == report));
}

#[tokio::test]
async fn without_being_asked_there_is_no_span() {
    let rig = rig().await;
    let (spans, _listening) = Spans::listen();
    rig.s3.upload(Upload::new("k", b"v".to_vec())).await.unwrap();
    assert!(spans.named(CALL).is_empty());
}

#[tokio::test]
async fn presigning_is_no_call_and_has_no_span() {
    let rig = spanned().await;
    let (spans, _listening) = Spans::listen();
    let expiry = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    rig.s3.client().get_object().bucket(BUCKET).key("k").presigned(expiry).await.unwrap();
    assert!(spans.named(CALL).is_empty());
}

#[tokio::test]
async fn a_failure_is_told_by_the_code_of_s3_or_else_by_its_type() {
    let rig = spanned().await;
    let (spans, _listening) = Spans::listen();
    rig.s3.download("missing").await.unwrap_err();
    assert_eq!(failure(&spans), failed("NoSuchKey"));
    assert_eq!(last(&spans).field("http.response.status_code"), Some("404"));
    // An answer to HEAD has no body that a code could be in.
    rig.s3.head("missing").await.unwrap_err();
    assert_eq!(failure(&spans), failed("client"));
    rig.server.inject_times(Fault::SlowDown, 1);
    rig.s3.download("missing").await.unwrap_err();
    assert_eq!(failure(&spans), failed("SlowDown"));
    rig.server.kill().await;
    rig.s3.head("missing").await.unwrap_err();
    assert_eq!(failure(&spans), failed("dispatch"));
    assert_eq!(last(&spans).field("http.response.status_code"), None);
}

#[tokio::test]
async fn an_operation_that_is_too_slow_is_a_timeout() {
    let short = Duration::from_millis(300);
    let rig = rig_with(|settings| settings.spans().operation_timeout(short)).await;
    let (spans, _listening) = Spans::listen();
    rig.server.inject(Fault::Stall);
    rig.s3.head("k").await.unwrap_err();
    assert_eq!(failure(&spans), failed("timeout"));
}

#[tokio::test]
async fn a_rejected_operation_is_a_span_that_says_so() {
    let rig = spanned().await;
    let (spans, _listening) = Spans::listen();
    rig.s3.breaker().force_open("a test", None);
    assert!(rig.s3.head("k").await.unwrap_err().rejected().is_some());
    assert_eq!(failure(&spans), failed("rejected"));
    assert_eq!(only(&spans).field("otel.name"), Some("S3.HeadObject"));
}

#[tokio::test]
async fn a_dropped_operation_ends_its_span_without_a_status() {
    let rig = spanned().await;
    let (spans, _listening) = Spans::listen();
    let call = hanging(&rig.server, rig.s3.head("k")).await;
    assert!(!last(&spans).closed);
    drop(call);
    assert_eq!(failure(&spans), [None, None]);
}

#[tokio::test]
async fn a_download_ends_its_span_with_its_body() {
    let rig = spanned().await;
    rig.s3.upload(Upload::new("k", vec![7; MIB])).await.unwrap();
    let (spans, _listening) = Spans::listen();
    let download = rig.s3.download("k").await.unwrap();
    assert!(!last(&spans).closed);
    assert_eq!(download.into_bytes().await.unwrap().len(), MIB);
    assert_eq!(failure(&spans), [None, None]);

    let abandoned = rig.s3.download("k").await.unwrap();
    assert!(!last(&spans).closed);
    drop(abandoned);
    assert_eq!(failure(&spans), [None, None]);

    rig.server.inject_times(Fault::CutBody { after: 100_000 }, 1);
    rig.s3.download("k").await.unwrap().into_bytes().await.unwrap_err();
    assert_eq!(failure(&spans), failed("body"));
}
