use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::{Error, SdkBody};
use bytes::Bytes;
use circuit_layer::{CircuitBreaker, Clock, ManualClock, State};
use http_body::{Body, Frame, SizeHint};

use super::{
    ByteTotals, DownloadBody, SLICE, STALLED_AFTER, Source, Tail, UploadBody, stalled_after,
};

/// What a body does, poll by poll.
#[derive(Debug)]
struct Script(VecDeque<Step>);

#[derive(Debug)]
enum Step {
    Data(usize),
    Wait,
    Break,
    End,
}

impl Body for Script {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.0.pop_front() {
            Some(Step::Data(len)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![7; len]))))),
            Some(Step::Wait) => Poll::Pending,
            Some(Step::Break) => Poll::Ready(Some(Err("broken".into()))),
            Some(Step::End) | None => Poll::Ready(None),
        }
    }
}

fn script(steps: impl IntoIterator<Item = Step>) -> SdkBody {
    SdkBody::from_body_1_x(Script(steps.into_iter().collect()))
}

fn poll(body: &mut SdkBody) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

/// Reads to the end, the break or the first wait; the lengths of the frames.
fn read(body: &mut SdkBody) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let Poll::Ready(Some(Ok(frame))) = poll(body) {
        lengths.push(frame.data_ref().expect("data").len());
    }
    lengths
}

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

/// A breaker that one failure trips, and a download under it.
struct Rig {
    breaker: CircuitBreaker,
    time: ManualClock,
    tail: Arc<Tail>,
    totals: Arc<ByteTotals>,
    body: SdkBody,
}

fn download(body: SdkBody) -> Rig {
    let (clock, time) = Clock::manual();
    let builder = CircuitBreaker::builder("t").fail_max(1).half_open_max_attempts(1);
    let breaker = builder.clock(clock).build().expect("valid");
    under(breaker, time, body)
}

fn under(breaker: CircuitBreaker, time: ManualClock, body: SdkBody) -> Rig {
    let (tail, totals) = (Arc::new(Tail::default()), Arc::new(ByteTotals::default()));
    let counter = Arc::<ByteTotals>::clone(&totals);
    let meeting = Arc::clone(&tail);
    let body = DownloadBody::wrap(body, Some(counter), meeting, breaker.clone(), STALLED_AFTER);
    Rig { breaker, time, tail, totals, body }
}

impl Rig {
    /// The headers are in.
    fn headers(&self) {
        self.tail.carry(self.breaker.try_acquire().expect("admitted"));
    }
}

#[test]
fn a_whole_download_counts_its_bytes_and_trips_nothing() {
    let mut rig = download(script([Step::Data(3), Step::Data(4), Step::End]));
    rig.headers();
    assert_eq!(read(&mut rig.body), [3, 4]);
    assert_eq!(rig.totals.downloaded(), 7);
    drop(rig.body);
    assert_eq!(rig.breaker.state(), State::Closed);
}

#[test]
fn a_broken_download_is_a_failure() {
    let mut rig = download(script([Step::Data(3), Step::Break]));
    rig.headers();
    assert_eq!(read(&mut rig.body), [3]);
    assert_eq!(rig.breaker.state(), State::Open);
}

#[test]
fn a_download_that_broke_before_the_permit_came_is_a_failure() {
    let mut rig = download(script([Step::Break]));
    assert!(poll(&mut rig.body).is_ready());
    rig.headers();
    assert_eq!(rig.breaker.state(), State::Open);
}

#[test]
fn a_dropped_download_is_ignored() {
    let mut rig = download(script([Step::Data(3), Step::Wait]));
    rig.headers();
    assert_eq!(read(&mut rig.body), [3]);
    rig.time.advance(STALLED_AFTER - Duration::from_nanos(1));
    drop(rig.body);
    assert_eq!(rig.breaker.state(), State::Closed);
}

#[test]
fn a_download_dropped_after_a_long_silence_is_a_failure() {
    let mut rig = download(script([Step::Data(3), Step::Wait]));
    rig.headers();
    assert_eq!(read(&mut rig.body), [3]);
    rig.time.advance(STALLED_AFTER);
    drop(rig.body);
    assert_eq!(rig.breaker.state(), State::Open);
}

#[test]
fn a_long_silence_ends_before_the_grace_of_the_sdk_does() {
    let grace = |millis| {
        let config = StalledStreamProtectionConfig::enabled();
        stalled_after(Some(&config.grace_period(Duration::from_millis(millis)).build()))
    };
    assert_eq!(grace(1_000), Duration::from_millis(900));
    assert_eq!(grace(5_000), STALLED_AFTER);
    assert_eq!(grace(20_000), STALLED_AFTER);
    assert_eq!(stalled_after(Some(&StalledStreamProtectionConfig::disabled())), STALLED_AFTER);
    assert_eq!(stalled_after(None), STALLED_AFTER);
}

#[test]
fn a_reader_that_takes_its_time_is_no_silence_of_the_service() {
    let mut rig = download(script([Step::Data(3), Step::Data(4)]));
    rig.headers();
    assert!(poll(&mut rig.body).is_ready());
    rig.time.advance(STALLED_AFTER * 2);
    drop(rig.body);
    assert_eq!(rig.breaker.state(), State::Closed);
}

fn half_open_download(steps: impl IntoIterator<Item = Step>) -> Rig {
    let rig = download(SdkBody::empty());
    rig.breaker.try_acquire().expect("admitted").failure("server");
    assert_eq!(rig.breaker.state(), State::Open);
    rig.time.advance(Duration::from_secs(60));
    let rig = under(rig.breaker, rig.time, script(steps));
    rig.headers();
    rig
}

#[test]
fn a_probe_settles_at_the_headers() {
    let rig = half_open_download([Step::Wait]);
    assert_eq!(rig.breaker.state(), State::Closed, "a slow reader holds no probe");
}

#[test]
fn a_probe_whose_body_breaks_later_is_one_more_failure() {
    let mut rig = half_open_download([Step::Data(3), Step::Break]);
    assert_eq!(read(&mut rig.body), [3]);
    assert_eq!(rig.breaker.state(), State::Open);
}

#[test]
fn an_empty_download_is_over_at_its_headers() {
    let rig = download(SdkBody::empty());
    rig.headers();
    assert_eq!(rig.breaker.snapshot().probes_in_flight, 0);
    drop(rig.body);
    assert_eq!(rig.breaker.state(), State::Closed);
}
