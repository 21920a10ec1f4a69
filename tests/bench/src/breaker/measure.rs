//! Nanoseconds, allocations, two threads and, where valgrind is installed, instructions.

use std::process::Command;
use std::sync::Barrier;
use std::time::Instant;

use super::cases::{CASES, Case};
use super::drive::Run;

const ROUND: u64 = 100_000;
const ROUNDS: usize = 21;

/// The cases with `part` in their names.
pub fn table(part: &str) {
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.name.contains(part)).collect();
    let mut runs: Vec<[Run; 2]> = cases.iter().map(|case| (case.new)()).collect();
    let mut alone: Vec<Vec<f64>> = vec![Vec::new(); cases.len()];
    let mut together = alone.clone();
    for round in 0..=ROUNDS {
        for (index, [one, two]) in runs.iter_mut().enumerate() {
            let (one_thread, two_threads) = (timed(one), timed_together(one, two));
            // The first round warms up.
            if round > 0 {
                alone[index].push(one_thread);
                together[index].push(two_threads);
            }
        }
    }
    let instructions: Vec<Option<u64>> = cases.iter().map(|case| instructions(case)).collect();
    println!(
        "{:<40} {:>9} {:>10} {:>6} {:>6} {:>6} {:>10} {:>6}",
        "case", "ns", "over bare", "instr", "over", "allocs", "2 threads", "ratio"
    );
    let alone: Vec<f64> = alone.iter_mut().map(|rounds| median(rounds)).collect();
    for (index, case) in cases.iter().enumerate() {
        let bare = cases.iter().position(|other| other.name == case.bare).unwrap_or(index);
        let allocations = allocation_counter::measure(|| runs[index][0](1_000)).count_total / 1_000;
        let over =
            instructions[index].zip(instructions[bare]).map(|(own, bare)| own - bare.min(own));
        let (one, two) = (alone[index], median(&mut together[index]));
        println!(
            "{:<40} {one:>9.2} {:>10.2} {:>6} {:>6} {allocations:>6} {two:>10.2} {:>6.2}",
            case.name,
            one - alone[bare],
            show(instructions[index]),
            show(over),
            two / one,
        );
    }
    if instructions.iter().all(Option::is_none) {
        println!("instructions need valgrind, which is not installed");
    }
}

/// Nanoseconds an operation.
fn timed(run: &mut Run) -> f64 {
    let begin = Instant::now();
    run(ROUND);
    begin.elapsed().as_nanos() as f64 / ROUND as f64
}

/// Nanoseconds an operation of the slower of two threads that go at the same time.
fn timed_together(one: &mut Run, two: &mut Run) -> f64 {
    let start = Barrier::new(2);
    let go = |run: &mut Run| {
        start.wait();
        timed(run)
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| go(two));
        go(one).max(other.join().expect("a run does not panic"))
    })
}

fn show(number: Option<u64>) -> String {
    number.map_or_else(|| "–".to_owned(), |number| number.to_string())
}

fn median(nanos: &mut [f64]) -> f64 {
    nanos.sort_by(f64::total_cmp);
    nanos[nanos.len() / 2]
}

/// The difference of two lengths of one run, so that starting up cancels out.
fn instructions(case: &Case) -> Option<u64> {
    const MORE: u64 = 10_000;
    let short = collected(case, 1_000)?;
    let long = collected(case, 1_000 + MORE)?;
    Some(long.saturating_sub(short) / MORE)
}

fn collected(case: &Case, operations: u64) -> Option<u64> {
    let own = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args(["run", case.name, &operations.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected"))?;
    line.split_whitespace().last()?.parse().ok()
}
