//! What a deletion that fails says, and what it does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::Value;
use tower::{Layer, ServiceExt, service_fn};

use crate::error::{CallError, DialError, Error, RedisError};
use crate::fallback::{FallbackConfig, FallbackLayer, Source};
use crate::operation::Operation;
use crate::request::{Request, SetOptions};

fn refused() -> Error {
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    RedisError::Dial(DialError::new(&"shard".into(), refused.into())).into()
}

/// As one shard of a cluster that is away: its connection is refused, and all else answered.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_fails_takes_nothing_from_the_memory() {
    let down = Arc::new(AtomicBool::new(true));
    let all = Arc::clone(&down);
    let shards = service_fn(move |request: Request| {
        let away = all.load(Ordering::SeqCst) || matches!(request, Request::Delete { .. });
        std::future::ready(if away { Err(refused()) } else { Ok(Value::BulkString(b"v".to_vec())) })
    });
    let redis = FallbackLayer::new(FallbackConfig::new().local_writes(true)).layer(shards);
    let call = async |request: Request| redis.clone().oneshot(request).await.unwrap().source;
    let get = async |key: &'static str| call(Request::Get { key: key.into() }).await;
    let (key, value) = ("away".into(), "v".into());
    let set = Request::Set { key, value, options: SetOptions::new() };
    assert_eq!(call(set).await, Source::Local);

    down.store(false, Ordering::SeqCst);
    for round in 0..10 {
        assert_eq!(get("kept").await, Source::Redis, "in round {round}");
        tokio::time::advance(Duration::from_millis(300)).await;
        // Sets the deletion off, and goes on.
        assert_eq!(get("other").await, Source::Redis);
        tokio::task::yield_now().await;
    }
    // Has its failure, of a moment ago.
    assert_eq!(get("away").await, Source::Local);
    assert_eq!(get("other").await, Source::Redis);
    down.store(true, Ordering::SeqCst);
    assert_eq!(get("kept").await, Source::Memory);
}

fn told(code: &'static str) -> Error {
    let error = redis::make_extension_error(code.to_owned(), Some("no".to_owned()));
    RedisError::Call { operation: Operation::Delete, source: CallError::new(error) }.into()
}

#[test]
fn only_what_is_forbidden_is_given_up() {
    assert!(super::is_refusal(&told("NOPERM")));
    for passes in ["MOVED", "CLUSTERDOWN", "NOREPLICAS", "ERR"] {
        assert!(!super::is_refusal(&told(passes)), "{passes}");
    }
}
