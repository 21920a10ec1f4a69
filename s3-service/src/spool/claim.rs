//! The right to work on one entry, given back when it is dropped.

use std::future::Future;
use std::io;
use std::sync::Arc;

use circuit_layer::Moment;

use super::error::SpoolError;
use super::folder::Durable;
use super::index::Item;
use super::intake::{Write, blocking};
use super::name::{Action, EntryId};
use super::pace;
use super::report::SpoolEvent;
use super::sound::{Flaw, Sound};
use super::store::{State, Store};
use crate::error::S3Error;
use crate::request::Upload;
use crate::response::Written;

/// Where writes go: S3, or a test's double.
pub(super) trait Uplink: Send + Sync {
    fn send(&self, write: Write) -> impl Future<Output = Result<Written, S3Error>> + Send;
}

#[must_use = "a claim that is dropped gives its entry back"]
#[derive(Debug)]
pub(super) struct Claim {
    store: Arc<Store>,
    pub(super) id: EntryId,
    pub(super) item: Item,
    /// When the entry may be claimed again, and whether S3 refused it.
    rest: Option<(Moment, bool)>,
    is_over: bool,
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Attempt {
    /// S3 has it, and it is gone from the queue.
    Done(Written),
    /// S3 does not have it, as far as anybody knows.
    NotTaken(Claim, S3Error),
    /// There was nothing sound to send.
    Unreadable(SpoolError),
}

impl Claim {
    /// The next entry whose turn it is.
    pub(super) fn next(store: &Arc<Store>) -> Option<Self> {
        let mut state = store.state();
        if state.closed {
            return None;
        }
        let id = state.index.claim(store.now())?;
        drop(state);
        Self::of(store, id)
    }

    /// An entry that the index has claimed for the caller.
    pub(super) fn of(store: &Arc<Store>, id: EntryId) -> Option<Self> {
        let item = store.item(id)?;
        Some(Self { store: Arc::clone(store), id, item, rest: None, is_over: false })
    }

    /// Sends the entry once.
    pub(super) async fn attempt(self, uplink: &impl Uplink) -> Attempt {
        let (claim, sound) = match self.open().await {
            Ok(opened) => opened,
            Err(error) => return Attempt::Unreadable(error),
        };
        let write = match claim.write(sound).await {
            Ok(write) => write,
            Err(error) => return Attempt::Unreadable(error),
        };
        match uplink.send(write).await {
            Ok(written) => {
                claim.uploaded().await;
                Attempt::Done(written)
            }
            Err(error) => Attempt::NotTaken(claim, error),
        }
    }

    async fn open(self) -> Result<(Self, Sound), SpoolError> {
        blocking(move || {
            let id = self.id;
            match self.store.read(id, &self.item) {
                Ok(sound) => Ok((self, sound)),
                Err(Flaw::Io(source)) => {
                    self.rests(false);
                    Err(SpoolError::Read { id, source })
                }
                Err(Flaw::Gone) => Err(self.condemn("its file is gone".to_owned())),
                Err(Flaw::Damaged(flaw)) => Err(self.condemn(flaw)),
            }
        })
        .await
    }

    fn condemn(mut self, flaw: String) -> SpoolError {
        self.is_over = true;
        self.store.condemn(self.id, &self.item, &flaw);
        SpoolError::Damaged { id: self.id, flaw }
    }

    async fn write(&self, sound: Sound) -> Result<Write, SpoolError> {
        let key = self.item.key.as_ref().to_owned();
        if self.item.action == Action::Delete {
            return Ok(Write::Delete(key));
        }
        let attributes = sound.header.attributes.clone();
        let path = self.store.folder.path(&self.item.name(self.id));
        match sound.replayable(&path).await {
            Ok(body) => Ok(Upload { key, body: body.into_inner(), attributes }.into()),
            Err(source) => Err(SpoolError::Read { id: self.id, source }),
        }
    }

    /// S3 has it: the entry goes, and then its key is free. It stays claimed until the removal is
    /// durable, where the disk lets it be, or else it could come back after a later write to the same key.
    async fn uploaded(self) {
        let removed = blocking(move || {
            let durable = match self.remove() {
                Ok(durable) => durable,
                Err(error) => {
                    // It will be uploaded again, which changes nothing: nobody has written in between.
                    tracing::error!(entry = %self.id, %error, "an uploaded entry was not removed");
                    self.rests(false);
                    return Err(SpoolError::write(error));
                }
            };
            self.log(durable);
            let (id, key) = (self.id, Arc::clone(&self.item.key));
            self.end(Some(SpoolEvent::Uploaded { id, key }), |state| state.uploaded += 1);
            Ok(())
        });
        // Logged above.
        drop(removed.await);
    }

    /// Removes an entry that its caller takes the error for.
    pub(super) async fn discard(self) {
        let removed = blocking(move || {
            let removed = self.remove().map(|durable| self.log(durable));
            self.end(None, |_| {});
            removed.map_err(SpoolError::write)
        });
        if let Err(error) = removed.await {
            tracing::error!(%error, "a refused entry was not removed");
        }
    }

    fn remove(&self) -> io::Result<Durable> {
        self.store.folder.remove(&self.item.name(self.id))
    }

    /// Nobody is there to take the error.
    fn log(&self, durable: Durable) {
        if let Err(error) = durable {
            let entry = self.id;
            tracing::error!(%entry, %error, "after a loss of power it may be back in the queue");
        }
    }

    /// S3 will never take it: it goes to `dead/`.
    pub(super) async fn bury(self, reason: String) {
        let buried = blocking(move || {
            let name = self.item.name(self.id);
            tracing::error!(entry = %name, reason, "S3 refused a queued write for good");
            match self.store.folder.bury(&name, &reason) {
                Ok(durable) => self.log(durable),
                Err(error) => {
                    self.rests(true);
                    return Err(SpoolError::write(error));
                }
            }
            let (id, item) = (self.id, self.item.clone());
            let (key, why) = (Arc::clone(&item.key), reason.clone());
            let dead = SpoolEvent::Dead { id, key, reason };
            self.end(Some(dead), |state| state.graves.insert(id, item, why));
            Ok(())
        });
        if let Err(error) = buried.await {
            tracing::error!(%error, "a dead entry was not moved");
        }
    }

    /// Gives the entry back for later.
    pub(super) fn rests(mut self, refused: bool) {
        let until = self.store.now() + pace::rest(self.item.attempts);
        self.rest = Some((until, refused));
    }

    /// The entry is no longer in the queue. All at once: whoever hears of it finds it so, and hears
    /// of it before the next of its key.
    fn end(mut self, event: Option<SpoolEvent>, note: impl FnOnce(&mut State)) {
        self.is_over = true;
        let mut state = self.store.state();
        state.index.remove(self.id);
        note(&mut state);
        if let Some(event) = event {
            self.store.tell(event);
        }
        drop(state);
        self.store.stirred();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let (until, refused) = self.rest.map_or((None, false), |(at, by_s3)| (Some(at), by_s3));
        self.store.state().index.give_back(self.id, until, refused);
        self.store.stirred();
    }
}

#[cfg(test)]
#[path = "unsynced_tests.rs"]
mod unsynced_tests;
