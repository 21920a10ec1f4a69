use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use circuit_layer::{CircuitBreaker, Clock, ManualClock, State};

use super::{Step, poll, read, script};
use crate::body::{ByteTotals, DownloadBody, STALLED_AFTER, Tail, stalled_after};

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
