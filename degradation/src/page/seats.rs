//! How many may watch at once, and who has to go when there is no room.
//!
//! A laptop that was closed holds its connection for as long as the kernel believes in it. If seats
//! were given back at the end of connections alone, such readers would lock out the operator who
//! comes to look. So a reader who takes no frames loses the seat to a newcomer.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use circuit_layer::Moment;

/// How many watch at once. Ours: more than a team has screens, and 32 times a frame a second is
/// nothing to the server.
pub(super) const SEATS: usize = 32;

/// Who has taken no frame for so long, while one is made each second, may be replaced.
const IDLE: Duration = Duration::from_secs(5);

/// The readers. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    readers: Vec<(u64, Moment)>,
}

impl Seats {
    /// A seat; None if all are taken by readers who read.
    pub(super) fn take(&self, now: Moment) -> Option<Seat> {
        let mut taken = self.lock();
        if taken.readers.len() >= SEATS {
            let (at, &(_, last)) =
                taken.readers.iter().enumerate().min_by_key(|(_, (_, last))| *last)?;
            if now < last + IDLE {
                return None;
            }
            taken.readers.swap_remove(at);
        }
        taken.next += 1;
        let id = taken.next;
        taken.readers.push((id, now));
        drop(taken);
        Some(Seat { seats: self.clone(), id })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to read on. Given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    id: u64,
}

impl Seat {
    /// Says that its reader takes a frame now. False if the seat was given to somebody else.
    pub(super) fn keep(&self, now: Moment) -> bool {
        let readers = &mut self.seats.lock().readers;
        let mine = readers.iter_mut().find(|(id, _)| *id == self.id);
        mine.map(|(_, last)| *last = now).is_some()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().readers.retain(|(id, _)| *id != self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_nanos(0) + Duration::from_secs(seconds)
    }

    #[test]
    fn a_reader_who_reads_keeps_the_seat_and_one_who_does_not_loses_it_to_a_newcomer() {
        let seats = Seats::default();
        let taken: Vec<Seat> = (0..SEATS).map(|_| seats.take(at(0)).unwrap()).collect();
        assert!(seats.take(at(4)).is_none(), "nobody has been idle for long enough");
        for seat in &taken[1..] {
            assert!(seat.keep(at(4)));
        }
        let newcomer = seats.take(at(5)).expect("the first has not read for five seconds");
        assert!(!taken[0].keep(at(6)), "its seat is gone");
        assert!(taken[1..].iter().all(|seat| seat.keep(at(6))) && newcomer.keep(at(6)));
        assert!(seats.take(at(6)).is_none());
    }

    #[test]
    fn a_dropped_seat_is_free() {
        let seats = Seats::default();
        let mut taken: Vec<Seat> = (0..SEATS).map(|_| seats.take(at(0)).unwrap()).collect();
        taken.pop();
        assert!(seats.take(at(0)).is_some());
    }
}
