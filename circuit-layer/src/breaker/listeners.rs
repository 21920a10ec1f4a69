//! Ways to hear of what a breaker does.

use std::sync::Arc;

use tokio::sync::{broadcast, watch};

use super::CircuitBreaker;
use crate::observe::{Event, Guest, Observer, Subscription};
use crate::state::State;

/// A channel holds its events whether they are read or not; more than so many are no news.
pub(crate) const LONGEST_CHANNEL: usize = 65_536;

impl CircuitBreaker {
    /// Lets `observer` have every event from now on, for as long as the breaker lives or until it is
    /// [unsubscribed](Subscription::unsubscribe).
    ///
    /// ```
    /// use circuit_layer::{CircuitBreaker, Event};
    ///
    /// let breaker = CircuitBreaker::new("search");
    /// let listening = breaker.observe(|event: &Event| println!("{event:?}"));
    /// breaker.reset("to hear of it");
    /// listening.unsubscribe();
    /// ```
    pub fn observe(&self, observer: impl Observer) -> Subscription {
        let cell = self.0.cell;
        let guest = Guest::new(Box::new(observer));
        let seated = Arc::clone(&guest);
        let born = cell.look(|_, ledger, _| {
            ledger.audience.add(seated);
            ledger.born
        });
        Subscription::new(guest, cell, born.unwrap_or(0))
    }

    /// The state as a channel that always holds the newest value. It closes when the breaker is
    /// gone.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<State> {
        let watching = self.0.cell.look(|_, ledger, _| ledger.audience.watch());
        watching.unwrap_or_else(|| watch::channel(State::Closed).1)
    }

    /// Every event from now on but for rejections, which would cost each of them a lock, in a channel
    /// of this receiver's own. It closes when the breaker is gone.
    ///
    /// The channel holds the newest `capacity` events, at least 1 and at most 65 536. Whoever reads too
    /// slowly is told by [`Lagged`](broadcast::error::RecvError::Lagged) how many he has missed; nobody
    /// waits for him.
    ///
    /// ```
    /// use circuit_layer::{CircuitBreaker, Event, State};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let breaker = CircuitBreaker::new("search");
    /// let mut events = breaker.events(16);
    /// breaker.force_open("maintenance", None);
    /// let Event::Transition(moved) = events.recv().await? else { unreachable!() };
    /// assert_eq!((moved.from, moved.to), (State::Closed, State::Open));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn events(&self, capacity: usize) -> broadcast::Receiver<Event> {
        let (channel, events) = broadcast::channel(capacity.clamp(1, LONGEST_CHANNEL));
        self.0.cell.look(|_, ledger, _| ledger.audience.channel(channel));
        events
    }
}
