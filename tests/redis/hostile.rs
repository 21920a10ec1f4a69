//! Servers that speak something else than Redis, or far too much of it.

use std::time::Duration;

use circuit_layer::State;
use redis_service::{ErrorKind, Redis};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{failing, millis, until_it_serves};

/// What a server does with a `GET`.
#[derive(Clone, Copy)]
enum Trick {
    /// Sends this, and no more.
    Says(&'static str),
    /// Sends this and hangs up.
    SaysAndLeaves(&'static str),
    /// Announces a megabyte and sends a byte every few milliseconds.
    Drips,
}

/// The next command, in lower case, or nothing once the client has gone.
async fn command(client: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    client.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let words: usize = line.trim().strip_prefix('*')?.parse().ok()?;
    let mut name = None;
    for _ in 0..words {
        line.clear();
        client.read_line(&mut line).await.ok()?;
        let length: usize = line.trim().strip_prefix('$')?.parse().ok()?;
        let mut word = vec![0; length + 2];
        client.read_exact(&mut word).await.ok()?;
        let word = String::from_utf8_lossy(&word).trim().to_lowercase();
        name.get_or_insert(word);
    }
    name
}

async fn converse(client: TcpStream, trick: Trick) {
    let mut client = BufReader::new(client);
    while let Some(name) = command(&mut client).await {
        let answer = match (name.as_str(), trick) {
            ("ping", _) => "+PONG\r\n",
            ("get", Trick::Says(words)) => words,
            ("get", Trick::SaysAndLeaves(words)) => {
                client.write_all(words.as_bytes()).await.unwrap();
                return;
            }
            ("get", Trick::Drips) => {
                let mut pace = tokio::time::interval(Duration::from_millis(5));
                let mut next = client.write_all(b"$1000000\r\n").await;
                while next.is_ok() {
                    pace.tick().await;
                    next = client.write_all(b"x").await;
                }
                return;
            }
            _ => "+OK\r\n",
        };
        if client.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The client of a server that plays this trick.
async fn victim_of(trick: Trick) -> Redis {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(converse(client, trick));
        }
    });
    let redis = Redis::builder().host("127.0.0.1").port(port).deadline(millis(200));
    redis.reset_timeout(millis(300)).connect().await.unwrap()
}

/// The memory of this process that is in use, in bytes.
fn memory() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: usize = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * 4096
}

/// Five calls, each of which fails by one of these kinds and by its deadline, open the breaker; and
/// no memory is taken for what was only announced.
async fn check(trick: Trick, kinds: &[ErrorKind]) {
    let redis = victim_of(trick).await;
    let before = memory();
    for call in 1..=5 {
        let (error, took) = failing(redis.get::<String>("k")).await;
        assert!(error.kind().is_some_and(|kind| kinds.contains(&kind)), "call {call}: {error:?}");
        assert!(took < millis(400), "call {call} took {took:?}");
    }
    assert_eq!(redis.breaker().state(), State::Open);
    let grown = memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes");
    assert_eq!(redis.get_status().pool.in_flight, 0);
    // A PING it answers well: the breaker is of the whole of Redis, not of one command.
    until_it_serves(&redis).await;
}

#[tokio::test]
async fn timed_garbage_is_a_protocol_error_at_once() {
    check(Trick::Says("HTTP/1.1 400 Bad Request\r\n\r\n"), &[ErrorKind::Protocol]).await;
    check(Trick::Says("\0\u{1}\u{2}\r\n"), &[ErrorKind::Protocol]).await;
    check(Trick::Says("$-x\r\n"), &[ErrorKind::Protocol]).await;
}

#[tokio::test]
async fn timed_a_reply_that_is_cut_off_is_told_at_once() {
    let kinds = [ErrorKind::Connection, ErrorKind::Protocol];
    check(Trick::SaysAndLeaves("$100\r\nonly a part"), &kinds).await;
    check(Trick::SaysAndLeaves("$10"), &kinds).await;
    check(Trick::SaysAndLeaves(""), &kinds).await;
}

#[tokio::test]
async fn timed_a_header_of_half_a_gigabyte_takes_no_memory() {
    check(Trick::Says("$536870912\r\nx"), &[ErrorKind::Timeout]).await;
    check(Trick::Says("*536870912\r\n$1\r\nx\r\n"), &[ErrorKind::Timeout]).await;
    check(Trick::Says("%268435456\r\n+k\r\n"), &[ErrorKind::Timeout]).await;
}

#[tokio::test]
async fn timed_a_reply_that_only_drips_ends_by_the_deadline() {
    check(Trick::Drips, &[ErrorKind::Timeout]).await;
}

#[tokio::test]
async fn timed_a_reply_nested_without_end_is_a_protocol_error() {
    let nested: &'static str = Box::leak("*1\r\n".repeat(1000).into_boxed_str());
    check(Trick::Says(nested), &[ErrorKind::Protocol]).await;
}
