//! What a GET of Redis costs through each client: ours and its peers, on one server, in one run.
//!
//! So many callers in a loop, each waiting for its answer before it asks again, on two threads of a
//! tokio runtime. Rounds of all clients alternate, so that a noisy machine disturbs all of them alike;
//! the ratio is the median of the rounds' own ratios to a bare `MultiplexedConnection` of redis-rs
//! with its defaults. Needs redis-server.
//!
//! At 1 / 16 / 64 / 256 callers, where the goal is 0.95 / 1.1 / 1.2 from 16 on:
//!
//! | | two cores that others use too | two cores of its own, two runs |
//! | --- | --- | --- |
//! | ours | 1.00 / 1.25 / 1.15 / 1.16 | 1.09 / 0.67 / 0.94 / 0.83, 0.99 / 0.72 / 0.88 / 0.84 |
//! | bare with `TCP_NODELAY` | | 0.84 / 0.65 / 0.86 / 0.96, 0.60 / 0.71 / 0.83 / 0.97 |
//! | ConnectionManager | 1.03 / 1.03 / 0.94 / 0.94 | 1.04 / 0.98 / 1.04 / 0.98, 1.02 / 1.04 / 1.00 / 1.00 |
//! | fred | 0.91 / 0.75 / 0.71 / 0.71 | 1.06 / 0.79 / 0.92 / 0.76, 0.92 / 0.82 / 0.94 / 0.92 |
//! | bb8-redis | 0.53 / 0.16 / 0.09 / 0.07 | 0.45 / 0.23 / 0.12 / 0.06, 0.50 / 0.24 / 0.14 / 0.11 |
//!
//! So the goal is met where cores are scarce and missed on a quiet machine, for two reasons.
//!
//! At 16 it is the socket. The bare connection leaves Nagle's algorithm on, and on loopback, where
//! every packet is acknowledged at once, the kernel then makes one packet of many commands for
//! nothing. Ours sends at once, because on a network the wait for the acknowledgement costs 39–68 %
//! (redis-rs issue 2195; its 2.0 does the same). Like for like, against the second row, ours has 1.03 / 1.08 /
//! 0.86. Our queue sends 13 commands in a packet, but then client and server work in turn: with one worker
//! thread, on which bare has 215 000 a second and ours 150 000, the two together use 94 % of one core.
//!
//! At 256 it is the work of the second core. With one worker thread ours has 540 000 a second and bare
//! 335 000. A second one makes of them 590 000 and 710 000, because each caller, its answer and its timer
//! then go from core to core: 1.67 µs of user time a call become 2.24. No single function has more
//! than 6 % of it; the clock is read five times (5 %).
//!
//! Processor time of client and server together, a call, in µs at 16 / 64 / 256: bare 7.6 / 4.0 / 4.0,
//! ours 8.0 / 3.6 / 2.6. That is why ours is ahead as soon as others want the cores.
//!
//! ```text
//! redis                     the table
//! redis CLIENT CALLERS      one client for ten seconds: for perf
//! ```

mod clients;
mod load;

use std::process::ExitCode;
use std::time::Duration;

use redis_service::test_server::RedisServer;

use crate::load::Round;

const CALLERS: [usize; 4] = [1, 16, 64, 256];
const ROUND: Duration = Duration::from_millis(70);
const ROUNDS: usize = 16;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let server = RedisServer::start().await.expect("a redis-server");
    let cases = clients::all(&server.url()).await;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [name, callers] = arguments.as_slice() {
        let case = cases.iter().find(|case| case.name.contains(name.as_str()));
        let (Some(case), Ok(callers)) = (case, callers.parse()) else {
            let names: Vec<_> = cases.iter().map(|case| case.name).collect();
            eprintln!("redis [CLIENT CALLERS]; clients: {}", names.join(", "));
            return ExitCode::FAILURE;
        };
        let round = (case.run)(callers, Duration::from_secs(10)).await;
        println!("{}: {:.0} per second", case.name, round.per_second);
        return ExitCode::SUCCESS;
    }
    println!(
        "GET, 100 bytes: thousands per second, ratio to bare, p50/p99 in microseconds; by callers\n"
    );
    print!("{:<36}", "client");
    for callers in CALLERS {
        print!("{callers:>28}");
    }
    println!();
    let mut table: Vec<Vec<Vec<Round>>> = vec![Vec::new(); cases.len()];
    for callers in CALLERS {
        let mut rounds = vec![Vec::new(); cases.len()];
        for round in 0..=ROUNDS {
            for (case, rounds) in cases.iter().zip(&mut rounds) {
                let measured = (case.run)(callers, ROUND).await;
                // The first round warms up.
                if round > 0 {
                    rounds.push(measured);
                }
            }
        }
        for (all, rounds) in table.iter_mut().zip(rounds) {
            all.push(rounds);
        }
    }
    for (case, by_callers) in cases.iter().zip(&table) {
        print!("{:<36}", case.name);
        for (rounds, bare) in by_callers.iter().zip(&table[0]) {
            let ratios =
                rounds.iter().zip(bare).map(|(own, bare)| own.per_second / bare.per_second);
            let thousands = load::median(rounds.iter().map(|round| round.per_second / 1000.0));
            let (p50, p99) = (
                load::median(rounds.iter().map(|round| round.p50)),
                load::median(rounds.iter().map(|round| round.p99)),
            );
            let cell = format!("{thousands:.0}k {:.2} {p50:.0}/{p99:.0}", load::median(ratios));
            print!("{cell:>28}");
        }
        println!();
    }
    ExitCode::SUCCESS
}
