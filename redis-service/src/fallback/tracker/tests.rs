use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use redis::{Arg, Cmd, Pipeline, RedisFuture};
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;

use super::*;
use crate::Error;
use crate::fallback::{FallbackConfig, FallbackLayer};
use crate::request::{Request, SetOptions};

const VALUE: &[u8] = b"v";

/// A way to Redis that is quick with a `PING` and slow with values, and notes which it is asked for.
#[derive(Clone, Default)]
struct Slow {
    each: Duration,
    asked: Arc<Mutex<Vec<Bytes>>>,
    listened: Arc<AtomicUsize>,
}

impl Listen for Slow {
    type Link = Self;

    async fn listen(&self, _: Arc<OnPush>) -> Result<Self, RedisError> {
        self.listened.fetch_add(1, Ordering::SeqCst);
        Ok(self.clone())
    }
}

impl ConnectionLike for Slow {
    fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async { Ok(Value::Okay) })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        gets: &'a Pipeline,
        _: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            for get in gets.cmd_iter() {
                let Some(Arg::Simple(key)) = get.args_iter().nth(1) else { continue };
                self.asked.lock().unwrap().push(Bytes::copy_from_slice(key));
            }
            let took = self.each.saturating_mul(count.try_into().unwrap());
            sleep(took).await;
            Ok(vec![Value::BulkString(VALUE.to_vec()); count])
        })
    }

    fn get_db(&self) -> i64 {
        0
    }
}

async fn sleep(time: Duration) {
    let clock = Clock::default();
    clock.sleep_until(clock.now() + time).await;
}

/// A fallback that is told of changes that way, over a Redis that takes what it is given.
async fn told_by(slow: &Slow) -> Arc<Core> {
    let core = Arc::new(Core::new(FallbackConfig::new(), Clock::default()));
    core.track(slow.clone(), true).await;
    core
}

async fn set(core: &Arc<Core>, key: impl Into<Bytes>, value: impl Into<Bytes>) {
    let redis = service_fn(|_: Request| async { Ok::<_, Error>(Value::Okay) });
    let service = FallbackLayer::over(Some(Arc::clone(core))).layer(redis);
    let (key, value, options) = (key.into(), value.into(), SetOptions::new());
    service.oneshot(Request::Set { key, value, options }).await.unwrap();
}

fn age(core: &Core, key: &'static str) -> Option<Duration> {
    let found = core.cache.find(&Bytes::from(key), core.clock.now(), Duration::MAX);
    found.map(|found| found.age)
}

#[tokio::test(start_paused = true)]
async fn values_that_are_slow_to_confirm_void_nothing_and_are_confirmed_in_the_end() {
    let slow = Slow { each: Duration::from_millis(10), ..Slow::default() };
    let core = told_by(&slow).await;
    set(&core, "small", VALUE).await;
    for n in 0..100 {
        set(&core, format!("other {n}"), VALUE).await;
    }
    sleep(BEAT * 3).await;
    set(&core, "one more", VALUE).await;
    assert!(age(&core, "small").is_some());
    assert!(core.report().tracked);
    sleep(BEAT * 3).await;
    let age = age(&core, "small").unwrap();
    assert!(age < BEAT * 3, "confirmed since it was written: {age:?}");
    assert_eq!(slow.listened.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn values_that_can_not_be_confirmed_age_from_when_they_were_written() {
    let slow = Slow { each: LIMIT * 2, ..Slow::default() };
    let core = told_by(&slow).await;
    set(&core, "k", VALUE).await;
    sleep(BEAT * 10).await;
    assert_eq!(age(&core, "k"), Some(BEAT * 10));
    assert!(core.report().tracked);
    assert!(slow.asked.lock().unwrap().len() > 1, "asked again");
}

#[tokio::test(start_paused = true)]
async fn what_is_too_heavy_to_keep_is_not_read_back() {
    let slow = Slow::default();
    let core = told_by(&slow).await;
    set(&core, "heavy", vec![0; 8 << 20]).await;
    set(&core, "light", VALUE).await;
    sleep(BEAT * 3).await;
    assert_eq!(*slow.asked.lock().unwrap(), ["light"]);
    assert!(age(&core, "heavy").is_none());
}
