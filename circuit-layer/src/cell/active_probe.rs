//! Starting and ending the breaker's active probe.

use tokio::runtime::Handle;

use super::Cell;
use crate::active_probe::{Start, Turn, run};
use crate::clock::Moment;
use crate::observe::Event;
use crate::state::{Control, State};

impl Cell {
    /// Starts the active probe, unless somebody else has or there is no runtime to start it in.
    #[cold]
    pub(super) fn start_active_probe(&'static self, now: Moment) {
        let Ok(runtime) = Handle::try_current() else { return };
        let Some(start) = self.claim_active_probe(now) else { return };
        let turn = start.turn;
        let task = runtime.spawn(run(self, start)).abort_handle();
        let kept = self.step(now, |_, ledger, _| {
            let prober = ledger.prober.as_mut().filter(|_| ledger.born == turn.born);
            prober.map(|prober| prober.keep(turn.number, task.clone())).is_some()
        });
        if kept != Some(true) {
            task.abort();
        }
    }

    /// The right to ask, for the first who comes while the breaker waits by itself.
    pub(crate) fn claim_active_probe(&self, now: Moment) -> Option<Start> {
        self.step(now, |machine, ledger, _| {
            let waits = machine.state() == State::Open && machine.control() == Control::Automatic;
            let (probe, number) = ledger.prober.as_mut().filter(|_| waits)?.claim(now)?;
            let turn = Turn { born: ledger.born, generation: machine.generation(), number };
            Some(Start { probe, clock: ledger.clock.clone(), turn })
        })?
    }

    /// Takes the answer of the active probe; none if it was ended before it had any.
    pub(crate) fn end_active_probe(&self, turn: Turn, answered: Option<bool>) {
        let Turn { born, generation, .. } = turn;
        self.step(self.now(), |machine, ledger, at| {
            let Some(prober) = ledger.prober.as_mut().filter(|_| ledger.born == born) else {
                return;
            };
            prober.ended();
            if let Some(healthy) = answered
                && machine.answer(generation, healthy, at)
            {
                let name = ledger.name;
                ledger.notes.push(Event::ActiveProbe { name, generation, healthy });
            }
        });
    }
}
