//! What an operator reads: the dashboard, the alerts, the runbook. A query with a typing error shows an
//! empty panel on the day that it is needed, so each of them is checked here, by Prometheus's own tool.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod alerts;
mod dashboard;

use std::path::PathBuf;
use std::process::Command;

/// A file of `examples/observability`.
fn file(name: &str) -> PathBuf {
    let workspace = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    workspace.join("examples/observability").join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// Whether promtool is content, and all that it said.
fn promtool(arguments: &[&str]) -> (bool, String) {
    let output = Command::new("promtool").args(arguments).output().unwrap_or_else(|error| {
        panic!(
            "promtool can not be started ({error}); it comes with the package `prometheus`, which \
             `make test` installs"
        )
    });
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}
