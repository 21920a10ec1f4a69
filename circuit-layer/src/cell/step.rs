//! One step of a breaker: decide under the lock, publish, and tell others outside it.

use std::time::Duration;

use super::{Cell, Core, Ledger};
use crate::clock::Moment;
use crate::machine::{At, Machine};
use crate::sync::lock;

impl Cell {
    /// One step under the lock: decide, publish, queue; then, outside it, deliver.
    pub(super) fn step<R>(
        &self,
        now: Moment,
        decide: impl FnOnce(&mut Machine, &mut Ledger, At<'_>) -> R,
    ) -> Option<R> {
        let mut slot = lock(&self.core);
        let Core { machine, rules, ledger } = slot.as_mut()?;
        let (lapsed, generation) = (machine.lapsed(), machine.generation());
        let at = At { now, rules, roll: fastrand::f64() };
        match self.front.take() {
            0 => {}
            // They ended before the front closed, in the stretch of time that it was open for.
            aside => {
                let last = self.front.until() - Duration::from_nanos(1);
                machine.fold(aside, At { now: now.min(last), ..at });
            }
        }
        let decided = decide(machine, ledger, at);
        ledger.note_lapsed(machine.lapsed() - lapsed, generation);
        machine.take_transitions().into_iter().for_each(|moved| ledger.outbox.push(moved));
        self.published.publish(machine);
        self.front.open(machine.deferral());
        self.published.set_noisy(ledger.audience.wants_rejections());
        if ledger.room.receiver_count() > 0 && machine.refusal(now, &rules.half_open).is_none() {
            ledger.room.send_replace(());
        }
        let notes = std::mem::take(&mut ledger.notes);
        let audience = (!notes.is_empty()).then(|| ledger.audience.clone());
        let deliver = ledger.outbox.claim().then_some(ledger.born);
        drop(slot);
        if let Some(audience) = audience {
            notes.iter().for_each(|note| audience.tell(note));
        }
        if let Some(born) = deliver {
            self.deliver(born);
        }
        Some(decided)
    }

    /// Delivers until nothing waits, or another breaker lives here and delivers for itself.
    fn deliver(&self, born: u64) {
        loop {
            let mut slot = lock(&self.core);
            let Some(Core { ledger, .. }) = slot.as_mut() else { return };
            if ledger.born != born {
                return;
            }
            let Some(event) = ledger.outbox.next() else { return };
            let audience = ledger.audience.clone();
            drop(slot);
            audience.tell(&event);
        }
    }
}
