//! The table of the dependencies, what is wrong first.

use degradation::status::{BreakerStatus, DependencyStatus};
use degradation::{History, Status, StatusDocument};

use crate::figures::{NONE, lasting, millis, percent};
use crate::screen::{Screen, Tone, fit, printable};

const WIDTHS: [usize; 9] = [14, 5, 12, 7, 7, 8, 8, 9, 9];
const HEADS: [&str; 9] =
    ["STATE", "SCORE", "NEXT PROBE", "CALLS/S", "ERRORS", "P50", "P99", "REJECTED", "FALLBACKS"];

/// How many slots of the history make a column: three minutes fit thirty.
const SLOTS: usize = 3;

pub(super) fn table(document: &StatusDocument, screen: Screen) -> Vec<String> {
    let name = |one: &DependencyStatus| one.name.chars().count();
    let longest = document.dependencies.iter().map(name).max().unwrap_or(0);
    let width = longest.clamp("DEPENDENCY".len(), 24);
    let head = row("DEPENDENCY", width, &HEADS.map(str::to_owned));
    let mut lines = vec![screen.line(Tone::Soft, &format!("{head}  LAST THREE MINUTES"))];
    let mut ranked: Vec<_> = document.dependencies.iter().collect();
    ranked.sort_by_key(|one| rank(one));
    for one in ranked {
        lines.push(line(one, width, screen));
        let more = [why(one), last_error(one, document.at_unix_ms)];
        lines.extend(
            more.into_iter().flatten().map(|text| screen.line(Tone::Soft, &format!("  {text}"))),
        );
    }
    lines
}

fn rank(one: &DependencyStatus) -> u8 {
    match tone(one) {
        Tone::Bad => 0,
        Tone::Warn | Tone::Soft => 1,
        Tone::Good | Tone::Strong | Tone::Plain => 2,
    }
}

fn tone(one: &DependencyStatus) -> Tone {
    match one.status {
        _ if one.down => Tone::Bad,
        Status::Unknown => Tone::Soft,
        Status::Up | Status::Down if one.score < 100 => Tone::Warn,
        Status::Up | Status::Down => Tone::Good,
    }
}

fn line(one: &DependencyStatus, width: usize, screen: Screen) -> String {
    let calls = one.calls.as_ref();
    let none = || NONE.to_owned();
    let by_breaker = || one.breaker.as_ref().map(|breaker| breaker.rejected);
    let rejected = calls.map(|calls| calls.rejected).or_else(by_breaker);
    let cells = [
        state(one),
        one.score.to_string(),
        next_probe(one),
        calls.map_or_else(none, |calls| format!("{:.1}", calls.per_second)),
        calls.map_or_else(none, |calls| percent(1.0 - calls.success_rate)),
        calls.map_or_else(none, |calls| millis(calls.p50_ms)),
        calls.map_or_else(none, |calls| millis(calls.p99_ms)),
        rejected.map_or_else(none, |count| count.to_string()),
        one.fallbacks.map_or_else(none, |count| count.to_string()),
    ];
    let text = fit(&printable(&row(&one.name, width, &cells)), screen.width);
    let left = screen.width.saturating_sub(text.chars().count() + 2);
    let chart = chart(&one.history, left, screen);
    format!("{}  {chart}", screen.paint(tone(one), &text)).trim_end().to_owned()
}

fn row(name: &str, width: usize, cells: &[String; 9]) -> String {
    let mut text = format!("{:width$}", fit(name, width));
    for (at, (cell, width)) in cells.iter().zip(WIDTHS).enumerate() {
        // The state is a word; the others are numbers.
        let cell = if at == 0 { format!("  {cell:width$}") } else { format!("  {cell:>width$}") };
        text.push_str(&cell);
    }
    text
}

fn state(one: &DependencyStatus) -> String {
    if one.drill.is_some() {
        return "drill".to_owned();
    }
    let Some(BreakerStatus { state, control, .. }) = &one.breaker else {
        return match one.status {
            Status::Unknown => "unknown",
            Status::Up | Status::Down => {
                if one.down {
                    "down"
                } else {
                    "up"
                }
            }
        }
        .to_owned();
    };
    if control == "automatic" { state.replace('_', "-") } else { control.replace('_', "-") }
}

fn next_probe(one: &DependencyStatus) -> String {
    match one.next_probe_ms {
        Some(0) => "next call".to_owned(),
        Some(wait) => lasting(wait),
        None => NONE.to_owned(),
    }
}

fn why(one: &DependencyStatus) -> Option<String> {
    let drill = one.drill.as_ref().map(|order| format!("drill: {}", order.reason));
    drill.or_else(|| one.detail.as_deref().map(str::to_owned))
}

fn last_error(one: &DependencyStatus, now: u64) -> Option<String> {
    let error = one.last_error.as_ref().filter(|_| one.down || one.score < 100)?;
    let age = error.at_unix_ms.map(|at| format!(" {} ago", lasting(now.saturating_sub(at))));
    Some(format!("last error{}: {}", age.unwrap_or_default(), error.what))
}

/// A column for each six seconds: its height tells how many calls there were, its colour what
/// became of the worst of them.
fn chart(history: &History, width: usize, screen: Screen) -> String {
    let columns: Vec<(u64, Tone)> = columns(history);
    let most = columns.iter().map(|(calls, _)| *calls).max().unwrap_or(0);
    let shown = columns.iter().skip(columns.len().saturating_sub(width));
    shown.map(|&(calls, tone)| screen.paint(tone, bar(calls, most))).collect()
}

fn columns(history: &History) -> Vec<(u64, Tone)> {
    let sums = |column: &[u64]| -> Vec<u64> {
        column.chunks(SLOTS).map(|slots| slots.iter().sum()).collect()
    };
    let answered = sums(&history.successes);
    let failed = sums(&history.failures);
    let rejected = sums(&history.rejected);
    let each = answered.into_iter().zip(failed).zip(rejected);
    each.map(|((answered, failed), rejected)| {
        let tone = match (failed, rejected) {
            (0, 0) => Tone::Soft,
            (0, _) => Tone::Warn,
            _ => Tone::Bad,
        };
        (answered.saturating_add(failed).saturating_add(rejected), tone)
    })
    .collect()
}

fn bar(calls: u64, most: u64) -> &'static str {
    const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    let height = calls.saturating_mul(7).div_ceil(most.max(1));
    let height = usize::try_from(height).unwrap_or(usize::MAX);
    if calls == 0 { " " } else { BARS.get(height).copied().unwrap_or("█") }
}
