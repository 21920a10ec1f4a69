//! The deadline of a call that first waits for the deletion of what was written locally.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use circuit_layer::Clock;
use redis_service::redis::aio::ConnectionLike;
use redis_service::redis::{self, Cmd, Pipeline, RedisFuture};
use redis_service::{
    Dial, Error, ErrorKind, FallbackConfig, FallbackLayer, Memory, MemoryConn, Raw, Redis,
    RedisError, Request, SetOptions, Source, Value,
};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{pass, secs};

const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

async fn wait(time: Duration) {
    let clock = Clock::default();
    clock.sleep_until(clock.now() + time).await;
}

/// A Redis in memory that takes its time for each command.
#[derive(Clone, Default)]
struct Slow {
    memory: Memory,
    millis: Arc<AtomicU64>,
}

struct SlowConn {
    link: MemoryConn,
    millis: Arc<AtomicU64>,
}

impl Clone for SlowConn {
    fn clone(&self) -> Self {
        Self { link: self.link.clone(), millis: Arc::clone(&self.millis) }
    }
}

impl Dial for Slow {
    type Conn = SlowConn;

    async fn dial(&self) -> Result<SlowConn, redis::RedisError> {
        Ok(SlowConn { link: self.memory.dial().await?, millis: Arc::clone(&self.millis) })
    }

    fn address(&self) -> Arc<str> {
        "slow".into()
    }
}

impl ConnectionLike for SlowConn {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            wait(millis(self.millis.load(Ordering::SeqCst))).await;
            self.link.req_packed_command(cmd).await
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        self.link.req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        0
    }
}

/// A client that has written `k` locally, and knows a Redis that has become slow.
async fn behind(slow: &Slow) -> Redis {
    let local = FallbackConfig::new().local_writes(true);
    let redis = Redis::builder().deadline(millis(500)).fallback(local);
    let redis = redis.connect_by(slow.clone()).await.unwrap();
    slow.memory.go_down();
    let set = redis.set_answer("k", "local", SetOptions::new()).await.unwrap();
    assert_eq!(set.source, Source::Local);
    slow.memory.come_back();
    pass(secs(1)).await;
    redis.ping().await.unwrap();
    slow.millis.store(400, Ordering::SeqCst);
    redis
}

#[tokio::test(start_paused = true)]
async fn a_call_behind_a_slow_deletion_has_one_deadline() {
    let (slow, clock) = (Slow::default(), Clock::default());
    let redis = behind(&slow).await;
    let begun = clock.now();
    let error = redis.get::<String>("k").await.unwrap_err();
    assert_eq!((error.kind(), clock.now() - begun), (Some(ErrorKind::Timeout), millis(500)));
    assert!(matches!(error, Error::Redis(error) if error.maybe_applied()), "it was sent");
    assert_eq!(redis.get_status().fallback.unwrap().local_writes, 0);
    assert_eq!(redis.get::<String>("k").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_deadline_of_its_own_has_that_behind_a_slow_deletion_too() {
    let (slow, clock) = (Slow::default(), Clock::default());
    let redis = behind(&slow).await;
    let get = Raw::new(redis::cmd("GET").arg("k").take()).within(secs(2));
    let begun = clock.now();
    assert_eq!(redis.call(get).await.unwrap(), Value::Nil);
    assert_eq!(clock.now() - begun, millis(800));
}

#[tokio::test(start_paused = true)]
async fn a_layer_by_itself_is_told_the_deadline() {
    let clock = Clock::default();
    for (told, takes) in [(None, 1200), (Some(millis(1000)), 1000), (Some(millis(500)), 500)] {
        let times = Arc::new(Mutex::new([millis(0), millis(600), millis(600)].into_iter()));
        let service = service_fn(move |request: Request| {
            let time = times.lock().unwrap().next().unwrap();
            async move {
                wait(time).await;
                let failed = RedisError::Timeout { maybe_applied: true, after: secs(1) };
                if matches!(request, Request::Set { .. }) { Err(failed) } else { Ok(Value::Nil) }
            }
        });
        let layer = FallbackLayer::new(FallbackConfig::new().local_writes(true));
        let layer = if let Some(deadline) = told { layer.deadline(deadline) } else { layer };
        let service = layer.layer(service);
        let key = || "k".into();
        let set = Request::Set { key: key(), value: key(), options: SetOptions::new() };
        assert_eq!(service.clone().oneshot(set).await.unwrap().source, Source::Local);
        let begun = clock.now();
        let answer = service.oneshot(Request::Get { key: key() }).await;
        assert_eq!(clock.now() - begun, millis(takes));
        match takes {
            1200 => assert_eq!(answer.unwrap().source, Source::Redis),
            // Deleted, and lost.
            1000 => assert!(matches!(answer, Err(Error::Redis(e)) if e.maybe_applied())),
            // Not deleted yet.
            _ => assert_eq!(answer.unwrap().source, Source::Local),
        }
    }
}
