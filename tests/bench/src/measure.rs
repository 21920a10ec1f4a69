//! Nanoseconds, allocations and, where valgrind is installed, instructions for each operation.

use std::process::Command;
use std::time::Instant;

use crate::cases::{CASES, Case, Run};

const ROUND: u64 = 100_000;
const ROUNDS: usize = 21;

pub fn table() {
    let mut runs: Vec<Run> = CASES.iter().map(|case| (case.new)()).collect();
    let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); CASES.len()];
    for round in 0..=ROUNDS {
        for (run, nanos) in runs.iter_mut().zip(&mut rounds) {
            let begin = Instant::now();
            run(ROUND);
            let each = begin.elapsed().as_nanos() as f64 / ROUND as f64;
            // The first round warms up.
            if round > 0 {
                nanos.push(each);
            }
        }
    }
    let instructions: Vec<Option<u64>> = CASES.iter().map(instructions).collect();
    println!(
        "{:<40} {:>9} {:>11} {:>7} {:>7} {:>7}",
        "case", "ns", "over bare", "instr", "over", "allocs"
    );
    let bare = median(&mut rounds[0].clone());
    for (index, case) in CASES.iter().enumerate() {
        let nanos = median(&mut rounds[index]);
        let allocations = allocation_counter::measure(|| runs[index](1_000)).count_total / 1_000;
        let over = instructions[index].zip(instructions[0]).map(|(own, bare)| own - bare.min(own));
        println!(
            "{:<40} {nanos:>9.2} {:>11.2} {:>7} {:>7} {allocations:>7}",
            case.name,
            nanos - bare,
            show(instructions[index]),
            show(over),
        );
    }
    if instructions.iter().all(Option::is_none) {
        println!("instructions need valgrind, which is not installed");
    }
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
