//! The connection on which Redis tells which keys change.
//!
//! `CLIENT TRACKING ON BCAST` over RESP3: Redis sends the names of all keys that change, whoever reads
//! or writes them, on a connection of its own. The calls' connections need no change for it, there is
//! one such connection however many of those, and nothing is remembered in Redis for each key.
//!
//! | when | what |
//! | --- | --- |
//! | at the start, and whenever Redis answers again | connects, turns tracking on, begins an era |
//! | a push | the keys in it are forgotten; an empty one (`FLUSHALL`) is all of them |
//! | every second | two `PING`s, one after the other; with the second answer everything from before the first has arrived |
//! | at first and then | reads the keys whose values are in doubt, such as those that we wrote, to confirm them |
//! | an unanswered `PING`, or the end of the connection | the era is cut |
//!
//! Values that are late to be confirmed stay in doubt; only an unanswered `PING` says that it hangs.
//!
//! It does not knock at a Redis that is away: it waits until a call has got through.

mod confirm;

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use circuit_layer::Clock;
use redis::aio::ConnectionLike;
use redis::{RedisError, Value};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::layer::Core;
use super::listen::{Listen, OnPush, Pushes};
use crate::cache::era::News;
use confirm::Doubts;

/// How often the connection is asked whether it still lives.
const BEAT: Duration = Duration::from_secs(1);

/// The limit of connecting, and of each answer.
const LIMIT: Duration = Duration::from_millis(500);

/// The pauses after failed attempts to connect: each twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(60);

/// The task of the tracker, which ends with the fallback that it serves.
#[derive(Debug, Default)]
pub(crate) struct Tracker(Mutex<Option<JoinHandle<()>>>);

impl Tracker {
    fn replace(&self, task: Option<JoinHandle<()>>) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(old) = std::mem::replace(&mut *current, task) {
            old.abort();
        }
    }
}

impl Drop for Tracker {
    fn drop(&mut self) {
        self.replace(None);
    }
}

impl Core {
    /// Starts to listen: at once, and then it returns after the first attempt; or when a call has got
    /// through, and then it returns at once.
    pub(crate) async fn track(self: &Arc<Self>, listen: impl Listen, at_once: bool) {
        let (tell, tried) = oneshot::channel();
        let mut task = Task {
            core: Arc::downgrade(self),
            served: Arc::clone(&self.served),
            clock: self.clock.clone(),
            tried: at_once.then_some(tell),
        };
        if !at_once {
            // The first call that gets through ends this, and wakes the task.
            self.cache.hear(News::Failed);
        }
        self.tracker.replace(Some(tokio::spawn(async move { task.run(listen).await })));
        if at_once {
            // An error means that the task has gone, and with it the tracking.
            drop(tried.await);
        }
    }

    /// Ends the connection.
    pub(crate) fn stop_tracking(&self) {
        self.tracker.replace(None);
        self.cache.hear(News::Lost);
    }
}

struct Task {
    core: Weak<Core>,
    served: Arc<Notify>,
    clock: Clock,
    tried: Option<oneshot::Sender<()>>,
}

impl Task {
    async fn run(&mut self, listen: impl Listen) {
        if self.tried.is_none() {
            self.served.notified().await;
        }
        let mut pause = FIRST_PAUSE;
        loop {
            let lost = Arc::new(Notify::new());
            match within(self.attach(&listen, &lost)).await {
                Ok(mut link) => {
                    pause = FIRST_PAUSE;
                    self.tried = None;
                    let error = self.beat(&mut link, &lost).await;
                    tracing::debug!(error, "redis tells no more which keys change");
                    let Some(core) = self.core.upgrade() else { return };
                    core.cache.hear(News::Lost);
                    drop(core);
                    self.served.notified().await;
                }
                Err(error) => {
                    self.tried = None;
                    tracing::warn!(%error, "redis does not tell which keys change; values age from when they were read");
                    self.clock.sleep_until(self.clock.now() + pause).await;
                    pause = pause.saturating_mul(2).min(LAST_PAUSE);
                    let Some(core) = self.core.upgrade() else { return };
                    let cut = core.cache.era().is_cut();
                    drop(core);
                    if cut {
                        self.served.notified().await;
                    }
                }
            }
        }
    }

    async fn attach<L: Listen>(
        &self,
        listen: &L,
        lost: &Arc<Notify>,
    ) -> Result<L::Link, RedisError> {
        let (core, clock, gone) = (Weak::clone(&self.core), self.clock.clone(), Arc::clone(lost));
        let on_push: Arc<OnPush> = Arc::new(move |pushes: Pushes<'_>| {
            let Some(core) = core.upgrade() else { return };
            match pushes {
                Pushes::Changed(keys) => {
                    let now = clock.now();
                    keys.iter().for_each(|key| core.cache.changed(key, now));
                }
                Pushes::All => core.cache.changed_all(),
                Pushes::Lost => gone.notify_one(),
            }
        });
        let mut link = listen.listen(on_push).await?;
        let mut tracking = redis::cmd("CLIENT");
        tracking.arg("TRACKING").arg("ON").arg("BCAST");
        link.req_packed_command(&tracking).await?.extract_error()?;
        if let Some(core) = self.core.upgrade() {
            core.cache.hear(News::Listening { since: self.clock.now() });
        }
        Ok(link)
    }

    /// Until the connection is lost; why it is.
    async fn beat(&self, link: &mut impl ConnectionLike, lost: &Notify) -> &'static str {
        let mut doubts = Doubts::default();
        loop {
            let Some(core) = self.core.upgrade() else { return "the client has gone" };
            if doubts.confirm(link, &core).await.is_err() {
                return "the connection has ended";
            }
            drop(core);
            tokio::select! {
                () = lost.notified() => return "the connection has ended",
                () = self.clock.sleep_until(self.clock.now() + BEAT) => {}
            }
            let asked = self.clock.now();
            for _ in 0..2 {
                if within(ask(link, &redis::cmd("PING"))).await.is_err() {
                    return "the connection does not answer";
                }
            }
            let Some(core) = self.core.upgrade() else { return "the client has gone" };
            core.cache.hear(News::Heard { up_to: asked });
        }
    }
}

async fn ask(link: &mut impl ConnectionLike, cmd: &redis::Cmd) -> Result<Value, RedisError> {
    link.req_packed_command(cmd).await?.extract_error()
}

async fn within<T>(act: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisError> {
    let timed_out = |_| Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into());
    tokio::time::timeout(LIMIT, act).await.unwrap_or_else(timed_out)
}

#[cfg(test)]
mod tests;
