//! One sync of a folder for everybody who waits for one.
//!
//! A sync takes about as long for a hundred renames as for one: sharing it is worth more than any
//! choice of a store. Whoever comes while a sync runs joins the next one, which the first of them
//! starts as soon as this one is over.

use std::io;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

#[derive(Debug, Default)]
pub(super) struct GroupSync {
    state: Mutex<State>,
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The round that has not begun.
    next: Arc<Round>,
    running: bool,
}

#[derive(Debug, Default)]
struct Round(OnceLock<Result<(), Arc<io::Error>>>);

impl GroupSync {
    /// Returns when a run of `sync` that began after this call is over, with what it said. Blocks.
    pub(super) fn join(&self, sync: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let round = Arc::clone(&state.next);
        loop {
            if let Some(result) = round.0.get() {
                return result.clone().map_err(shared);
            }
            if !state.running {
                break;
            }
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        // All who hold this round came before this point.
        state.running = true;
        state.next = Arc::default();
        drop(state);
        let result = sync().map_err(Arc::new);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running = false;
        let result = round.0.get_or_init(|| result).clone();
        drop(state);
        self.done.notify_all();
        result.map_err(shared)
    }
}

fn shared(error: Arc<io::Error>) -> io::Error {
    io::Error::new(error.kind(), error)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Barrier};
    use std::thread;

    use super::GroupSync;

    #[test]
    fn those_who_come_during_a_sync_share_the_next() {
        let group = Arc::new(GroupSync::default());
        let runs = Arc::new(AtomicUsize::new(0));
        let (begun, end) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let first = {
            let (group, runs) = (Arc::clone(&group), Arc::clone(&runs));
            let (begun, end) = (Arc::clone(&begun), Arc::clone(&end));
            thread::spawn(move || {
                group.join(|| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    begun.wait();
                    end.wait();
                    Ok(())
                })
            })
        };
        begun.wait();
        let others: Vec<_> = (0..8)
            .map(|_| {
                let (group, runs) = (Arc::clone(&group), Arc::clone(&runs));
                thread::spawn(move || {
                    group.join(|| {
                        runs.fetch_add(1, Ordering::SeqCst);
                        Ok(())
                    })
                })
            })
            .collect();
        // All eight hold the next round: theirs, the group's own and none else.
        while Arc::strong_count(&group.state.lock().unwrap().next) < 9 {
            thread::yield_now();
        }
        end.wait();
        first.join().unwrap().unwrap();
        for other in others {
            other.join().unwrap().unwrap();
        }
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_sync_that_fails_fails_for_all_who_counted_on_it_and_for_nobody_else() {
        let group = GroupSync::default();
        let failed = group.join(|| Err(io::Error::from(io::ErrorKind::StorageFull)));
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        group.join(|| Ok(())).unwrap();
    }
}
