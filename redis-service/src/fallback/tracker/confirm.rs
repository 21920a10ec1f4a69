//! Reading back what we have written.
//!
//! The replies come over the connection that tells of changes, and whatever waits behind them is late:
//! so it is read in slices, and no longer than a part of each beat. What does not come in time says
//! nothing of the connection; it stays in doubt, and is asked for again.

use std::collections::VecDeque;

use bytes::Bytes;
use redis::RedisError;
use redis::aio::ConnectionLike;

use super::{Core, LIMIT, within};
use crate::fallback::plan::text;

/// The most keys of one slice, and the bytes after which it is full. At 1 Gbit/s these take 8 ms.
const KEYS: usize = 32;
const BYTES: usize = 1 << 20;

/// Keys in doubt, in the order in which they are read.
#[derive(Debug, Default)]
pub(super) struct Doubts(VecDeque<Bytes>);

impl Doubts {
    /// Reads for as long as it takes, up to one limit, and the last slice up to another.
    pub(super) async fn confirm(
        &mut self,
        link: &mut impl ConnectionLike,
        core: &Core,
    ) -> Result<(), RedisError> {
        if self.0.is_empty() {
            self.0.extend(core.cache.take_doubtful());
        }
        let until = core.clock.now() + LIMIT;
        while core.clock.now() < until {
            let slice = self.slice(core);
            if slice.is_empty() {
                break;
            }
            match within(read(link, core, &slice)).await {
                Err(error) if error.is_timeout() => {
                    self.0.extend(slice);
                    break;
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// The next ones that are still kept and still in doubt.
    fn slice(&mut self, core: &Core) -> Vec<Bytes> {
        let (mut slice, mut bytes) = (Vec::new(), 0_usize);
        while slice.len() < KEYS
            && bytes < BYTES
            && let Some(key) = self.0.pop_front()
        {
            if let Some(size) = core.cache.in_doubt(&key) {
                bytes = bytes.saturating_add(size);
                slice.push(key);
            }
        }
        slice
    }
}

async fn read(
    link: &mut impl ConnectionLike,
    core: &Core,
    keys: &[Bytes],
) -> Result<(), RedisError> {
    let now = core.clock.now();
    let tickets: Vec<_> = keys.iter().map(|key| core.cache.ticket(key, now)).collect();
    let mut reads = redis::pipe();
    for key in keys {
        reads.cmd("GET").arg(key.as_ref());
    }
    let values = link.req_packed_commands(&reads, 0, keys.len()).await?;
    let now = core.clock.now();
    for ((key, ticket), value) in keys.iter().zip(tickets).zip(values) {
        core.cache.learn(ticket, key, text(&value), now);
    }
    Ok(())
}
