//! The whole store against a naive model, a list of what waits and a list of what is dead; and what a
//! listener finds in it.

use std::future::Future as _;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use circuit_layer::{Clock, ManualClock};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};

use super::Store;
use crate::error::S3Error;
use crate::spool::claim::Claim;
use crate::spool::drain::fly;
use crate::spool::handle::Spool;
use crate::spool::intake::{self, Write};
use crate::spool::name::EntryId;
use crate::spool::report::EntryState;
use crate::spool::tests::{Notebook, Taken, open, plant, upload};

#[derive(Clone, Debug)]
enum Step {
    Put { key: u8, payload: u16 },
    Delete { key: u8 },
    Send { answer: Option<u16> },
    Retry { place: usize },
    Discard { place: usize },
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let answer = prop_oneof![
        3 => proptest::strategy::Just(None),
        1 => proptest::strategy::Just(Some(500)),
        1 => proptest::strategy::Just(Some(403)),
        2 => proptest::strategy::Just(Some(400)),
    ];
    let step = prop_oneof![
        5 => (0..3_u8, any::<u16>()).prop_map(|(key, payload)| Step::Put { key, payload }),
        1 => (0..3_u8).prop_map(|key| Step::Delete { key }),
        4 => answer.prop_map(|answer| Step::Send { answer }),
        1 => (0..4_usize).prop_map(|place| Step::Retry { place }),
        1 => (0..6_usize).prop_map(|place| Step::Discard { place }),
        1 => proptest::strategy::Just(Step::Reopen),
    ];
    vec(step, 0..30)
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    id: EntryId,
    key: String,
    payload: Option<String>,
}

#[derive(Debug, Default)]
struct Model {
    waiting: Vec<Line>,
    dead: Vec<Line>,
    taken: Vec<Taken>,
}

impl Model {
    fn send(&mut self, answer: Option<u16>) {
        if self.waiting.is_empty() {
            return;
        }
        match answer {
            Some(400) => {
                let line = self.waiting.remove(0);
                self.dead.push(line);
                self.dead.sort_by_key(|line| line.id);
            }
            Some(_) => {}
            None => {
                let line = self.waiting.remove(0);
                self.taken.push((line.key, line.payload));
            }
        }
    }
}

struct World<'a> {
    folder: &'a Path,
    store: Arc<Store>,
    clock: Clock,
    time: ManualClock,
    notebook: Notebook,
    model: Model,
}

impl World<'_> {
    async fn put(&mut self, key: u8, payload: Option<String>) {
        let key = format!("k {key}/");
        let write = payload
            .as_ref()
            .map_or_else(|| Write::Delete(key.clone()), |payload| upload(&key, payload));
        let ticket = intake::store(&self.store, write, false).await.unwrap();
        self.model.waiting.push(Line { id: ticket.id, key, payload });
    }

    async fn send(&mut self, answer: Option<u16>) {
        // Every rest is over, so that the oldest entry is next.
        self.time.advance(Duration::from_secs(60));
        let error = answer.map(|status| S3Error::answer(status, "Code", String::new()));
        *self.notebook.answers.lock().unwrap() = error.into_iter().collect();
        if let Some(claim) = Claim::next(&self.store) {
            fly(claim, self.notebook.clone()).await;
        }
        self.model.send(answer);
    }

    async fn retry(&mut self, place: usize) {
        if place < self.model.dead.len() {
            let line = self.model.dead.remove(place);
            Spool::new(Arc::clone(&self.store)).retry(line.id).await.unwrap();
            self.model.waiting.push(line);
            self.model.waiting.sort_by_key(|line| line.id);
        }
    }

    async fn discard(&mut self, place: usize) {
        let lines = self.model.waiting.iter().chain(&self.model.dead);
        let Some(id) = lines.map(|line| line.id).nth(place) else { return };
        Spool::new(Arc::clone(&self.store)).discard(id).await.unwrap();
        self.model.waiting.retain(|line| line.id != id);
        self.model.dead.retain(|line| line.id != id);
    }

    fn reopen(&mut self) {
        self.store.folder.unlock();
        self.store = open(self.folder, self.clock.clone());
    }

    fn check(&self) {
        let list = Spool::new(Arc::clone(&self.store)).list();
        let is_dead = |state: &EntryState| matches!(state, EntryState::Dead { .. });
        let (dead, waiting): (Vec<_>, Vec<_>) =
            list.iter().partition(|entry| is_dead(&entry.state));
        let ids = |lines: &[Line]| -> Vec<_> {
            lines.iter().map(|line| (line.id, line.key.clone())).collect()
        };
        let own = |entries: Vec<&crate::spool::report::Entry>| -> Vec<_> {
            entries.into_iter().map(|entry| (entry.id, entry.key.clone())).collect()
        };
        assert_eq!(own(waiting), ids(&self.model.waiting));
        assert_eq!(own(dead), ids(&self.model.dead));
        assert_eq!(*self.notebook.taken.lock().unwrap(), self.model.taken);
        for line in &self.model.waiting {
            let item = self.store.item(line.id).unwrap();
            let sound = self.store.read(line.id, &item).unwrap();
            assert_eq!(
                usize::try_from(sound.length).unwrap(),
                line.payload.as_ref().map_or(0, String::len)
            );
            let newest = self.store.state().index.newest(&line.key).map(|(id, _)| id);
            let expected = self.model.waiting.iter().rev().find(|other| other.key == line.key);
            assert_eq!(newest, expected.map(|line| line.id));
        }
        let files = std::fs::read_dir(self.folder).unwrap().count();
        assert_eq!(files, self.model.waiting.len() + 3, "entries, lock, dead, damaged");
    }
}

async fn run(steps: Vec<Step>) {
    let folder = tempfile::tempdir().unwrap();
    let (clock, time) = Clock::manual();
    let mut world = World {
        folder: folder.path(),
        store: open(folder.path(), clock.clone()),
        clock,
        time,
        notebook: Notebook::default(),
        model: Model::default(),
    };
    for step in steps {
        match step {
            Step::Put { key, payload } => world.put(key, Some(payload.to_string())).await,
            Step::Delete { key } => world.put(key, None).await,
            Step::Send { answer } => world.send(answer).await,
            Step::Retry { place } => world.retry(place).await,
            Step::Discard { place } => world.discard(place).await,
            Step::Reopen => world.reopen(),
        }
        world.check();
    }
}

/// Looks at the store the moment it is woken, as a listener on another thread can.
#[derive(Debug)]
struct Look {
    store: Arc<Store>,
    saw: Mutex<Vec<usize>>,
}

impl Wake for Look {
    fn wake(self: Arc<Self>) {
        // Where the lock is taken, a listener waits for what is being done.
        if let Ok(state) = self.store.state.try_lock() {
            self.saw.lock().unwrap().push(state.index.depth());
        }
    }
}

#[tokio::test]
async fn whoever_hears_that_an_entry_is_over_does_not_find_it_in_the_queue() {
    for answer in [None, Some(S3Error::answer(400, "Code", String::new()))] {
        let folder = tempfile::tempdir().unwrap();
        plant(folder.path(), 1, "k", "v");
        let store = open(folder.path(), Clock::default());
        let notebook = Notebook::default();
        notebook.answers.lock().unwrap().extend(answer);
        let look = Arc::new(Look { store: Arc::clone(&store), saw: Mutex::default() });
        let waker = Waker::from(Arc::clone(&look));
        let mut events = store.events.subscribe();
        let mut heard = std::pin::pin!(events.recv());
        assert!(heard.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        fly(Claim::next(&store).unwrap(), notebook).await;
        heard.await.unwrap();
        assert!(!look.saw.lock().unwrap().contains(&1), "it was still there");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_store_does_what_a_naive_list_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(run(steps));
    }
}
