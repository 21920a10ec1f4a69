//! Plays outages on the inventory service, and checks what its callers get meanwhile.
//!
//! The service runs as `serve` runs it: behind its HTTP interface, with open-loop traffic on it that
//! does not wait for answers. What is killed is killed for real: redis-server and `PostgreSQL` by
//! `kill -9`; the servers in the process close their port and cut their connections. Nothing inside our layers is
//! switched. Only times are shorter than by default, by configuration.
//!
//! | file | what it does |
//! | --- | --- |
//! | `script` | the acts: what is killed when, and what has to hold |
//! | `traffic` | the callers |
//! | `timeline` | what is printed as it happens |
//! | `scrape` | the metrics, read as Prometheus reads them |
//! | `checks` | expected, got, and the table of both |
//!
//! A dependency that an environment variable names is not ours to kill: its acts are left out.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]
#![expect(clippy::significant_drop_tightening, reason = "the service lives as long as the run")]

mod checks;
mod play;
mod scrape;
mod script;
mod timeline;
mod traffic;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use degradation::LevelRules;
use examples::dependencies::POSTGRES;
use examples::{Inventory, Pace, Settings, Sources, explain};

/// The defaults, but shorter: an outage takes seconds here, not minutes.
fn pace() -> Pace {
    let levels = LevelRules::default();
    Pace {
        reset_timeout: Duration::from_secs(2),
        redis_deadline: Duration::from_millis(250),
        s3_attempt: Duration::from_secs(2),
        database_timeout: Duration::from_secs(1),
        openai_timeout: Duration::from_secs(1),
        page_ttl: Duration::from_secs(2),
        levels: levels
            .worsen_after(Duration::from_millis(500))
            .improve_after(Duration::from_secs(2)),
        check_every: Duration::from_millis(250),
        // What is to be seen is how calls find out.
        ask_every: None,
        drain: Duration::from_secs(5),
        ..Pace::default()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("demo: {}", explain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Whether every check holds.
async fn run() -> Result<bool, Box<dyn Error>> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut sources = Sources::from_env();
    sources.database.get_or_insert_with(|| POSTGRES.to_owned());
    let settings = Settings { listen, sources, pace: pace() };
    let inventory = Inventory::start(&settings).await?;
    let checks = script::perform(inventory, settings.pace).await?;
    println!("\n{checks}");
    Ok(checks.all_hold())
}
