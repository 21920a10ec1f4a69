//! Instructions, by callgrind: they do not depend on how busy the machine is.

use std::process::Command;

/// The instructions of one operation: the difference of two lengths of one run of this program, so
/// that starting up cancels out. `None` without valgrind.
pub fn instructions(first: u64, more: u64, arguments: impl Fn(u64) -> Vec<String>) -> Option<u64> {
    let short = collected(&arguments(first))?;
    let long = collected(&arguments(first + more))?;
    Some(long.saturating_sub(short) / more)
}

fn collected(arguments: &[String]) -> Option<u64> {
    let own = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args(arguments)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains("Collected"))?;
    line.split_whitespace().last()?.parse().ok()
}
