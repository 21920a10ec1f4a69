//! Room in the spool, reserved before a body is read.

use std::sync::Arc;

use super::busy::Busy;
use super::error::{Bound, SpoolError};
use super::store::Store;

/// What entries that are being written have reserved.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    pub(super) entries: usize,
    bytes: u64,
    /// How much of it the disk misses already.
    written: u64,
}

/// Room for one entry, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Room {
    store: Arc<Store>,
    bytes: u64,
    written: u64,
    settled: bool,
    _busy: Busy,
}

impl Room {
    /// Room for an entry of `bytes`, as far as they are known.
    pub(super) fn reserve(store: &Arc<Store>, bytes: u64) -> Result<Self, SpoolError> {
        let busy = Busy::begin(store)?;
        let mut state = store.state();
        if state.index.depth().saturating_add(state.rooms.entries) >= store.limits.entries {
            return Err(SpoolError::Full(Bound::Entries));
        }
        state.rooms.entries += 1;
        drop(state);
        let store = Arc::clone(store);
        let mut room = Self { store, bytes: 0, written: 0, settled: false, _busy: busy };
        room.cover(bytes)?;
        Ok(room)
    }

    /// Grows to `bytes` in all; a room that is as large already stays.
    pub(super) fn cover(&mut self, bytes: u64) -> Result<(), SpoolError> {
        let more = bytes.saturating_sub(self.bytes);
        if more == 0 {
            return Ok(());
        }
        let limits = &self.store.limits;
        let mut state = self.store.state();
        let taken = state.index.bytes().saturating_add(state.rooms.bytes);
        if taken.saturating_add(more) > limits.bytes {
            return Err(SpoolError::Full(Bound::Bytes));
        }
        state.rooms.bytes += more;
        self.bytes += more;
        let outstanding = state.rooms.bytes.saturating_sub(state.rooms.written);
        drop(state);
        let folder = &self.store.folder;
        let free = folder.disk.free(&folder.root).map_err(SpoolError::write)?;
        if free < limits.keep_free.saturating_add(outstanding) {
            return Err(SpoolError::Full(Bound::FreeSpace));
        }
        Ok(())
    }

    /// So many bytes have reached the disk.
    pub(super) fn wrote(&mut self, bytes: u64) {
        let more = bytes.saturating_sub(self.written);
        self.written += more;
        self.store.state().rooms.written += more;
    }

    /// The entry is in the index now, though its write is not over.
    pub(super) fn settle(&mut self, rooms: &mut Rooms) {
        self.give_back(rooms);
        self.settled = true;
    }

    fn give_back(&self, rooms: &mut Rooms) {
        rooms.entries = rooms.entries.saturating_sub(1);
        rooms.bytes = rooms.bytes.saturating_sub(self.bytes);
        rooms.written = rooms.written.saturating_sub(self.written);
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.settled {
            let store = Arc::clone(&self.store);
            self.give_back(&mut store.state().rooms);
        }
    }
}
