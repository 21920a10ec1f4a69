//! Everybody who listens to one breaker.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use super::{Event, Guest, Observer};
use crate::state::State;

/// The observers of one breaker, its channels, and the state for those who only want to watch it.
#[derive(Clone)]
pub(crate) struct Audience {
    seats: Arc<[Seat]>,
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone)]
enum Seat {
    Guest(Arc<Guest>),
    Channel(broadcast::Sender<Event>),
}

impl Audience {
    pub(crate) fn new(observers: Vec<Box<dyn Observer>>) -> Self {
        let seats = observers.into_iter().map(|observer| Seat::Guest(Guest::new(observer)));
        Self { seats: seats.collect(), state: Arc::new(watch::Sender::new(State::Closed)) }
    }

    pub(crate) fn add(&mut self, guest: Arc<Guest>) {
        self.seat(Seat::Guest(guest));
    }

    pub(crate) fn channel(&mut self, channel: broadcast::Sender<Event>) {
        self.seat(Seat::Channel(channel));
    }

    /// Gives the newcomer a seat. Channels that nobody listens to any more lose theirs.
    fn seat(&mut self, newcomer: Seat) {
        let taken = |seat: &&Seat| match seat {
            Seat::Guest(_) => true,
            Seat::Channel(channel) => channel.receiver_count() > 0,
        };
        self.seats = self.seats.iter().filter(taken).cloned().chain([newcomer]).collect();
    }

    /// Takes the guest's seat away. The caller must drop what comes back outside of every lock: the
    /// observer may be in it, which is foreign code.
    pub(crate) fn remove(&mut self, guest: &Arc<Guest>) -> impl Drop + use<> {
        let others = |seat: &&Seat| match seat {
            Seat::Guest(other) => !Arc::ptr_eq(other, guest),
            Seat::Channel(_) => true,
        };
        let seats = self.seats.iter().filter(others).cloned().collect();
        std::mem::replace(&mut self.seats, seats)
    }

    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    pub(crate) fn wants_rejections(&self) -> bool {
        self.seats.iter().any(|seat| match seat {
            Seat::Guest(guest) => guest.wants_rejections(),
            Seat::Channel(_) => false,
        })
    }

    pub(crate) fn tell(&self, event: &Event) {
        if let Event::Transition(transition) = event {
            self.state.send_replace(transition.to);
        }
        let rejected = matches!(event, Event::Rejected(_));
        for seat in &*self.seats {
            match seat {
                Seat::Guest(guest) => {
                    if !rejected || guest.wants_rejections() {
                        guest.tell(event);
                    }
                }
                // An error means that nobody listens.
                Seat::Channel(channel) if !rejected => drop(channel.send(event.clone())),
                Seat::Channel(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_that_nobody_reads_loses_its_seat_to_the_next_one() {
        let mut audience = Audience::new(Vec::new());
        for _ in 0..100 {
            audience.channel(broadcast::channel(1).0);
        }
        assert_eq!(audience.seats.len(), 1);
        let (channel, _read) = broadcast::channel(1);
        audience.channel(channel);
        audience.channel(broadcast::channel(1).0);
        assert_eq!(audience.seats.len(), 2);
    }
}
