//! What the breaker costs an operation of the SDK: the same client without it and with it, in one run.
//!
//! A connector answers in the process, so that what is compared is the SDK's own work: objects of
//! 1 KiB, signed, sent and read to the end. Instructions come from callgrind, as the difference of two
//! lengths of one run; the ratio of times is the median of alternating rounds' own.
//!
//! Measured over 2 000 operations each, so that the random seeds of the SDK's maps matter less:
//!
//! | | bare | with the interceptor | with bytes counted | through `S3` |
//! | --- | --- | --- | --- | --- |
//! | GET | 396 k | −0.4 % | −0.2 % | −1.8 % |
//! | PUT | 459 k | +0.8 % | +1.0 % | +6.5 % |
//! | HEAD | 361 k | +0.8 % | +0.7 % | +0.8 % |
//!
//! A GET is cheaper with it than without, because its body comes in slices. What a PUT pays through
//! `S3` is the copying of a larger future, which callgrind counts byte by byte. The table below takes
//! 500 operations, and is right to about 1 %.
//!
//! ```text
//! s3                              the table
//! s3 OPERATION THROUGH COUNT      one of its rows, COUNT operations: for callgrind and perf
//! ```

#[path = "../callgrind.rs"]
mod callgrind;
mod cases;
mod connector;

use std::process::ExitCode;
use std::time::Instant;

use cases::{Operation, Run, Through};

const ROUND: u64 = 200;
const ROUNDS: usize = 31;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => table(),
        [operation, through, count] => {
            let operation = Operation::ALL.into_iter().find(|known| known.name() == operation);
            let through = Through::ALL.into_iter().find(|known| known.name() == through);
            let (Some(operation), Some(through), Ok(count)) = (operation, through, count.parse())
            else {
                return usage();
            };
            Run::new(operation, through).run(count);
        }
        _ => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!(
        "s3 [OPERATION THROUGH COUNT]; operations: {}; through: {}",
        Operation::ALL.map(Operation::name).join(", "),
        Through::ALL.map(Through::name).join(", "),
    );
    ExitCode::FAILURE
}

fn table() {
    println!("an operation of the SDK on 1 KiB, answered in the process");
    println!(
        "{:<10} {:<24} {:>9} {:>9} {:>8} {:>7} {:>7}",
        "operation", "through", "us", "instr", "over", "ratio", "of time"
    );
    for operation in Operation::ALL {
        let runs = Through::ALL.map(|through| Run::new(operation, through));
        let mut rounds = Vec::new();
        for round in 0..=ROUNDS {
            let times = runs.each_ref().map(timed);
            // The first round warms up.
            if round > 0 {
                rounds.push(times);
            }
        }
        let instructions = Through::ALL.map(|through| instructions(operation, through));
        for (row, through) in Through::ALL.into_iter().enumerate() {
            let counted = instructions[row].zip(instructions[0]);
            println!(
                "{:<10} {:<24} {:>9.2} {:>9} {:>8} {:>7} {:>7.3}",
                operation.name(),
                through.name(),
                median(rounds.iter().map(|round| round[row])),
                show(instructions[row]),
                show(counted.map(|(own, bare)| own as i64 - bare as i64)),
                show(counted.map(|(own, bare)| format!("{:.3}", own as f64 / bare as f64))),
                median(rounds.iter().map(|round| round[row] / round[0])),
            );
        }
    }
}

/// Microseconds an operation.
fn timed(run: &Run) -> f64 {
    let begin = Instant::now();
    run.run(ROUND);
    begin.elapsed().as_secs_f64() * 1e6 / ROUND as f64
}

fn instructions(operation: Operation, through: Through) -> Option<u64> {
    let (operation, through) = (operation.name(), through.name());
    let run = |count: u64| vec![operation.to_owned(), through.to_owned(), count.to_string()];
    callgrind::instructions(100, 500, run)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn show(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}
