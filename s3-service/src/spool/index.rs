//! Which entry may go next: order kept per key, free between keys.
//!
//! ```text
//!            durable              claim
//! Arriving ──────────▶ Waiting ──────────▶ Claimed ──▶ (removed)
//!                         ▲  ◀── rouse ──┐   │ give back
//!                         └── due ── Resting ◀┘
//! ```
//! Each key has a lane, oldest first, and only the head of a lane may be claimed. So what is behind
//! it waits, whatever happens to it, and two writes to one key are never on their way together.
//!
//! Pure: no clock, no file, no lock.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use circuit_layer::Moment;

use super::name::{Action, EntryId};

/// What is known of an entry without its file.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) key: Arc<str>,
    pub(super) action: Action,
    /// Bytes of the whole file.
    pub(super) size: u64,
    /// How often it came back.
    pub(super) attempts: u32,
    /// How often S3 itself refused it.
    pub(super) refusals: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not durable yet: nobody may see it, but it holds its place.
    Arriving,
    Waiting,
    Resting(Moment),
    Claimed,
}

#[derive(Debug, Default)]
pub(super) struct Index {
    entries: BTreeMap<EntryId, (Item, Stage)>,
    lanes: HashMap<Arc<str>, Lane>,
    /// The heads that are waiting, of lanes in which nothing is claimed.
    ready: BTreeSet<EntryId>,
    /// The same of those that are resting.
    resting: BTreeSet<(Moment, EntryId)>,
    bytes: u64,
    claimed: usize,
}

/// The entries of one key, oldest first. One that came back from `dead/` may stand before one that
/// is claimed.
#[derive(Debug, Default)]
struct Lane {
    ids: VecDeque<EntryId>,
    claimed: bool,
}

impl Index {
    pub(super) fn depth(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) const fn claimed(&self) -> usize {
        self.claimed
    }

    pub(super) fn oldest(&self) -> Option<EntryId> {
        self.entries.first_key_value().map(|(id, _)| *id)
    }

    pub(super) fn get(&self, id: EntryId) -> Option<&(Item, Stage)> {
        self.entries.get(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (EntryId, &Item, Stage)> {
        self.entries.iter().map(|(id, (item, stage))| (*id, item, *stage))
    }

    pub(super) fn holds(&self, key: &str) -> bool {
        self.lanes.contains_key(key)
    }

    /// The last write to a key that is durable.
    pub(super) fn newest(&self, key: &str) -> Option<(EntryId, &Item)> {
        let lane = self.lanes.get(key)?;
        lane.ids.iter().rev().find_map(|id| match self.entries.get(id)? {
            (_, Stage::Arriving) => None,
            (item, _) => Some((*id, item)),
        })
    }

    /// Puts an entry in its place; whatever had that id is replaced.
    pub(super) fn insert(&mut self, id: EntryId, item: Item, stage: Stage) {
        self.remove(id);
        self.bytes = self.bytes.saturating_add(item.size);
        let lane = self.lanes.entry(Arc::clone(&item.key)).or_default();
        let (head, place) = (lane.ids.front().copied(), lane.ids.partition_point(|o| *o < id));
        lane.ids.insert(place, id);
        self.entries.insert(id, (item, Stage::Arriving));
        if let Some(head) = head.filter(|_| place == 0) {
            self.unlist(head);
        }
        self.enter(id, stage);
    }

    /// It is durable; claimed at once if so wanted and it is its turn. Tells whether it was.
    pub(super) fn arrived(&mut self, id: EntryId, claim: bool) -> bool {
        let claims = claim && self.turn(id) == Some(id);
        self.enter(id, if claims { Stage::Claimed } else { Stage::Waiting });
        claims
    }

    /// The oldest entry whose turn it is.
    pub(super) fn claim(&mut self, now: Moment) -> Option<EntryId> {
        while let Some((_, id)) = self.resting.first().copied().filter(|(due, _)| *due <= now) {
            self.enter(id, Stage::Waiting);
        }
        let id = self.ready.first().copied()?;
        self.enter(id, Stage::Claimed);
        Some(id)
    }

    /// When the next resting entry is due, where none is waiting.
    pub(super) fn next_due(&self) -> Option<Moment> {
        self.resting.first().filter(|_| self.ready.is_empty()).map(|(due, _)| *due)
    }

    /// Nobody works on it any more; `refused` is whether S3 itself did not want it.
    pub(super) fn give_back(&mut self, id: EntryId, until: Option<Moment>, refused: bool) {
        if let Some((item, _)) = self.entries.get_mut(&id) {
            item.attempts = item.attempts.saturating_add(u32::from(until.is_some()));
            item.refusals = item.refusals.saturating_add(u32::from(refused));
        }
        self.enter(id, until.map_or(Stage::Waiting, Stage::Resting));
    }

    /// Ends every rest: what they were waiting for is over.
    pub(super) fn rouse(&mut self) {
        while let Some((_, id)) = self.resting.first().copied() {
            self.enter(id, Stage::Waiting);
        }
    }

    /// Takes an entry out of sight until it is removed or [arrives](Self::arrived) again. An error
    /// if it is on its way.
    pub(super) fn hide(&mut self, id: EntryId) -> Option<Result<Item, ()>> {
        let (item, stage) = self.entries.get(&id)?.clone();
        match stage {
            Stage::Arriving => None,
            Stage::Claimed => Some(Err(())),
            Stage::Waiting | Stage::Resting(_) => {
                self.enter(id, Stage::Arriving);
                Some(Ok(item))
            }
        }
    }

    pub(super) fn remove(&mut self, id: EntryId) -> Option<Item> {
        self.enter(id, Stage::Arriving);
        let (item, _) = self.entries.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(item.size);
        let lane = self.lanes.get_mut(&item.key)?;
        if let Ok(place) = lane.ids.binary_search(&id) {
            lane.ids.remove(place);
        }
        match lane.ids.front().copied() {
            Some(head) => self.list(head),
            None => drop(self.lanes.remove(&item.key)),
        }
        Some(item)
    }

    /// Whose turn it is in the lane of `id`.
    fn turn(&self, id: EntryId) -> Option<EntryId> {
        let lane = self.lanes.get(&self.entries.get(&id)?.0.key)?;
        lane.ids.front().copied().filter(|_| !lane.claimed)
    }

    /// The one function that changes a stage.
    fn enter(&mut self, id: EntryId, stage: Stage) {
        self.unlist(id);
        let Some((item, current)) = self.entries.get_mut(&id) else { return };
        let (was, is) = (*current == Stage::Claimed, stage == Stage::Claimed);
        *current = stage;
        self.claimed = self.claimed + usize::from(is) - usize::from(was);
        if let Some(lane) = self.lanes.get_mut(&item.key).filter(|_| was != is) {
            lane.claimed = is;
        }
        self.list(id);
    }

    /// Lists the head of the lane of `id`, if it is its turn.
    fn list(&mut self, id: EntryId) {
        let Some(head) = self.turn(id) else { return };
        match self.entries.get(&head) {
            Some((_, Stage::Waiting)) => drop(self.ready.insert(head)),
            Some((_, Stage::Resting(due))) => drop(self.resting.insert((*due, head))),
            Some((_, Stage::Arriving | Stage::Claimed)) | None => {}
        }
    }

    fn unlist(&mut self, id: EntryId) {
        match self.entries.get(&id) {
            Some((_, Stage::Waiting)) => drop(self.ready.remove(&id)),
            Some((_, Stage::Resting(due))) => drop(self.resting.remove(&(*due, id))),
            Some((_, Stage::Arriving | Stage::Claimed)) | None => {}
        }
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
