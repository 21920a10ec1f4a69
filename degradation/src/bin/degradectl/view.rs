//! From a document to lines of text. Pure, so that what is seen can be tested.

mod dependencies;
#[cfg(test)]
mod tests;

use degradation::status::{CacheStatus, Named, QueueStatus, ShedCounts};
use degradation::{Level, LogEntry, LogKind, Mode, Order, QueueEntry, StatusDocument};

use crate::figures::{NONE, bytes, lasting, percent};
use crate::screen::{Screen, Tone, printable};

/// How many events are shown; a document holds 200.
const EVENTS: usize = 15;

/// Everything, for a screen of this width.
pub(crate) fn document(document: &StatusDocument, screen: Screen) -> Vec<String> {
    let mut lines = verdict(document, screen);
    lines.push(String::new());
    lines.extend(dependencies::table(document, screen));
    let stores = stores(document);
    if !stores.is_empty() {
        lines.push(String::new());
        lines.extend(stores.iter().map(|store| screen.line(Tone::Plain, store)));
    }
    if !document.log.is_empty() {
        lines.push(String::new());
        let logged = document.log.iter().take(EVENTS);
        lines.extend(logged.map(|entry| event(entry, document.at_unix_ms, screen)));
    }
    lines
}

fn verdict(document: &StatusDocument, screen: Screen) -> Vec<String> {
    let forced = document.forced_level.is_some() || document.forced_mode.is_some();
    let calm = !forced && !document.dependencies.iter().any(|one| one.down);
    // A normal level is no good news while a mode sheds everything, nor while something is down.
    let tone = match (document.level, document.mode) {
        (Level::Critical, _) | (_, Mode::Minimal | Mode::ReadOnly) => Tone::Bad,
        (Level::Normal, Mode::Full) if calm => Tone::Good,
        (Level::Normal | Level::Degraded, Mode::Full) => Tone::Warn,
    };
    let level = document.level.as_str().to_uppercase();
    let head = format!(
        "{level}  score {} of 100  mode {}  for {}",
        document.score,
        document.mode.as_str().replace('_', "-"),
        lasting(document.at_unix_ms.saturating_sub(document.since_unix_ms))
    );
    let mut lines = vec![screen.line(tone, &head), screen.line(Tone::Plain, &document.now)];
    let flags: Vec<&str> = document.flags.iter().collect();
    if !flags.is_empty() {
        lines.push(screen.line(Tone::Plain, &format!("replaced: {}", flags.join(", "))));
    }
    let forced = [("level forced", &document.forced_level), ("mode forced", &document.forced_mode)];
    let mut orders: Vec<(String, &Order)> = Vec::new();
    orders.extend(
        forced.into_iter().filter_map(|(what, order)| Some((what.to_owned(), order.as_ref()?))),
    );
    for dependency in &document.dependencies {
        orders.extend(
            dependency.drill.iter().map(|order| (format!("drill of {}", dependency.name), order)),
        );
    }
    lines.extend(orders.iter().map(|(what, order)| {
        let until = match order.until_unix_ms {
            Some(until) => {
                format!("ends in {}", lasting(until.saturating_sub(document.at_unix_ms)))
            }
            None => "until released".to_owned(),
        };
        screen.line(Tone::Strong, &format!("{what}: {} ({until})", order.reason))
    }));
    lines
}

/// A line for each queue and cache, and one for what was rejected.
fn stores(document: &StatusDocument) -> Vec<String> {
    let queues = document.queues.iter().map(queue);
    let shed = rejected(document.shed);
    queues.chain(document.caches.iter().map(cache)).chain(shed).collect()
}

fn queue(queue: &Named<QueueStatus>) -> String {
    let Named { name, status, .. } = queue;
    let mut text = format!("queue {name}: {} waiting, {}", status.depth, bytes(status.bytes));
    if let Some(limit) = status.bytes_limit {
        text = format!("{text} of {}", bytes(limit));
    }
    if let Some(age) = status.oldest_age_ms {
        text = format!("{text}, oldest {}", lasting(age));
    }
    let counts =
        [(Some(status.dead), "dead"), (status.refused, "refused"), (status.delivered, "delivered")];
    let counts =
        counts.into_iter().filter_map(|(count, what)| Some(format!(", {} {what}", count?)));
    text + &counts.collect::<String>()
}

fn cache(cache: &Named<CacheStatus>) -> String {
    let Named { name, status, .. } = cache;
    let asked = status.hits.saturating_add(status.misses);
    let ratio = ratio(status.hits, asked).map_or_else(|| NONE.to_owned(), percent);
    let mut text = format!("cache {name}: {} answers, hit ratio {ratio}", status.backend);
    if let Some(held) = status.bytes {
        text = format!("{text}, {} in memory", bytes(held));
    }
    let counts =
        [(status.entries, "entries"), (status.stale, "stale answers"), (status.evicted, "evicted")];
    let counts =
        counts.into_iter().filter_map(|(count, what)| Some(format!(", {} {what}", count?)));
    text + &counts.collect::<String>()
}

/// A part of a whole; None of nothing. A thousandth is all that is shown.
fn ratio(part: u64, whole: u64) -> Option<f64> {
    let thousandths = u128::from(part).saturating_mul(1_000).checked_div(u128::from(whole))?;
    u32::try_from(thousandths).ok().map(|thousandths| f64::from(thousandths) / 1_000.0)
}

fn rejected(shed: ShedCounts) -> Option<String> {
    let counts = [
        (shed.sheddable, "sheddable"),
        (shed.sheddable_plus, "sheddable-plus"),
        (shed.critical, "critical"),
        (shed.critical_plus, "critical-plus"),
        (shed.writes, "writes"),
    ];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some.map(|(count, what)| format!("{count} {what}")).collect();
    (!some.is_empty()).then(|| format!("rejected by the layers: {}", some.join(", ")))
}

fn event(entry: &LogEntry, now: u64, screen: Screen) -> String {
    let age = lasting(now.saturating_sub(entry.at_unix_ms));
    let why = entry.reason.as_ref().unwrap_or(&entry.cause);
    let tone = if entry.kind == LogKind::Order { Tone::Strong } else { Tone::Plain };
    screen.line(tone, &format!("{age:>12} ago  {} {}: {why}", entry.subject, entry.what))
}

/// The entries of a queue.
pub(crate) fn entries(entries: &[QueueEntry], screen: Screen) -> Vec<String> {
    if entries.is_empty() {
        return vec!["the queue is empty".to_owned()];
    }
    let id = |entry: &QueueEntry| entry.id.chars().count();
    let width = entries.iter().map(id).max().unwrap_or(0).max("ID".len());
    let head = format!("{:width$}  {:>14}  {:>10}  {:>8}  WHAT", "ID", "AGE", "SIZE", "ATTEMPTS");
    let mut lines = vec![screen.line(Tone::Soft, &head)];
    lines.extend(entries.iter().map(|entry| {
        let QueueEntry {
            id, key, operation, bytes: size, age_ms, attempts, dead, last_error, ..
        } = entry;
        let error = last_error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let (mark, tone) = if *dead { (" (dead)", Tone::Bad) } else { ("", Tone::Plain) };
        let (age, size) = (lasting(*age_ms), bytes(*size));
        let text = format!(
            "{id:width$}  {age:>14}  {size:>10}  {attempts:>8}  {operation} {key}{mark}{error}"
        );
        screen.line(tone, &text)
    }));
    lines
}

/// What was ordered, and how the service does now.
pub(crate) fn carried_out(told: &str, after: &StatusDocument) -> String {
    let mode = after.mode.as_str().replace('_', "-");
    printable(&format!("{told}; level {}, mode {mode}, {}", after.level, after.now))
}
