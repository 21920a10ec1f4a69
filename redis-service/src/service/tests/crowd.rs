//! Many callers at once, whose commands are combined.

use tokio::task::JoinSet;

use super::*;

const CALLERS: u32 = 300;

/// Everybody at once, over a connection that is there.
async fn all(
    service: &RedisService<Fake>,
    request: impl Fn(u32) -> Request,
) -> Vec<(u32, Result<Value, RedisError>)> {
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (service, request) = (service.clone(), request(caller));
        callers.spawn(async move { (caller, send(&service, request).await) });
    }
    callers.join_all().await
}

#[tokio::test(start_paused = true)]
async fn each_caller_in_a_crowd_has_its_own_answer_or_error() {
    let fake = Fake::new(|line| match line {
        "GET bad" => Reply::Line("-WRONGTYPE no"),
        "GET full" => Reply::Line("-OOM no"),
        _ => OK,
    });
    let service = over(&fake);
    send(&service, get()).await.unwrap();
    let key = |caller: u32| ["bad", "full", "good"][usize::try_from(caller % 3).unwrap()];
    let answers = all(&service, |caller| Request::Get { key: key(caller).into() }).await;
    for (caller, answer) in answers {
        let kind = answer.as_ref().err().map(RedisError::kind);
        let expected = [Some(ErrorKind::Client), Some(ErrorKind::Oom), None];
        assert_eq!(kind, expected[usize::try_from(caller % 3).unwrap()], "{answer:?}");
    }
    assert_eq!((fake.dials(), service.pool().retired), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_crowd_that_gets_no_answer_ends_by_the_deadline_and_may_have_been_heard() {
    let fake = Fake::new(calls(Reply::Silence));
    let service = over(&fake);
    send(&service, Request::Ping).await.unwrap();
    let begun = service.core.lanes.clock.now();
    for (_, answer) in all(&service, |_| incr()).await {
        let error = answer.unwrap_err();
        assert!(matches!(error, RedisError::Timeout { maybe_applied: true, .. }), "{error:?}");
    }
    assert_eq!(service.core.lanes.clock.now() - begun, Duration::from_millis(500));
    assert_eq!((service.pool().in_flight, service.pool().retired), (0, 1));
}
