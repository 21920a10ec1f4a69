//! Checks the whole of it: `make validate`, and against servers that the environment names
//! `make staging-check`.
//!
//! Eight sections of numbered checks, each of something that happens: a build that ends well, a type
//! that does what it says, a call that is answered, a metric that is scraped, a test that ran. The
//! last line is `N/N`; `tests/REPORT.md` has all of it.
//!
//! | file | section |
//! | --- | --- |
//! | `house` | 1 layout, 2 build and lints, 6 test groups, 8 tree and changelog: by running cargo and git |
//! | `types`, `combinations` | 3 public types, and what follows from each set of outages |
//! | `operations`, `routes` | 4 each operation called |
//! | `metrics` | 5 each metric scraped |
//! | `latency` | 7 latency targets |
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]
#![expect(clippy::significant_drop_tightening, reason = "the service lives as long as the run")]

mod combinations;
mod house;
mod latency;
mod metrics;
mod operations;
mod report;
mod routes;
mod types;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use examples::dependencies::POSTGRES;
use examples::{Inventory, Pace, Settings, Sources, explain};
use tempfile::TempDir;

use crate::report::Report;

type Fallible<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let staging = std::env::args().any(|arg| arg == "staging");
    let run = if staging { staging_check().await } else { validate().await };
    match run {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("validate: {}", explain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Everything, on servers of its own.
async fn validate() -> Fallible<bool> {
    let mut report = Report::default();
    report.section("Layout");
    house::layout(&mut report)?;
    report.section("Build and lints");
    house::build(&mut report)?;
    report.section("Public types");
    types::check(&mut report).await;
    combinations::check(&mut report).await?;

    let sources = Sources { database: Some(POSTGRES.to_owned()), ..Sources::default() };
    let inventory = start(sources).await?;
    report.section("Each operation called");
    operations::check(&mut report, &inventory).await;
    routes::check(&mut report, &inventory).await?;
    report.section("Each metric scraped");
    metrics::check(&mut report, &inventory).await?;
    // In the order of the sections that the report promises; the servers are needed for the seventh.
    report.section("Test groups executed");
    house::tests(&mut report)?;
    report.section("Latency targets");
    latency::check(&mut report, &inventory).await;
    inventory.shutdown().await?;
    report.section("Clean tree and changelog");
    house::tree(&mut report)?;

    let file = house::root()?.join("tests/REPORT.md");
    std::fs::write(&file, report.document(&house::head()?))?;
    println!("\nwritten to {}\n{}", file.display(), report.verdict());
    Ok(report.all_hold())
}

/// What harms nothing, on the servers that the environment names: keys begin with `staging-check` and are
/// deleted, and the database gets no products, only the tables that the service would make.
async fn staging_check() -> Fallible<bool> {
    let mut report = Report::default();
    // None of its uploads is anybody's: those that wait at its end may go with their folder.
    let folder = TempDir::with_prefix("staging-check-")?;
    let spool = Some(folder.path().join("uploads"));
    let inventory = start(Sources { spool, unseeded: true, ..Sources::from_env() }).await?;
    report.section("Each operation called");
    operations::check(&mut report, &inventory).await;
    report.section("Each metric scraped");
    metrics::check(&mut report, &inventory).await?;
    report.section("Latency targets");
    latency::check(&mut report, &inventory).await;
    inventory.shutdown().await?;
    println!("\n{}", report.verdict());
    Ok(report.all_hold())
}

async fn start(sources: Sources) -> Fallible<Inventory> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Ok(Inventory::start(&Settings { listen, sources, pace: Pace::default() }).await?)
}
