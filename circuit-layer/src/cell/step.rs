//! One step of a breaker: decide under the lock, publish, and tell others outside it.

use std::time::Duration;

use super::{Cell, Core, Ledger, Seed};
use crate::clock::Moment;
use crate::machine::{At, Machine};
use crate::sync::{MutexGuard, lock};

/// What a step has to know of the time before it.
struct Before {
    generation: u64,
    lapsed: u64,
}

impl Cell {
    /// One step under the lock: decide, publish, queue; then, outside it, deliver.
    #[expect(clippy::significant_drop_tightening, reason = "the guard goes on into `end`")]
    pub(super) fn step<R>(
        &self,
        now: Moment,
        decide: impl FnOnce(&mut Machine, &mut Ledger, At<'_>) -> R,
    ) -> Option<R> {
        let mut slot = lock(&self.core);
        let core = slot.as_mut()?;
        let before = self.begin(core, now);
        let at = At { now, rules: &core.rules, roll: fastrand::f64() };
        let decided = decide(&mut core.machine, &mut core.ledger, at);
        self.end(slot, &before, now);
        Some(decided)
    }

    /// The step that changes the rules: what is due by the old ones comes first.
    #[expect(clippy::significant_drop_tightening, reason = "the guard goes on into `end`")]
    pub(crate) fn update(&self, seed: Seed, now: Moment) {
        let Seed { rules, abandoned_after, active_probe, .. } = seed;
        let mut slot = lock(&self.core);
        let Some(core) = slot.as_mut() else { return };
        let before = self.begin(core, now);
        let roll = fastrand::f64();
        core.machine.tick(At { now, rules: &core.rules, roll });
        core.machine.update(At { now, rules: &rules, roll });
        let former = std::mem::replace(&mut core.rules, rules);
        self.published.set_abandoned_after(abandoned_after);
        let former_probe = active_probe.and_then(|probe| core.ledger.ask_by(probe));
        core.ledger.room.send_replace(());
        self.end(slot, &before, now);
        // Outside the lock: with them go the user's policy and probe.
        drop((former, former_probe));
    }

    /// Takes in what was counted aside.
    fn begin(&self, Core { machine, rules, .. }: &mut Core, now: Moment) -> Before {
        let before = Before { generation: machine.generation(), lapsed: machine.lapsed() };
        match self.front.take() {
            0 => {}
            // They ended before the front closed, in the stretch of time that it was open for.
            aside => {
                let last = self.front.until() - Duration::from_nanos(1);
                machine.fold(aside, At { now: now.min(last), rules, roll: 0.0 });
            }
        }
        before
    }

    /// Publishes, and tells others once the lock is free.
    fn end(&self, mut slot: MutexGuard<'_, Option<Core>>, before: &Before, now: Moment) {
        let Some(Core { machine, rules, ledger }) = slot.as_mut() else { return };
        ledger.note_lapsed(machine.lapsed() - before.lapsed, before.generation);
        machine.take_transitions().into_iter().for_each(|moved| ledger.outbox.push(moved));
        self.published.publish(machine);
        self.front.open(machine.deferral());
        self.published.set_probe_due(ledger.probe_due());
        self.published.set_noisy(ledger.audience.wants_rejections());
        // Who waits has to look again when there is room, and when another state has another end.
        let moved = machine.generation() != before.generation;
        if ledger.room.receiver_count() > 0
            && (moved || machine.refusal(now, &rules.half_open).is_none())
        {
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
