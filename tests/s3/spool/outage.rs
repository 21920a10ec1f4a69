//! S3 goes down and comes back.

use circuit_layer::State;
use circuit_layer::metrics::{Exporter, Metrics};
use s3_service::spool::SpoolEvent;
use s3_service::{CopyObject, ErrorType, S3, S3Error, Spool, SpoolError, Start, Upload, Written};

use super::support::{entries, id, spooled, spooled_with, upload};
use crate::support::BUCKET;

#[tokio::test]
async fn writes_of_an_outage_reach_s3_in_order_when_it_is_back() {
    let rig = spooled().await;
    rig.s3().upload(upload("gone", "old")).await.unwrap();
    rig.rig.server.kill().await;
    for n in 0..4 {
        rig.queue(&format!("k{n}"), "v").await;
    }
    for n in 1..=5 {
        rig.queue("same", &n.to_string()).await;
    }
    id(&rig.s3().delete("gone").await.unwrap());
    assert_eq!(rig.s3().breaker().state(), State::Open);
    assert_eq!(rig.spool().status().depth, 10);

    let mut events = rig.spool().events();
    rig.heal().await;
    let seen = rig.left(&mut events, 10).await;
    let ids: Vec<_> = seen
        .iter()
        .filter_map(|event| {
            let SpoolEvent::Uploaded { id, key } = event else { return None };
            (&**key == "same").then_some(*id)
        })
        .collect();
    assert!(ids.len() == 5 && ids.is_sorted(), "{ids:?}");
    assert_eq!(rig.s3().breaker().state(), State::Closed, "the backlog closed it");
    assert_eq!(rig.stored("same").await.as_deref(), Some("5"));
    assert_eq!(rig.stored("k3").await.as_deref(), Some("v"));
    assert_eq!(rig.stored("gone").await, None);
    assert_eq!(entries(rig.folder.path()), Vec::<String>::new());
    assert_eq!(rig.spool().status().depth, 0);
}

#[tokio::test]
async fn a_key_with_queued_writes_takes_no_other_way() {
    let rig = spooled().await;
    let first = rig.hold("k", "1").await;
    assert_eq!(rig.s3().breaker().state(), State::Closed, "two failures open nothing");
    let second = rig.queue("k", "2").await;
    assert!(first < second);
    let other = rig.s3().upload(upload("other", "x")).await.unwrap();
    assert!(matches!(other, Written::Stored(_)), "{other:?}");

    let mut events = rig.spool().events();
    rig.heal().await;
    rig.left(&mut events, 2).await;
    assert_eq!(rig.stored("k").await.as_deref(), Some("2"));
    let direct = rig.s3().upload(upload("k", "3")).await.unwrap();
    assert!(matches!(direct, Written::Stored(_)), "the key is free again: {direct:?}");
}

#[tokio::test]
async fn a_call_past_the_breaker_does_not_overtake_queued_writes() {
    let rig = spooled().await;
    rig.hold("k", "1").await;
    let bypass = rig.s3().bypass();
    let refused = [
        bypass.upload(upload("k", "2")).await.map(drop),
        bypass.delete("k").await.map(drop),
        bypass.copy(CopyObject::new("k", "x")).await.map(drop),
    ];
    for refused in refused {
        let Err(S3Error::Spool { error, cause: None }) = refused else { panic!("{refused:?}") };
        assert!(matches!(*error, SpoolError::KeyQueued(key) if key == "k"));
    }
    assert_eq!(rig.s3().get_health().report.rejected, 3, "nobody asked S3");
    assert!(bypass.head("k").await.unwrap_err().is_not_found(), "it reads what S3 has");
    let other = bypass.upload(upload("other", "x")).await.unwrap();
    assert!(matches!(other, Written::Stored(_)), "{other:?}");

    let mut events = rig.spool().events();
    rig.heal().await;
    rig.left(&mut events, 1).await;
    assert_eq!(rig.stored("k").await.as_deref(), Some("1"));
    let direct = bypass.upload(upload("k", "3")).await.unwrap();
    assert!(matches!(direct, Written::Stored(_)), "the key is free again: {direct:?}");
    rig.rig.server.kill().await;
    assert!(bypass.upload(upload("k", "4")).await.is_err(), "nothing is queued");
    assert_eq!(rig.spool().status().depth, 0);
}

#[tokio::test]
async fn the_callers_own_mistake_is_not_queued() {
    let rig = spooled().await;
    let fault = s3_service::test_server::Fault::Answer { status: 400, code: "InvalidTag" };
    rig.rig.server.inject_times(fault, 1);
    let error = rig.s3().upload(upload("k", "v")).await.unwrap_err();
    assert_eq!(error.error_type(), Some(ErrorType::Client));
    assert_eq!(rig.spool().status().depth, 0);
}

#[tokio::test]
async fn what_was_queued_is_uploaded_by_the_next_process_with_all_that_belongs_to_it() {
    let rig = spooled().await;
    rig.rig.server.kill().await;
    let full = Upload::new("a/b c", b"hello".to_vec())
        .content_type("text/plain")
        .cache_control("no-store")
        .metadata("owner", "me");
    id(&rig.s3().upload(full).await.unwrap());
    rig.spool().close().await.unwrap();
    let refused = rig.s3().upload(upload("k", "v")).await.unwrap_err();
    let S3Error::Spool { error, cause } = refused else { panic!("{refused:?}") };
    assert!(matches!(*error, SpoolError::Closed));
    assert!(cause.is_some(), "S3's own error is with it");

    rig.rig.server.restart().await.unwrap();
    let next = S3::builder()
        .bucket(BUCKET)
        .endpoint(rig.rig.server.endpoint())
        .credentials(rig.rig.server.access_key(), rig.rig.server.secret_key())
        .start(Start::Lazy)
        .spool(Spool::builder(rig.folder.path()))
        .build()
        .await
        .unwrap();
    crate::support::until("the entry is uploaded", || next.spool().unwrap().status().depth == 0)
        .await;
    let object = next.head("a/b c").await.unwrap();
    assert_eq!(object.content_type.as_deref(), Some("text/plain"));
    assert_eq!(object.metadata.get("owner").map(String::as_str), Some("me"));
    assert_eq!(rig.stored("a/b c").await.as_deref(), Some("hello"));
}

#[tokio::test]
async fn the_books_say_what_s3_did() {
    let rig = spooled_with(|spool| spool, |s3| s3.fail_max(1)).await;
    rig.rig.server.kill().await;
    rig.queue("a", "v").await; // failed
    rig.queue("b", "v").await; // rejected
    let mut events = rig.spool().events();
    rig.heal().await;
    rig.left(&mut events, 2).await;
    let recent = rig.s3().get_health().report.recent;
    let seen: Vec<_> = recent.iter().rev().map(|call| format!("{:?}", call.outcome)).collect();
    assert_eq!(seen, ["Failure", "Rejected", "Success", "Success"]);
    assert_eq!(rig.spool().status().uploaded, 2);
    assert_eq!(rig.s3().get_status().queue.unwrap().depth, 0);
}

#[tokio::test]
async fn the_figures_are_metrics_when_asked_for() {
    let rig = spooled().await;
    rig.rig.server.kill().await;
    rig.queue("k", "v").await;
    let exporter = Exporter::new().unwrap();
    let shown = rig.spool().show(&Metrics::new(&exporter.meter()), None).unwrap();
    let text = exporter.render().unwrap();
    let bytes = format!("spool_bytes {}", rig.spool().status().bytes);
    for line in ["spool_depth 1", &bytes, "spool_oldest_seconds "] {
        assert!(text.lines().any(|other| other.starts_with(line)), "{line}: {text}");
    }
    drop(shown);
    assert!(!exporter.render().unwrap().contains("spool_depth 1"));
}

#[tokio::test]
async fn a_stream_that_nobody_has_read_is_queued_and_one_that_was_read_is_not() {
    let rig = spooled_with(|spool| spool, |s3| s3.fail_max(2)).await;
    let stream = || {
        let body = aws_sdk_s3::primitives::SdkBody::from("streamed");
        let body = aws_sdk_s3::primitives::SdkBody::from_body_1_x(body);
        assert!(body.try_clone().is_none());
        aws_sdk_s3::primitives::ByteStream::new(body)
    };
    rig.rig.server.inject_times(s3_service::test_server::Fault::InternalError, 1);
    let error = rig.s3().upload(Upload::new("k", stream())).await.unwrap_err();
    assert_eq!(error.error_type(), Some(ErrorType::Server), "the stream is used up");

    rig.rig.server.kill().await;
    id(&rig.s3().upload(Upload::new("refused", stream())).await.unwrap());
    assert_eq!(rig.s3().breaker().state(), State::Open);
    id(&rig.s3().upload(Upload::new("rejected", stream())).await.unwrap());
    let mut events = rig.spool().events();
    rig.heal().await;
    rig.left(&mut events, 2).await;
    assert_eq!(rig.stored("refused").await.as_deref(), Some("streamed"));
    assert_eq!(rig.stored("rejected").await.as_deref(), Some("streamed"));
}
