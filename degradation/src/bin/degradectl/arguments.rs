//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Shows how a service does, and orders it about.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 normal, or carried out; 1 degraded; 2 critical (status, top \
                  --once); 3 not reached; 4 refused; 64 not understood."
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) control: Control,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where orders go.
#[derive(Debug, Args)]
pub(crate) struct Control {
    /// Where the control router is, such as <http://inventory:9090/control>
    #[arg(long, env = "DEGRADECTL_URL", global = true)]
    pub(crate) url: Option<String>,
    /// A file with the token; without one, the variable `DEGRADECTL_TOKEN` holds the token itself.
    /// No option does, because everybody on a machine can read its command lines
    #[arg(long, env = "DEGRADECTL_TOKEN_FILE", global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show how the service does, live, until Ctrl-C; needs no token
    Top {
        /// Where the service's page is, such as <http://inventory:8080> or …/status
        service: String,
        /// Show it once; the exit code tells the level
        #[arg(long)]
        once: bool,
    },
    /// Show how the service does, once; the exit code tells the level
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Force the level, the mode or a breaker
    #[command(subcommand)]
    Force(Force),
    /// End a forced level and a forced mode, or what was ordered of one breaker
    Release {
        /// The dependency whose breaker is released
        #[arg(long, value_name = "DEPENDENCY")]
        breaker: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// End every order, drills and forced breakers too; or reset one breaker to closed and empty
    Reset {
        /// The dependency whose breaker is reset
        #[arg(long, value_name = "DEPENDENCY")]
        breaker: Option<String>,
        #[command(flatten)]
        why: Why,
    },
    /// Act as if a dependency were down
    Drill {
        dependency: String,
        #[command(flatten)]
        why: Why,
        /// For how long, such as 90s or 10m
        #[arg(long = "for", value_name = "TIME", value_parser = seconds, required_unless_present = "end")]
        seconds: Option<u64>,
        /// End a drill before its time
        #[arg(long, conflicts_with = "seconds")]
        end: bool,
    },
    /// Look into a queue, try an entry again, or give one up
    #[command(subcommand)]
    Queue(Queue),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Force {
    /// Enforce a level, whatever the score
    Level {
        level: Level,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        limit: Limit,
    },
    /// Enforce a mode, whatever is down
    Mode {
        mode: Mode,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        limit: Limit,
    },
    /// Take a breaker out of its own hands
    Breaker {
        dependency: String,
        order: BreakerOrder,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        limit: Limit,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Queue {
    /// List the oldest entries
    List {
        queue: String,
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },
    /// Try an entry again as soon as possible, a dead one too
    Retry {
        queue: String,
        id: String,
        #[command(flatten)]
        why: Why,
    },
    /// Give an entry up: what it holds is lost
    Drop {
        queue: String,
        id: String,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// Why; everybody who sees the status reads it
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Limit {
    /// For how long, such as 90s or 10m; without it, until released
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    pub(crate) seconds: Option<u64>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Level {
    Normal,
    Degraded,
    Critical,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Mode {
    Full,
    Minimal,
    ReadOnly,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BreakerOrder {
    /// Reject every call
    Open,
    /// Let every call pass and count it
    Closed,
    /// Let every call pass and record nothing
    Disabled,
    /// Record and report, and reject nothing
    ObserveOnly,
}

/// Orders stand for whole seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let time: Duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time.is_zero() || time.subsec_nanos() > 0 {
        return Err("it has to be a whole number of seconds, at least one".to_owned());
    }
    Ok(time.as_secs())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_time_limit_is_a_whole_number_of_seconds() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("1h 30m"), Ok(5_400));
        for bad in ["0s", "1500ms", "ten minutes", "-5s", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_order_needs_a_reason_and_a_drill_an_end() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        for good in [
            "degradectl force level critical --reason disks",
            "degradectl force breaker redis open --reason disks --for 10m",
            "degradectl drill redis --reason disks --for 10m",
            "degradectl drill redis --reason disks --end",
            "degradectl reset --reason disks",
        ] {
            parse(good).unwrap();
        }
        for bad in [
            "degradectl force level critical",
            "degradectl drill redis --reason disks",
            "degradectl drill redis --reason disks --for 10m --end",
            "degradectl queue drop uploads 7",
            "degradectl reset",
        ] {
            parse(bad).unwrap_err();
        }
    }
}
