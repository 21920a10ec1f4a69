//! Runs the inventory service until it is told to stop, and says where it is and how it does.
//!
//! `make serve` starts it. What can be set is in [`examples::settings`].
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use degradation::Change;
use examples::chaos::Victim;
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
    let listen = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listen: SocketAddr = listen.parse().map_err(|error| format!("LISTEN={listen}: {error}"))?;
    let settings = Settings { listen, sources: Sources::from_env(), pace: Pace::default() };
    let inventory = Inventory::start(&settings).await?;
    introduce(&inventory, &settings.sources).await;

    let mut terminate = signal(SignalKind::terminate())?;
    let mut changes = inventory.manager().events();
    loop {
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => break stopped?,
            _ = terminate.recv() => break,
            change = changes.recv() => match change {
                Ok(change) => println!("{}", told(&change)),
                Err(RecvError::Lagged(missed)) => println!("{missed} changes missed"),
                Err(RecvError::Closed) => break,
            },
        }
    }
    println!("stopping: requests in flight have {:?}", settings.pace.drain);
    Ok(inventory.shutdown().await?)
}

async fn introduce(inventory: &Inventory, sources: &Sources) {
    let url = inventory.url();
    println!("The inventory service is at {url}");
    for (path, what) in [
        ("/products", "products and stock"),
        ("/products/1", "one of them; see its header x-served-by"),
        ("/products/1/stock", "POST {\"add\": -1} sells one"),
        ("/products/1/photo", "PUT and GET a photo"),
        ("/products/1/description", "what a language model says; ?stream=true in parts"),
        ("/health", "how the service does"),
        ("/readyz", "whether it wants traffic"),
        ("/livez", "whether it lives"),
        ("/metrics", "for Prometheus"),
        ("/chaos", "breaks what runs here, to watch what follows"),
    ] {
        println!("  {:<46}{what}", format!("{url}{path}"));
    }
    let place = |name: &str, real: bool, here: &str, variable: &str| {
        let place = if real { format!("as {variable} says") } else { here.to_owned() };
        println!("  {name:<10}{place}");
    };
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
    println!("Ctrl-C or SIGTERM stops it.");
}

fn told(change: &Change) -> String {
    format!(
        "level {} → {}, mode {} → {}, score {}: {}",
        change.level.0, change.level.1, change.mode.0, change.mode.1, change.score, change.cause
    )
}
