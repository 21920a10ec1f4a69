//! Shows how a service does, and orders it about, from a terminal.
//!
//! At three in the morning there may be no browser, but there is a shell. `degradectl top URL` shows
//! there what the page `/status` shows; the other commands give the orders that the
//! [control router](degradation::control) takes.
//!
//! ```text
//! degradectl top http://inventory:8080
//!
//! export DEGRADECTL_URL=http://inventory:9090/control DEGRADECTL_TOKEN=…
//! degradectl status
//! degradectl force level critical --reason "moving the disks" --for 10m
//! degradectl force breaker redis open --reason "failing over" --for 90s
//! degradectl drill s3 --reason "game day" --for 5m
//! degradectl queue list uploads
//! degradectl reset --reason "all done"
//! ```
//!
//! | exit code | means |
//! | --- | --- |
//! | 0 | the level is normal; the order was carried out |
//! | 1, 2 | the level is degraded, critical (`status`, `top --once`) |
//! | 3 | the service could not be reached, or what answered is not it |
//! | 4 | the service refused: a wrong token, an unknown name |
//! | 64 | the command line can not be understood |

mod arguments;
mod client;
mod figures;
mod orders;
mod screen;
mod sse;
mod top;
mod view;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use degradation::{Level, StatusDocument};

use crate::arguments::{Arguments, Command, Control, Queue};
use crate::client::{Client, Failure};
use crate::orders::Order;
use crate::screen::Screen;

/// Of `sysexits.h`. The codes below it tell of the service.
const USAGE: u8 = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(told) => {
            // Help and version are answers, too. When nobody listens there is nobody to tell.
            drop(told.print());
            return if told.use_stderr() { USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    match run(&arguments.control, arguments.command).await {
        Ok(code) => code.into(),
        Err(failure) => {
            drop(writeln!(io::stderr(), "degradectl: {failure}"));
            failure.code().into()
        }
    }
}

async fn run(control: &Control, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Top { service, once: false } => top::follow(&service).await,
        Command::Top { service, once: true } => Ok(show(&top::look(&service).await?)),
        Command::Status { json: false } => Ok(show(&Client::new(control)?.status().await?)),
        Command::Status { json: true } => {
            let text = Client::new(control)?.status_text().await?;
            let document: StatusDocument = client::read(&text)?;
            print(&[String::from_utf8_lossy(&text).into_owned()]);
            Ok(by_level(document.level))
        }
        Command::Queue(Queue::List { queue, limit }) => {
            let entries = Client::new(control)?.entries(&queue, limit).await?;
            print(&view::entries(&entries, Screen::of_stdout()));
            Ok(0)
        }
        Command::Queue(Queue::Retry { queue, id, why }) => {
            give(control, &Order::retry(&queue, &id, &why.reason)).await
        }
        Command::Queue(Queue::Drop { queue, id, why }) => {
            give(control, &Order::drop_entry(&queue, &id, &why.reason)).await
        }
        Command::Force(force) => give(control, &Order::force(&force)).await,
        Command::Release { breaker, why } => {
            give(control, &Order::release(breaker.as_deref(), &why.reason)).await
        }
        Command::Reset { breaker, why } => {
            give(control, &Order::reset(breaker.as_deref(), &why.reason)).await
        }
        Command::Drill { dependency, why, seconds, end: _ } => {
            give(control, &Order::drill(&dependency, &why.reason, seconds)).await
        }
    }
}

/// Gives an order and says what became of it.
async fn give(control: &Control, order: &Order) -> Result<u8, Failure> {
    let after = Client::new(control)?.order(order).await?;
    print(&[view::carried_out(&order.told, &after)]);
    Ok(0)
}

fn show(document: &StatusDocument) -> u8 {
    print(&view::document(document, Screen::of_stdout()));
    by_level(document.level)
}

/// A pipe that was closed, as by `head`, is no failure.
fn print(lines: &[String]) {
    let mut out = io::stdout().lock();
    for line in lines {
        if writeln!(out, "{line}").is_err() {
            return;
        }
    }
}

const fn by_level(level: Level) -> u8 {
    match level {
        Level::Normal => 0,
        Level::Degraded => 1,
        Level::Critical => 2,
    }
}
