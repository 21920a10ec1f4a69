//! The folder and the index together: what is on the disk and whose turn it is.
//!
//! The lock is held for the rename that gives an entry its id and its place, and for nothing that
//! takes longer. An entry is shown to readers and to the drain when it is durable, not before.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use circuit_layer::{Clock, Moment};
use tokio::sync::{Notify, broadcast};

use super::disk::Disk;
use super::draft::Draft;
use super::error::SpoolError;
use super::folder::Folder;
use super::graveyard::Graveyard;
use super::header::Header;
use super::index::{Index, Item, Stage};
use super::name::{EntryId, Name};
use super::report::SpoolEvent;
use super::room::{Room, Rooms};
use super::sound::{Flaw, Sound};

/// How many events may wait for a listener that is slow.
const EVENTS: usize = 1024;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(super) entries: usize,
    pub(super) bytes: u64,
    pub(super) keep_free: u64,
}

#[derive(Debug)]
pub(crate) struct Store {
    pub(super) folder: Folder,
    pub(super) bucket: String,
    pub(super) limits: Limits,
    pub(super) clock: Clock,
    state: Mutex<State>,
    /// Something may be claimed, or nothing will be any more.
    pub(super) woken: Notify,
    /// Something that a close waits for may have ended.
    pub(super) ended: Notify,
    pub(super) events: broadcast::Sender<SpoolEvent>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) index: Index,
    pub(super) graves: Graveyard,
    pub(super) rooms: Rooms,
    pub(super) closed: bool,
    /// How many work in the folder.
    pub(super) busy: usize,
    /// Writes that there was no room for, since the start.
    pub(super) refused: u64,
    /// Entries that S3 has taken, since the start.
    pub(super) uploaded: u64,
    last: EntryId,
}

impl State {
    /// Whether nobody is writing or moving an entry, or sending one.
    pub(super) fn is_quiet(&self) -> bool {
        self.index.claimed() == 0 && self.busy == 0
    }
}

impl Store {
    /// Blocks.
    pub(super) fn open(
        root: &Path,
        bucket: String,
        limits: Limits,
        clock: Clock,
        disk: &Arc<dyn Disk>,
    ) -> Result<Arc<Self>, SpoolError> {
        let (folder, found) = Folder::open(root, &bucket, disk)?;
        let (index, graves, rooms) = (Index::default(), Graveyard::default(), Rooms::default());
        let (closed, busy, refused, uploaded, last) = (false, 0, 0, 0, EntryId::FIRST);
        let mut state = State { index, graves, rooms, closed, busy, refused, uploaded, last };
        for name in found.entries {
            state.last = state.last.max(name.id);
            state.index.insert(name.id, Item::from(name), Stage::Waiting);
        }
        for name in found.dead {
            state.last = state.last.max(name.id);
            let reason = folder.reason(&name);
            state.graves.insert(name.id, Item::from(name), reason);
        }
        state.graves.damaged = found.damaged;
        Ok(Arc::new(Self {
            folder,
            bucket,
            limits,
            clock,
            state: Mutex::new(state),
            woken: Notify::new(),
            ended: Notify::new(),
            events: broadcast::Sender::new(EVENTS),
        }))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(super) fn tell(&self, event: SpoolEvent) {
        // Nobody has to listen.
        drop(self.events.send(event));
    }

    /// Gives a finished draft its id and name, and returns when it is durable; whether it was
    /// claimed for the caller comes with the id. Blocks.
    pub(super) fn commit(
        &self,
        // Before the draft, so that it is dropped after it.
        mut room: Room,
        draft: Draft,
        header: &Header,
        claim: bool,
    ) -> Result<(EntryId, bool), SpoolError> {
        let key: Arc<str> = Arc::from(header.key.as_str());
        let mut state = self.state();
        let name = Name {
            id: state.last.next(Clock::unix_time()),
            action: header.action,
            size: draft.size(),
            key: header.key.clone(),
            is_cut: false,
        };
        let path = self.folder.path(&name);
        self.folder.disk.rename(draft.path(), &path).map_err(SpoolError::write)?;
        draft.settle();
        let id = name.id;
        state.last = id;
        room.settle(&mut state.rooms);
        state.index.insert(id, Item::from(name), Stage::Arriving);
        drop(state);
        let durable = self.folder.sync();
        let mut state = self.state();
        if let Err(error) = durable {
            state.index.remove(id);
            drop(state);
            self.woken.notify_one();
            // Should this fail too, the entry may come back at the next start: it was not promised.
            drop(self.folder.disk.remove(&path));
            return Err(SpoolError::write(error));
        }
        let claimed = state.index.arrived(id, claim);
        drop(state);
        self.tell(SpoolEvent::Queued { id, key });
        if !claimed {
            self.woken.notify_one();
        }
        Ok((id, claimed))
    }

    /// Name and place of an entry.
    pub(super) fn item(&self, id: EntryId) -> Option<Item> {
        self.state().index.get(id).map(|(item, _)| item.clone())
    }

    /// Reads an entry and proves it. Blocks.
    pub(super) fn read(&self, id: EntryId, item: &Item) -> Result<Sound, Flaw> {
        let sound = Sound::read(&self.folder.path(&item.name(id)), item.size)?;
        let header = &sound.header;
        if *header.key != *item.key || header.action != item.action {
            return Err(Flaw::Damaged("its header is not what its name says".to_owned()));
        }
        Ok(sound)
    }

    /// Takes an entry out that is not what was written, or not there at all. Blocks.
    pub(super) fn condemn(&self, id: EntryId, item: &Item, flaw: &str) {
        let name = item.name(id).to_string();
        tracing::error!(entry = name, flaw, "a damaged entry was set aside");
        let moved = self.folder.set_aside(&name, flaw);
        let is_moved = moved.is_ok();
        if let Err(error) = moved.and_then(|()| self.folder.sync()) {
            // It is gone, or in the way again at the next start.
            tracing::error!(entry = name, %error, "it could not be moved for good");
        }
        let mut state = self.state();
        state.index.remove(id);
        state.graves.damaged += u64::from(is_moved);
        drop(state);
        let (key, flaw) = (Arc::clone(&item.key), flaw.to_owned());
        self.tell(SpoolEvent::Damaged { id, key, flaw });
        self.stirred();
    }

    /// Whoever waits looks again.
    pub(super) fn stirred(&self) {
        self.woken.notify_one();
        self.ended.notify_waiters();
    }
}

impl From<Name> for Item {
    fn from(name: Name) -> Self {
        let key = Arc::from(name.key);
        Self { key, action: name.action, size: name.size, attempts: 0, refusals: 0 }
    }
}

impl Item {
    pub(super) fn name(&self, id: EntryId) -> Name {
        let key = self.key.as_ref().to_owned();
        Name { id, action: self.action, size: self.size, key, is_cut: false }
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
