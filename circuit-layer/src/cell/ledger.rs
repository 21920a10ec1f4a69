//! What the shell keeps about a breaker beside the machine.

use tokio::sync::watch;

use crate::active_probe::{ActiveProbe, Prober};
use crate::clock::{Clock, Moment};
use crate::observe::{Audience, Event, Outbox};
use crate::outcome::Outcome;

/// What the shell keeps about a breaker beside the machine.
pub(crate) struct Ledger {
    pub(crate) clock: Clock,
    pub(crate) audience: Audience,
    pub(crate) outbox: Outbox,
    pub(crate) stale: u64,
    pub(super) prober: Option<Prober>,
    /// Tells those who wait for an admission that one may be had.
    pub(super) room: watch::Sender<()>,
    pub(super) name: &'static str,
    /// The first generation of this breaker in its cell.
    pub(crate) born: u64,
    /// What was noticed in this step, to be told outside the lock.
    pub(super) notes: Vec<Event>,
}

impl Ledger {
    pub(super) fn new(name: &'static str, born: u64, clock: Clock, audience: Audience) -> Self {
        Self {
            clock,
            audience,
            outbox: Outbox::default(),
            stale: 0,
            prober: None,
            room: watch::Sender::new(()),
            name,
            born,
            notes: Vec::new(),
        }
    }

    /// Asks by this probe from now on. What it takes the place of is handed back, to be dropped
    /// outside the lock.
    pub(super) fn ask_by(&mut self, probe: ActiveProbe) -> Option<ActiveProbe> {
        if let Some(prober) = &mut self.prober {
            return Some(prober.replace(probe));
        }
        self.prober = Some(Prober::new(probe));
        None
    }

    /// From when on a rejected call starts the active probe.
    pub(super) fn probe_due(&self) -> Moment {
        self.prober.as_ref().map_or(Moment::NEVER, Prober::due)
    }

    pub(super) fn note_lapsed(&mut self, probes: u64, generation: u64) {
        if probes > 0 {
            // First, because the machine looks at the leases before anything else.
            self.notes.insert(0, Event::LeaseExpired { name: self.name, generation, probes });
        }
    }

    /// Neutral outcomes are nothing, late or not; and the former tenant's calls are not ours.
    pub(super) fn note_stale(&mut self, generation: u64, outcome: Outcome) {
        if outcome != Outcome::Ignored && generation >= self.born {
            self.stale += 1;
            self.notes.push(Event::Stale { name: self.name, generation, outcome });
        }
    }
}
