//! The `PING` by which an open breaker finds out that Redis is back.
//!
//! The breaker is made before the connections are, and a breaker that somebody keeps must not keep them
//! open. So its question starts out empty, gets to know the connections once they are there, and never
//! holds them.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use circuit_layer::ActiveProbe;
use redis::Value;
use tower_service::Service;

use crate::builder::RedisBuilder;
use crate::engine::{Engine, WeakEngine};
use crate::error::RedisError;
use crate::request::Request;

/// The pause between two questions, as far as the dialling has to know.
const SHORTEST: Duration = Duration::from_millis(100);

/// Whom to ask, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pause: Duration,
    engine: Arc<OnceLock<WeakEngine>>,
}

impl Asker {
    /// The question, which has ended by itself when `timeout` is over.
    pub(crate) fn probe(&self, timeout: Duration) -> ActiveProbe {
        let engine = Arc::clone(&self.engine);
        let ask = move || ping(engine.get().and_then(WeakEngine::upgrade));
        // The deadline of the question is what ends it: a connection learns from that, and from being
        // dropped it does not.
        ActiveProbe::new(ask).timeout(timeout.saturating_mul(2)).pause(self.pause)
    }

    /// How often at most. It never makes the dialling of others hasty.
    pub(crate) fn pause(&self) -> Duration {
        self.pause.max(SHORTEST)
    }

    /// There is somebody to ask.
    pub(crate) fn knows(&self, engine: &Engine) {
        self.engine.get_or_init(|| engine.downgrade());
    }
}

async fn ping(engine: Option<Engine>) -> Result<Value, RedisError> {
    match engine {
        Some(mut engine) => engine.call(Request::HealthCheck).await,
        None => Err(RedisError::Closed),
    }
}

impl RedisBuilder {
    /// While the breaker is open, asks Redis by a `PING` whether it is back, and ends the wait when it
    /// is. So a short outage does not last as long as `reset_timeout`, and during a long one no call is
    /// spent on finding out: each `PING` that fails begins the wait anew.
    ///
    /// A rejected call starts it, `pause` after the one before at the earliest; it has the
    /// [deadline of a health check](Self::health_deadline), which must be longer than a healthy Redis
    /// takes, or the breaker stays open. It [closes no breaker](circuit_layer::ActiveProbe): the next
    /// calls do, as probes; so of a Redis that answers `PING` and refuses the rest, one call in each
    /// `pause` finds out. It goes past the breaker and is in no metric, in no count, in no health and
    /// in no span, because nobody called; an observer of the breaker hears of its answer. It keeps
    /// no connection open: with the client it ends.
    ///
    /// Default: nobody asks. A [finished breaker](Self::breaker) has, or has not, an active probe of
    /// its own.
    pub fn active_probe(mut self, pause: Duration) -> Self {
        self.asker = Some(Asker { pause, engine: Arc::default() });
        self
    }
}
