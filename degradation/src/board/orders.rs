//! What operators order: a level, a mode, a drill. Each has a reason, and may have a limit.

use std::sync::Arc;
use std::time::Duration;

use super::Board;
use super::log::{LogKind, Note, SERVICE};
use crate::level::Level;
use crate::mode::Mode;
use crate::snapshot::Order;
use crate::time::Time;

impl Board {
    pub(crate) fn force_level(
        &mut self,
        level: Level,
        reason: &str,
        limit: Option<Duration>,
        at: Time,
    ) {
        self.forced_level = Some((level, at.order(reason, limit)));
        let what = lasting(&format!("level forced to {level}"), limit);
        self.note(&Note::order(SERVICE, &what, reason), at);
    }

    pub(crate) fn force_mode(
        &mut self,
        mode: Mode,
        reason: &str,
        limit: Option<Duration>,
        at: Time,
    ) {
        self.forced_mode = Some((mode, at.order(reason, limit)));
        let what = lasting(&format!("mode forced to {mode}"), limit);
        self.note(&Note::order(SERVICE, &what, reason), at);
    }

    /// Ends the forced level and the forced mode.
    pub(crate) fn release(&mut self, reason: &str, at: Time) {
        let level = self.forced_level.take().map(|_| "the forced level was released");
        let mode = self.forced_mode.take().map(|_| "the forced mode was released");
        for what in [level, mode].into_iter().flatten() {
            self.note(&Note::order(SERVICE, what, reason), at);
        }
    }

    /// Starts a drill. False if there is no such dependency.
    pub(crate) fn drill(&mut self, name: &str, reason: &str, limit: Duration, at: Time) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| &*entry.name == name) else {
            return false;
        };
        entry.drill = Some(at.order(reason, Some(limit)));
        let what = lasting("drill, as if it were down", Some(limit));
        self.note(&Note::order(name, &what, reason), at);
        true
    }

    /// Ends a drill. False if there is no such dependency.
    pub(crate) fn end_drill(&mut self, name: &str, reason: &str, at: Time) -> bool {
        let Some(entry) = self.entries.iter_mut().find(|entry| &*entry.name == name) else {
            return false;
        };
        if entry.drill.take().is_some() {
            self.note(&Note::order(name, "the drill was ended", reason), at);
        }
        true
    }

    /// Ends every order.
    pub(crate) fn reset(&mut self, reason: &str, at: Time) {
        self.release(reason, at);
        for entry in &mut self.entries {
            if entry.drill.take().is_some() {
                self.log.note(&Note::order(&entry.name, "the drill was ended", reason), at);
            }
        }
    }

    /// Ends the orders whose limit has come, and says which.
    pub(super) fn expire(&mut self, at: Time) -> Vec<String> {
        let level = self.forced_level.take_if(|(_, order)| is_over(order, at));
        let mode = self.forced_mode.take_if(|(_, order)| is_over(order, at));
        let service = || Arc::from(SERVICE);
        let mut over: Vec<(Arc<str>, String, Order)> = Vec::new();
        over.extend(level.map(|(_, order)| (service(), "the forced level ran out".into(), order)));
        over.extend(mode.map(|(_, order)| (service(), "the forced mode ran out".into(), order)));
        for entry in &mut self.entries {
            let Some(order) = entry.drill.take_if(|order| is_over(order, at)) else { continue };
            let what = format!("the drill of {} is over", entry.name);
            over.push((Arc::clone(&entry.name), what, order));
        }
        let note = |(subject, what, order): (Arc<str>, String, Order)| {
            let (kind, cause) = (LogKind::Order, "the order's time limit");
            let reason = Some(&*order.reason);
            self.log.note(&Note { kind, subject: &subject, what: &what, cause, reason }, at);
            what
        };
        over.into_iter().map(note).collect()
    }
}

fn is_over(order: &Order, at: Time) -> bool {
    order.until.is_some_and(|until| at.now >= until)
}

/// Says how long an order stands.
pub(crate) fn lasting(what: &str, limit: Option<Duration>) -> String {
    match limit {
        Some(limit) => format!("{what} for {limit:?}"),
        None => format!("{what} until released"),
    }
}
