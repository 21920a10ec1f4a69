//! Many callers' commands in one packet.
//!
//! On a connection that everybody shares, each command still pays for a place in the driver's
//! queue, for an entry in its list of answers, and for a wake-up; and the driver is woken by the first
//! command, before the others have come, so that it writes two or three to a packet. With a few callers
//! that is nothing beside the way to Redis. With many it is what limits all of them. So above [`CROWD`]
//! calls in flight the commands go through here: the first that comes lets everybody else who is
//! about to run run first, and then all that have queued up are sent as one pipeline.
//!
//! ```text
//! caller ──┐
//! caller ──┼──▶ queue ──▶ yield ──▶ one pipeline of ≤ 256, at most 16 on their way ─▶ connection
//! caller ──┘                          └── its replies, each to its own caller
//! ```
//!
//! The whole stack against a bare connection, in throughput at 16, 64 and 256 callers. On two cores that
//! others use too: 1.23–1.27, 1.13–1.18 and 1.08–1.25; without the yield 0.89, 1.00 and 0.65. On two cores of
//! its own: 0.67–0.78, 0.88–0.94 and 0.83–0.89, with or without it, and 1.03, 1.08 and 0.86 of a bare connection
//! that, as ours, does not wait for acknowledgements (`tests/bench` tells why). Batches of 8 to 128 and one
//! to 16 of them on their way change less there than one run differs from the next. Alone it would cost
//! a single caller half of its latency (26 µs instead of 17), which is why few callers go past it.

use std::convert::Infallible;
use std::future::Future;
use std::io;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use redis::aio::ConnectionLike;
use redis::{Arg, Cmd, Pipeline, RedisError, Value};
use tokio::sync::{mpsc, oneshot};

use crate::request::is_empty;

/// Calls in flight above which commands are combined.
pub(crate) const CROWD: usize = 4;

/// Commands of one pipeline. Their replies arrive together, so more would cost latency.
const BATCH: usize = 256;

/// Pipelines on their way at one time. With Redis next door four are enough to keep the connection busy
/// in both directions; far away, a call waits for one of them to come back: for a thirty-second of the
/// way there and back on average.
const BATCHES: usize = 16;

/// A command with more bytes than this gains nothing in a crowd, and holds up the others.
const SMALL: usize = 4096;

type Answer = Result<Value, RedisError>;

/// The queue in front of one connection.
///
/// It ends with its last handle. Whoever waits for an answer holds one, so that nobody is left
/// behind; what nobody waits for any more is dropped unsent.
#[derive(Debug)]
pub(crate) struct Combiner {
    queue: mpsc::UnboundedSender<Entry>,
    /// Tells the task by its end that no handle is left, also while the task takes in nothing.
    _held: oneshot::Sender<Infallible>,
}

#[derive(Debug)]
struct Entry {
    cmd: Cmd,
    tell: oneshot::Sender<Answer>,
}

impl Combiner {
    pub(crate) fn over<C: ConnectionLike + Clone + Send + Sync + 'static>(link: C) -> Self {
        // Not bounded by itself, but by what fills it: each entry's caller has a deadline, and three
        // of those in a row retire the connection.
        let (queue, waiting) = mpsc::unbounded_channel();
        let (held, left) = oneshot::channel();
        tokio::spawn(async move {
            // Whoever waits for an answer holds the queue, so what is on its way then matters to nobody.
            tokio::select! {
                biased;
                _ = left => {}
                () = combine(link, waiting) => {}
            }
        });
        Self { queue, _held: held }
    }

    /// Whether a command may travel with others. An empty one would bring them each other's replies.
    pub(crate) fn takes(cmd: &Cmd) -> bool {
        !cmd.is_no_response() && !is_empty(cmd) && bytes_of(cmd) <= SMALL
    }

    /// Queues the command at once.
    ///
    /// # Cancellation
    ///
    /// Dropped while it queues, the command is not sent; dropped later, Redis may execute it.
    pub(crate) fn send(&self, cmd: Cmd) -> impl Future<Output = Answer> + use<> {
        let (tell, answer) = oneshot::channel();
        // A queue that has ended drops the command, and with it the other end of the answer.
        let queued = self.queue.send(Entry { cmd, tell });
        drop(queued);
        async move { answer.await.unwrap_or_else(|_unanswered| Err(gone())) }
    }
}

/// The bytes of a command's arguments.
pub(crate) fn bytes_of(cmd: &Cmd) -> usize {
    let lengths =
        cmd.args_iter().map(|arg| if let Arg::Simple(bytes) = arg { bytes.len() } else { 0 });
    lengths.sum()
}

async fn combine<C>(link: C, mut waiting: mpsc::UnboundedReceiver<Entry>)
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    let mut batches = FuturesUnordered::new();
    let mut entries = Vec::new();
    loop {
        tokio::select! {
            biased;
            Some(()) = batches.next(), if !batches.is_empty() => {}
            count = waiting.recv_many(&mut entries, BATCH), if batches.len() < BATCHES => {
                if count == 0 {
                    return;
                }
                // Whoever is about to ask asks first; see above.
                tokio::task::yield_now().await;
                while entries.len() < BATCH && let Ok(entry) = waiting.try_recv() {
                    entries.push(entry);
                }
                batches.push(Batch::of(entries.drain(..)).send(link.clone()));
            }
        }
    }
}

/// Commands that travel together, and who waits for the reply of each.
struct Batch {
    pipeline: Pipeline,
    callers: Vec<oneshot::Sender<Answer>>,
}

impl Batch {
    /// Without those that nobody waits for any more.
    fn of(entries: impl ExactSizeIterator<Item = Entry>) -> Self {
        let mut callers = Vec::with_capacity(entries.len());
        let mut pipeline = Pipeline::with_capacity(entries.len());
        for Entry { cmd, tell } in entries {
            if !tell.is_closed() {
                pipeline.add_command(cmd);
                callers.push(tell);
            }
        }
        Self { pipeline, callers }
    }

    async fn send<C: ConnectionLike>(self, mut link: C) {
        let Self { pipeline, callers } = self;
        if callers.is_empty() {
            return;
        }
        let replies = link.req_packed_commands(&pipeline, 0, callers.len()).await;
        // A caller that has gone away meanwhile wants no answer. One without a reply, which redis-rs
        // never leaves, learns so from the channel that ends.
        match replies {
            Ok(replies) => {
                for (tell, reply) in callers.into_iter().zip(replies) {
                    drop(tell.send(Ok(reply)));
                }
            }
            Err(error) => {
                for tell in callers {
                    drop(tell.send(Err(error.clone())));
                }
            }
        }
    }
}

fn gone() -> RedisError {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use redis::{RedisFuture, cmd};

    use super::*;

    /// Never answers.
    #[derive(Clone)]
    struct Hung {
        _held: Arc<()>,
    }

    impl ConnectionLike for Hung {
        fn req_packed_command<'a>(&'a mut self, _: &'a Cmd) -> RedisFuture<'a, Value> {
            Box::pin(std::future::pending())
        }

        fn req_packed_commands<'a>(
            &'a mut self,
            _: &'a Pipeline,
            _: usize,
            _: usize,
        ) -> RedisFuture<'a, Vec<Value>> {
            Box::pin(std::future::pending())
        }

        fn get_db(&self) -> i64 {
            0
        }
    }

    #[test]
    fn only_small_commands_with_one_reply_travel_together() {
        assert!(Combiner::takes(cmd("GET").arg("k")));
        assert!(!Combiner::takes(&Cmd::new()));
        assert!(!Combiner::takes(cmd("GET").arg(vec![b'k'; SMALL])));
        assert!(!Combiner::takes(cmd("GET").set_no_response(true)));
    }

    #[tokio::test]
    async fn a_queue_that_nobody_holds_lets_its_connection_go_however_much_is_on_its_way() {
        for on_their_way in [0, 1, BATCHES, BATCHES + 1] {
            let link = Arc::new(());
            let combiner = Combiner::over(Hung { _held: Arc::clone(&link) });
            let mut calls = Vec::new();
            for _ in 0..on_their_way {
                calls.push(combiner.send(cmd("GET")));
                // Each in a batch of its own.
                for _ in 0..4 {
                    tokio::task::yield_now().await;
                }
            }
            assert!(Arc::strong_count(&link) > 1);
            drop((calls, combiner));
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            assert_eq!(Arc::strong_count(&link), 1, "{on_their_way} on their way");
        }
    }
}
