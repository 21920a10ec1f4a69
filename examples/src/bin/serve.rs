//! Runs the inventory service until it is told to stop, and says where it is and how it does.
//!
//! `make serve` starts it. What can be set is in [`examples::settings`] and [`examples::control`];
//! besides, `LISTEN` (`127.0.0.1:8080`) and `NOTICE`, the seconds (0) for which `/readyz` says no before
//! a service that stops refuses connections.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use degradation::Change;
use examples::chaos::Victim;
use examples::control::{Control, ControlSettings};
use examples::dependencies::POSTGRES;
use examples::{Inventory, Pace, Settings, Sources, explain};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("serve: {}", explain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    // Before there is anything to lose.
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let get = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let listen = get("LISTEN").unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listen: SocketAddr = listen.parse().map_err(|error| format!("LISTEN={listen}: {error}"))?;
    let notice = get("NOTICE").unwrap_or_else(|| "0".to_owned());
    let notice = notice.parse().map_err(|error| format!("NOTICE={notice}: {error}"))?;
    let pace = Pace { notice: Duration::from_secs(notice), ..Pace::default() };
    let control = ControlSettings::from_lookup(get)?;
    let settings = Settings { listen, sources: Sources::from_env(), pace };
    let inventory = Inventory::start(&settings).await?;
    let control = match control {
        Some(control) => Some(Control::start(inventory.manager(), control).await?),
        None => None,
    };
    introduce(&inventory, &settings.sources, control.as_ref()).await;

    let mut changes = inventory.manager().events();
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            change = changes.recv() => match change {
                Ok(change) => println!("{}", told(&change)),
                Err(RecvError::Lagged(missed)) => println!("{missed} changes missed"),
                Err(RecvError::Closed) => break,
            },
        }
    }
    println!("stopping: requests in flight have {:?}", pace.drain);
    Ok(inventory.shutdown().await?)
}

async fn introduce(inventory: &Inventory, sources: &Sources, control: Option<&Control>) {
    let url = inventory.url();
    println!("The inventory service is at {url}");
    for (path, what) in [
        ("/products", "products and stock"),
        ("/products/1", "one of them; see its header x-served-by"),
        ("/products/1/stock", "POST {\"add\": -1} sells one"),
        ("/products/1/photo", "PUT and GET a photo"),
        ("/products/1/description", "what a language model says; ?stream=true in parts"),
        ("/status", "a live page: what is wrong, and since when"),
        ("/status.json", "the same as one document; /status/events as it changes"),
        ("/health", "how the service does, for alerts"),
        ("/readyz", "whether it wants traffic"),
        ("/livez", "whether it lives"),
        ("/metrics", "for Prometheus"),
    ] {
        println!("  {:<46}{what}", format!("{url}{path}"));
    }
    if inventory.chaos().can_break().await {
        let url = format!("{url}/chaos");
        println!("  {url:<46}breaks what runs here, to watch what follows");
    }
    let place = |name: &str, real: bool, here: &str, variable: &str| {
        let place = if real { format!("as {variable} says") } else { here.to_owned() };
        println!("  {name:<10}{place}");
    };
    println!("  {url:<46}gRPC: inventory.v1.Inventory");
    println!("It leans on");
    let child = async |victim, else_: &str| match inventory.chaos().pid(victim).await {
        Some(pid) => format!("a child of this process, pid {pid}"),
        None => else_.to_owned(),
    };
    let redis = child(Victim::Redis, "").await;
    let database = child(Victim::Database, "SQLite, temporary").await;
    let own = sources.database.as_deref().is_none_or(|url| url == POSTGRES);
    place("redis", sources.redis.is_some(), &redis, "REDIS_URL");
    place("s3", sources.s3.is_some(), "in the process", "S3_ENDPOINT or S3_BUCKET");
    place("database", !own, &database, "DATABASE_URL");
    place("openai", sources.openai.is_some(), "in the process", "OPENAI_BASE_URL");
    match control {
        Some(control) => println!("Operators: DEGRADECTL_URL={}", control.url()),
        None => println!("Operators: CONTROL_TOKEN=... opens a port for degradectl"),
    }
    println!("Ctrl-C or SIGTERM stops it.");
}

fn told(change: &Change) -> String {
    format!(
        "level {} → {}, mode {} → {}, score {}: {}",
        change.level.0, change.level.1, change.mode.0, change.mode.1, change.score, change.cause
    )
}
