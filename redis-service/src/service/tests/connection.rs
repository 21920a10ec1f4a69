//! When a connection is given up.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_timeout_says_that_the_command_may_have_been_applied() {
    let fake = Fake::new(calls(Reply::Silence));
    let error = send(&over(&fake), incr()).await.unwrap_err();
    assert!(matches!(error, RedisError::Timeout { maybe_applied: true, .. }));
    assert!(error.counts());
}

#[tokio::test(start_paused = true)]
async fn three_timeouts_in_a_row_retire_the_connection() {
    let fake = Fake::new(calls(Reply::Silence));
    let service = over(&fake);
    for _ in 0..3 {
        assert_eq!(fake.dials().max(1), 1);
        assert!(send(&service, get()).await.is_err());
    }
    assert!(!service.pool().connected);
    assert_eq!(service.pool().retired, 1);
    assert_eq!(service.pool().connections, 0);
    fake.answers(calls(OK));
    assert!(send(&service, get()).await.is_ok());
    assert_eq!(fake.dials(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_between_starts_the_count_of_timeouts_again() {
    let fake = Fake::new(calls(Reply::Silence));
    let service = over(&fake);
    for _ in 0..4 {
        for _ in 0..2 {
            fake.answers(calls(Reply::Silence));
            assert!(send(&service, get()).await.is_err());
        }
        fake.answers(calls(Reply::Line("-WRONGTYPE no")));
        assert!(send(&service, get()).await.is_err());
    }
    assert_eq!((fake.dials(), service.pool().retired), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn calls_dropped_late_count_as_timeouts_of_the_connection() {
    let fake = Fake::new(calls(Reply::Silence));
    let service = over(&fake);
    let drop_after = async |wait: Duration| {
        tokio::time::timeout(wait, send(&service, get())).await.unwrap_err();
    };
    for _ in 0..10 {
        drop_after(Duration::from_millis(200)).await;
    }
    assert_eq!(service.pool().retired, 0, "before half the deadline a drop says nothing");
    for _ in 0..3 {
        drop_after(Duration::from_millis(300)).await;
    }
    assert_eq!(service.pool().retired, 1);
    assert_eq!(service.pool().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn readonly_retires_the_connection() {
    let fake = Fake::new(calls(Reply::Line("-READONLY You can't write against a replica.")));
    let service = over(&fake);
    let error = send(&service, incr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ReadOnly);
    assert!(!error.maybe_applied());
    assert!(!service.pool().connected);
}

#[tokio::test(start_paused = true)]
async fn a_read_survives_a_lost_connection_and_a_write_does_not() {
    let fake = Fake::new(calls(OK));
    let service = over(&fake);
    fake.answers(broken_once_then(OK));
    assert!(send(&service, get()).await.is_ok());
    assert_eq!(fake.dials(), 2);
    fake.answers(broken_once_then(OK));
    let error = send(&service, incr()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
    assert!(error.maybe_applied());
}

/// The first time its connection breaks, the second time it gets `then`.
fn broken_once_then(then: Reply) -> impl Fn(&str) -> Reply {
    let first = std::sync::atomic::AtomicBool::new(true);
    move |line: &str| match line {
        "PING" => OK,
        _ if first.swap(false, std::sync::atomic::Ordering::SeqCst) => Reply::Broken,
        _ => then,
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_whose_connection_broke_may_have_been_applied_however_it_ends_the_second_time() {
    for (redial, then, kind) in [
        (Dialled::Refused, OK, ErrorKind::Connection),
        (Dialled::Hangs, OK, ErrorKind::Timeout),
        (Dialled::Connected, Reply::Broken, ErrorKind::Connection),
        (Dialled::Connected, Reply::Silence, ErrorKind::Timeout),
        (Dialled::Connected, Reply::Line("-LOADING not yet"), ErrorKind::Loading),
        (Dialled::Connected, Reply::Line("-READONLY a replica"), ErrorKind::ReadOnly),
    ] {
        let fake = Fake::new(calls(OK));
        let service = over(&fake);
        send(&service, get()).await.unwrap();
        fake.will_be(redial);
        fake.answers(broken_once_then(then));
        let error = send(&service, set()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.maybe_applied(), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_waits_in_vain_to_be_sent_again_is_not_merely_busy() {
    let fake = Fake::new(calls(OK));
    let config = ServiceConfig { connections: 2, ..ServiceConfig::default() };
    let service = RedisService::new(fake.clone(), config, Clock::default());
    fake.answers(broken_once_then(Reply::Silence));
    let alone = || {
        let mut set = redis::cmd("SET");
        set.arg("k").arg("v");
        send(&service, Request::Raw(Raw::new(set).repeatable().alone()))
    };
    // Both queue before the first may go.
    let place = service.core.lanes.place().await.unwrap();
    let (first, second, ()) = tokio::join!(alone(), alone(), async { drop(place) });
    assert_eq!(fake.dials(), 2, "the second has the only place meanwhile");
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(matches!(error, RedisError::Timeout { maybe_applied: true, .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_is_sent_twice_at_most() {
    let fake = Fake::new(calls(Reply::Broken));
    assert!(send(&over(&fake), get()).await.is_err());
    assert_eq!(fake.dials(), 2);
}
