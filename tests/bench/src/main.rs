//! What a breaker costs: ours and its peers, side by side in one run.
//!
//! One operation is `poll_ready`, `call` and one poll to completion, with a waker that does nothing,
//! over a service that is ready at once. Nanoseconds are the median of alternating rounds, so that a
//! noisy machine disturbs all of them alike; trust the ratios. Allocations are exact. Instructions
//! come from callgrind, as the difference of two lengths of one run (`run` below is what it runs).
//!
//! ```text
//! bench                    the table
//! bench run CASE COUNT     one case, COUNT operations: for callgrind and perf
//! ```

mod cases;
mod measure;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            measure::table();
            ExitCode::SUCCESS
        }
        ["run", case, count] => match (cases::find(case), count.parse()) {
            (Some(case), Ok(count)) => {
                (case.new)()(count);
                ExitCode::SUCCESS
            }
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("bench [run CASE COUNT]; cases: {}", cases::names().join(", "));
    ExitCode::FAILURE
}
