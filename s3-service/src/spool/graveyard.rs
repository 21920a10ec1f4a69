//! Entries that are out of the queue: dead ones, which can be revived, and a count of damaged ones.

use std::collections::BTreeMap;

use super::index::Item;
use super::name::EntryId;

#[derive(Debug, Default)]
pub(super) struct Graveyard {
    dead: BTreeMap<EntryId, Grave>,
    pub(super) damaged: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Grave {
    pub(super) item: Item,
    pub(super) reason: String,
}

impl Graveyard {
    pub(super) fn insert(&mut self, id: EntryId, item: Item, reason: String) {
        let item = Item { attempts: 0, refusals: 0, ..item };
        self.dead.insert(id, Grave { item, reason });
    }

    pub(super) fn remove(&mut self, id: EntryId) -> Option<Grave> {
        self.dead.remove(&id)
    }

    pub(super) fn get(&self, id: EntryId) -> Option<&Grave> {
        self.dead.get(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.dead.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (EntryId, &Grave)> {
        self.dead.iter().map(|(id, grave)| (*id, grave))
    }
}
