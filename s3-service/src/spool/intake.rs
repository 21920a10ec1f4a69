//! From a write to a durable entry: the body goes to the disk as it is read.

use std::pin::Pin;
use std::sync::Arc;

use aws_sdk_s3::primitives::SdkBody;
use bytes::Bytes;
use http_body::Body as _;

use super::claim::Claim;
use super::draft::{CHUNK, Draft, TRAILER};
use super::error::SpoolError;
use super::header::Header;
use super::name::{Action, EntryId};
use super::room::Room;
use super::store::Store;
use crate::request::{Attributes, Upload};

/// A write to S3, now or later.
#[derive(Debug)]
pub(super) enum Write {
    Upload(Box<Upload>),
    Delete(String),
}

impl From<Upload> for Write {
    fn from(upload: Upload) -> Self {
        Self::Upload(Box::new(upload))
    }
}

/// A write that is durable.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) id: EntryId,
    /// The right to upload it at once, where the caller wanted it and it was its turn.
    pub(super) claim: Option<Claim>,
}

/// Stores a write. When this returns `Ok`, it survives a loss of power; when it returns an error,
/// nothing of it is left.
///
/// Dropped, it may have stored the write or not, like any request whose answer nobody waited for.
pub(super) async fn store(
    store: &Arc<Store>,
    write: Write,
    claim: bool,
) -> Result<Ticket, SpoolError> {
    let stored = write_down(store, write, claim).await;
    if matches!(stored, Err(SpoolError::Full(_))) {
        store.state().refused += 1;
    }
    stored
}

async fn write_down(store: &Arc<Store>, write: Write, claim: bool) -> Result<Ticket, SpoolError> {
    let (action, key, attributes, mut body) = match write {
        Write::Upload(upload) => {
            let Upload { key, body, attributes } = *upload;
            (Action::Put, key, attributes, body)
        }
        Write::Delete(key) => (Action::Delete, key, Attributes::default(), SdkBody::empty()),
    };
    let header = Header { action, bucket: store.bucket.clone(), key, attributes };
    let room = Room::reserve(store, body.content_length().unwrap_or(0))?;
    let mut pen = Pen { store: Arc::clone(store), header, draft: None, room };
    loop {
        let (chunk, is_last) = chunk(&mut body).await?;
        if is_last {
            return blocking(move || pen.finish(&chunk, claim)).await;
        }
        pen = blocking(move || pen.write(&chunk).map(|()| pen)).await?;
    }
}

/// The next bytes of a body, and whether they are the last.
async fn chunk(body: &mut SdkBody) -> Result<(Vec<Bytes>, bool), SpoolError> {
    let (mut chunk, mut size) = (Vec::new(), 0);
    while size < CHUNK {
        let frame = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        match frame {
            None => return Ok((chunk, true)),
            Some(Err(error)) => return Err(SpoolError::Body(error)),
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    size += bytes.len();
                    chunk.push(bytes);
                }
            }
        }
    }
    Ok((chunk, false))
}

/// Runs what waits for a disk where waiting is allowed.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    // A join error is the end of the runtime, or a panic of a `Disk`.
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(SpoolError::Write(error.into())))
}

/// An entry on its way to the disk. Dropped, it takes its draft along.
#[derive(Debug)]
struct Pen {
    store: Arc<Store>,
    header: Header,
    draft: Option<Draft>,
    /// Dropped last, so that a close waits for the draft's removal.
    room: Room,
}

impl Pen {
    fn begin(&self) -> Result<Draft, SpoolError> {
        let header = self.header.to_bytes().map_err(|error| SpoolError::Write(error.into()))?;
        let mut draft = self.store.folder.draft().map_err(SpoolError::write)?;
        draft.write(&header).map_err(SpoolError::write)?;
        Ok(draft)
    }

    fn write(&mut self, chunk: &[Bytes]) -> Result<(), SpoolError> {
        let mut draft = match self.draft.take() {
            Some(draft) => draft,
            None => self.begin()?,
        };
        let more: usize = chunk.iter().map(Bytes::len).sum();
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        self.room.cover(draft.size().saturating_add(more).saturating_add(TRAILER))?;
        for bytes in chunk {
            draft.write(bytes).map_err(SpoolError::write)?;
        }
        self.room.wrote(draft.written());
        self.draft = Some(draft);
        Ok(())
    }

    fn finish(mut self, chunk: &[Bytes], claim: bool) -> Result<Ticket, SpoolError> {
        self.write(chunk)?;
        let Self { store, header, draft, room } = self;
        let Some(mut draft) = draft else { return Err(SpoolError::Closed) };
        draft.finish().map_err(SpoolError::write)?;
        let (id, claimed) = store.commit(room, draft, &header, claim)?;
        let claim = claimed.then(|| Claim::of(&store, id)).flatten();
        Ok(Ticket { id, claim })
    }
}
