//! What things cost: ours and the peers, side by side in one run.
//!
//! ```text
//! bench                    the table of breakers and of metrics
//! bench table PART         those of its cases that have PART in their names
//! bench run CASE COUNT     one of its cases, COUNT operations: for callgrind and perf
//! ```

mod breaker;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            breaker::table("");
            ExitCode::SUCCESS
        }
        ["table", part] => {
            breaker::table(part);
            ExitCode::SUCCESS
        }
        ["run", case, count] => match (breaker::find(case), count.parse()) {
            (Some(case), Ok(count)) => {
                let [mut run, _other] = (case.new)();
                run(count);
                ExitCode::SUCCESS
            }
            _ => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("bench [table PART | run CASE COUNT]; cases: {}", breaker::names().join(", "));
    ExitCode::FAILURE
}
