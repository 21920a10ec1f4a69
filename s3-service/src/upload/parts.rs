//! Cuts a stream into the parts of a multipart upload.
//!
//! A part is bytes in memory, so that the SDK can repeat it, hash it and tell its length. Bytes that
//! are in memory already are cut without a copy; those of a stream are gathered.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_types::body::Error;
use bytes::{Bytes, BytesMut};
use http_body::Body as _;

/// S3 takes parts from 5 MiB on. Eight of them in a second are 64 MiB/s, and three in memory are
/// few enough.
const PART: u64 = 8 * 1024 * 1024;

/// The most parts that S3 takes.
const MOST: u64 = 10_000;

/// A stream of unknown length doubles its parts so often: 10 000 parts hold over 7 TiB, more than
/// S3 takes in one object.
const DOUBLED_EACH: u64 = 1_000;

/// The caller's stream was not as long as it said.
#[derive(Debug, thiserror::Error)]
#[error("the body has {read} bytes, and {announced} were announced")]
struct WrongLength {
    read: u64,
    announced: u64,
}

#[derive(Debug)]
pub(super) struct Parts {
    body: SdkBody,
    announced: Option<u64>,
    read: u64,
    /// What was read beyond the part that it completed.
    ahead: VecDeque<Bytes>,
    /// The part that is being gathered; kept here, so that a wait for more may be given up.
    gathered: BytesMut,
    ended: bool,
    cut: u64,
}

impl Parts {
    pub(super) fn new(body: SdkBody) -> Self {
        Self {
            announced: body.content_length(),
            body,
            read: 0,
            ahead: VecDeque::new(),
            gathered: BytesMut::new(),
            ended: false,
            cut: 0,
        }
    }

    /// The whole body, if it is shorter than `limit`; else nothing is lost, and parts begin with
    /// what was read.
    pub(super) async fn whole_below(&mut self, limit: u64) -> Result<Option<Bytes>, Error> {
        let bytes = self.gather(limit).await?;
        if len(&bytes) < limit {
            return Ok(Some(bytes));
        }
        self.ahead.push_front(bytes);
        Ok(None)
    }

    /// The next part; `None` after the last.
    ///
    /// Cancel safe: what was gathered stays for the next call.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let part = self.gather(part_size(self.cut, self.announced)).await?;
        if part.is_empty() {
            return match self.announced {
                Some(announced) if announced != self.read => {
                    Err(WrongLength { read: self.read, announced }.into())
                }
                Some(_) | None => Ok(None),
            };
        }
        self.cut += 1;
        Ok(Some(part))
    }

    /// `wanted` bytes, or all that are left.
    async fn gather(&mut self, wanted: u64) -> Result<Bytes, Error> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        loop {
            let missing = wanted.saturating_sub(self.gathered.len());
            if missing == 0 {
                return Ok(std::mem::take(&mut self.gathered).freeze());
            }
            if let Some(mut frame) = self.ahead.pop_front() {
                let taken = frame.split_to(missing.min(frame.len()));
                if !frame.is_empty() {
                    self.ahead.push_front(frame);
                }
                let is_last = self.ahead.is_empty() && self.body.is_end_stream();
                if self.gathered.is_empty() && (taken.len() == wanted || is_last) {
                    return Ok(taken);
                }
                self.gathered.extend_from_slice(&taken);
            } else if self.ended {
                return Ok(std::mem::take(&mut self.gathered).freeze());
            } else {
                self.read_frame().await?;
            }
        }
    }

    async fn read_frame(&mut self) -> Result<(), Error> {
        match poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx)).await {
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                self.read = self.read.saturating_add(len(&data));
                self.ahead.push_back(data);
            }
            Some(Err(error)) => return Err(error),
            None => self.ended = true,
        }
        Ok(())
    }
}

fn len(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// How long the part after `cut` others is.
fn part_size(cut: u64, announced: Option<u64>) -> u64 {
    match announced {
        Some(length) => length.div_ceil(MOST).max(PART),
        None => PART << (cut.checked_div(DOUBLED_EACH).unwrap_or(0)).min(20),
    }
}

#[cfg(test)]
mod tests;
