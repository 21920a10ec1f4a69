//! The index against a naive model that keeps a plain list.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::Moment;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof, proptest};

use super::{Index, Item, Stage};
use crate::spool::name::{Action, EntryId};

fn id(n: u64) -> EntryId {
    let mut id = EntryId::FIRST;
    for _ in 0..=n {
        id = id.next(Duration::ZERO);
    }
    id
}

fn item(key: u8) -> Item {
    let key = Arc::from(key.to_string());
    Item { key, action: Action::Put, size: 10, attempts: 0, refusals: 0 }
}

fn at(second: u64) -> Moment {
    Moment::default() + Duration::from_secs(second)
}

#[derive(Clone, Debug)]
enum Step {
    Insert { n: u64, key: u8, arrives: bool, claims: bool },
    Arrive { place: usize, claims: bool },
    Claim,
    GiveBack { place: usize, rest: Option<u64> },
    Remove { place: usize },
    Rouse,
    Wait,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let place = 0..20_usize;
    vec(
        prop_oneof![
            4 => (0..50_u64, 0..4_u8, any::<bool>(), any::<bool>())
                .prop_map(|(n, key, arrives, claims)| Step::Insert { n, key, arrives, claims }),
            2 => (place.clone(), any::<bool>())
                .prop_map(|(place, claims)| Step::Arrive { place, claims }),
            4 => proptest::strategy::Just(Step::Claim),
            3 => (place.clone(), proptest::option::of(0..5_u64))
                .prop_map(|(place, rest)| Step::GiveBack { place, rest }),
            2 => place.prop_map(|place| Step::Remove { place }),
            1 => proptest::strategy::Just(Step::Rouse),
            2 => proptest::strategy::Just(Step::Wait),
        ],
        0..80,
    )
}

#[derive(Clone, Debug)]
struct Entry {
    id: EntryId,
    key: u8,
    stage: Stage,
}

/// The same rules, told by looking at everything each time.
#[derive(Debug, Default)]
struct Model(Vec<Entry>);

impl Model {
    fn is_its_turn(&self, id: EntryId) -> bool {
        let key = self.0.iter().find(|entry| entry.id == id).unwrap().key;
        let mut lane = self.0.iter().filter(|entry| entry.key == key);
        let is_free = lane.clone().all(|entry| entry.stage != Stage::Claimed);
        is_free && lane.next().unwrap().id == id
    }

    fn claim(&mut self, now: Moment) -> Option<EntryId> {
        let free = |stage| match stage {
            Stage::Waiting => true,
            Stage::Resting(due) => due <= now,
            Stage::Arriving | Stage::Claimed => false,
        };
        let heads = self.0.iter().map(|entry| (entry.id, free(entry.stage)));
        let heads: Vec<_> = heads.filter(|(_, free)| *free).map(|(id, _)| id).collect();
        let chosen = heads.into_iter().find(|id| self.is_its_turn(*id))?;
        self.set(chosen, Stage::Claimed);
        Some(chosen)
    }

    fn set(&mut self, id: EntryId, stage: Stage) {
        self.0.iter_mut().find(|entry| entry.id == id).unwrap().stage = stage;
    }

    fn newest(&self, key: u8) -> Option<EntryId> {
        let seen = self.0.iter().filter(|entry| entry.stage != Stage::Arriving);
        seen.filter(|entry| entry.key == key).map(|entry| entry.id).next_back()
    }
}

fn run(steps: Vec<Step>) {
    let (mut index, mut model, mut now) = (Index::default(), Model::default(), 0);
    for step in steps {
        let picked = |place: usize| model.0.get(place).cloned();
        match step {
            Step::Insert { n, key, arrives, claims } => {
                let id = id(n);
                let place = model.0.partition_point(|entry| entry.id < id);
                if picked(place).is_some_and(|entry| entry.id == id) {
                    continue;
                }
                index.insert(id, item(key), Stage::Arriving);
                model.0.insert(place, Entry { id, key, stage: Stage::Arriving });
                if arrives {
                    let claimed = index.arrived(id, claims);
                    assert_eq!(claimed, claims && model.is_its_turn(id));
                    model.set(id, if claimed { Stage::Claimed } else { Stage::Waiting });
                }
            }
            Step::Arrive { place, claims } => {
                let Some(entry) = picked(place) else { continue };
                if entry.stage == Stage::Arriving {
                    let claimed = index.arrived(entry.id, claims);
                    assert_eq!(claimed, claims && model.is_its_turn(entry.id));
                    model.set(entry.id, if claimed { Stage::Claimed } else { Stage::Waiting });
                }
            }
            Step::Claim => assert_eq!(index.claim(at(now)), model.claim(at(now))),
            Step::GiveBack { place, rest } => {
                let Some(entry) = picked(place) else { continue };
                if entry.stage == Stage::Claimed {
                    let until = rest.map(|rest| at(now + rest));
                    index.give_back(entry.id, until, false);
                    model.set(entry.id, until.map_or(Stage::Waiting, Stage::Resting));
                }
            }
            Step::Remove { place } => {
                let Some(entry) = picked(place) else { continue };
                assert!(index.remove(entry.id).is_some());
                model.0.retain(|other| other.id != entry.id);
            }
            Step::Rouse => {
                index.rouse();
                for place in 0..model.0.len() {
                    let Entry { id, stage, .. } = model.0[place];
                    if matches!(stage, Stage::Resting(_)) && model.is_its_turn(id) {
                        model.set(id, Stage::Waiting);
                    }
                }
            }
            Step::Wait => now += 1,
        }
        check(&index, &model);
    }
}

fn check(index: &Index, model: &Model) {
    assert_eq!(index.depth(), model.0.len());
    assert_eq!(index.bytes(), 10 * u64::try_from(model.0.len()).unwrap());
    assert_eq!(index.oldest(), model.0.first().map(|entry| entry.id));
    let claimed = model.0.iter().filter(|entry| entry.stage == Stage::Claimed).count();
    assert_eq!(index.claimed(), claimed);
    for key in 0..4_u8 {
        let name = key.to_string();
        assert_eq!(index.newest(&name).map(|(id, _)| id), model.newest(key));
        assert_eq!(index.holds(&name), model.0.iter().any(|entry| entry.key == key));
    }
}

proptest! {
    #[test]
    fn the_index_does_what_a_naive_list_does(steps in steps()) {
        run(steps);
    }
}

#[test]
fn an_entry_that_comes_back_to_the_front_goes_before_the_one_that_waited() {
    let mut index = Index::default();
    index.insert(id(5), item(0), Stage::Waiting);
    index.insert(id(3), item(0), Stage::Waiting);
    assert_eq!(index.claim(at(0)), Some(id(3)));
    assert_eq!(index.claim(at(0)), None, "one at a time");
    index.remove(id(3));
    assert_eq!(index.claim(at(0)), Some(id(5)));
}

#[test]
fn a_rest_ends_when_it_is_due() {
    let mut index = Index::default();
    index.insert(id(1), item(0), Stage::Waiting);
    index.claim(at(0));
    index.give_back(id(1), Some(at(5)), true);
    assert_eq!(index.next_due(), Some(at(5)));
    assert_eq!(index.claim(at(4)), None);
    assert_eq!(index.claim(at(5)), Some(id(1)));
    assert_eq!(index.get(id(1)).unwrap().0.refusals, 1);
}
