use std::sync::Arc;
use std::task::Poll;

use aws_smithy_types::body::SdkBody;
use http_body::{Body, SizeHint};

use super::{Step, poll, read, script};
use crate::body::{ByteTotals, SLICE, Source, UploadBody};

fn upload(body: SdkBody) -> (SdkBody, Arc<ByteTotals>, Arc<Source>) {
    let (totals, source) = (Arc::new(ByteTotals::default()), Arc::new(Source::default()));
    let counter = Arc::<ByteTotals>::clone(&totals);
    (UploadBody::wrap(body, Some(counter), Arc::clone(&source)), totals, source)
}

#[test]
fn a_large_body_is_counted_slice_by_slice() {
    let (mut body, totals, _) = upload(SdkBody::from(vec![1; SLICE * 2 + 5]));
    assert!(poll(&mut body).is_ready());
    assert_eq!(totals.uploaded(), 65_536);
    assert_eq!(read(&mut body), [SLICE, 5]);
    assert_eq!(totals.uploaded(), 65_536 * 2 + 5);
}

#[test]
fn a_wrapped_body_keeps_its_bytes_its_length_and_its_replays() {
    let (mut body, totals, _) = upload(SdkBody::from("hello"));
    assert_eq!(body.bytes(), Some(&b"hello"[..]));
    assert_eq!(body.content_length(), Some(5));
    let mut replay = body.try_clone().expect("replayable");
    assert_eq!(read(&mut body), [5]);
    assert!(body.is_end_stream());
    assert_eq!(SizeHint::with_exact(0).exact(), Body::size_hint(&body).exact());
    assert_eq!(read(&mut replay), [5]);
    drop(body.try_clone());
    assert_eq!(totals.uploaded(), 10, "what nobody polled is not counted");
}

#[test]
fn the_size_hint_is_exact_in_the_middle_of_a_frame() {
    let (mut body, ..) = upload(SdkBody::from(vec![1; SLICE + 9]));
    assert!(poll(&mut body).is_ready());
    assert_eq!(body.content_length(), Some(9));
}

#[test]
fn the_end_is_remembered() {
    // The SDK's own layer polls its inner body twice at the end, hence two ends.
    let steps = [Step::Data(3), Step::End, Step::End, Step::Data(9)];
    let (mut body, totals, _) = upload(script(steps));
    assert_eq!(read(&mut body), [3]);
    for _ in 0..4 {
        assert!(matches!(poll(&mut body), Poll::Ready(None)));
    }
    assert_eq!(totals.uploaded(), 3);
}

#[test]
fn an_upload_tells_whether_its_source_is_what_it_waits_for() {
    let (mut body, _, source) = upload(script([Step::Data(3), Step::Wait, Step::Data(4)]));
    assert!(poll(&mut body).is_ready());
    assert!(!source.starved());
    assert!(poll(&mut body).is_pending());
    assert!(source.starved());
    assert!(poll(&mut body).is_ready());
    assert!(!source.starved());
}
