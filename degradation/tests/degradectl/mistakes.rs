//! Mistakes: each told in one line, with a code that a script can tell apart.

use degradation::LogKind;

use crate::service::{Ran, Service, degradectl, run};

const REFUSED: i32 = 4;
const UNREACHABLE: i32 = 3;
const USAGE: i32 = 64;

fn check(ran: &Ran, code: i32, told: &str) {
    assert_eq!(ran.code, code, "{ran:?}");
    assert!(ran.err.contains(told), "{told}: {}", ran.err);
    assert_eq!(ran.out, "", "an error is no output");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_refuses_is_told_in_its_words() {
    let service = Service::start().await;
    for (arguments, told) in [
        (&["drill", "oracle", "--reason", "r", "--for", "5s"][..], "oracle"),
        (&["queue", "retry", "uploads", "9", "--reason", "r"], "no entry has the id `9`"),
        (&["queue", "list", "downloads"], "downloads"),
        (&["reset", "--reason", "  "], "the reason is blank"),
    ] {
        let ran = service.run(arguments).await;
        check(&ran, REFUSED, told);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
    let orders = service.manager.log();
    assert!(!orders.iter().any(|entry| entry.kind == LogKind::Order), "nothing was ordered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_orders_nothing() {
    let service = Service::start().await;
    let mut command = degradectl(&["force", "level", "critical", "--reason", "r"]);
    command.env("DEGRADECTL_URL", format!("{}/control", service.url()));
    command.env("DEGRADECTL_TOKEN", "correct horse battery stable");
    check(&run(command).await, REFUSED, "401 Unauthorized: the token is missing or wrong");
    assert!(service.manager.snapshot().forced_level.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_there_or_is_somebody_else_is_not_reached() {
    let service = Service::start().await;
    // A port that nobody listens on: bound, and let go.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = run(degradectl(&["top", &format!("http://{free}"), "--once"])).await;
    check(&ran, UNREACHABLE, "refused");
    let other = axum::Router::new().route("/status.json", axum::routing::get(|| async { "hello" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let elsewhere = format!("http://{}", listener.local_addr().unwrap());
    drop(tokio::spawn(async move { axum::serve(listener, other).await }));
    let ran = run(degradectl(&["top", &elsewhere, "--once"])).await;
    check(&ran, UNREACHABLE, "not that of a service of ours");
    let ran = run(degradectl(&["top", &format!("{}/nowhere", service.url()), "--once"])).await;
    check(&ran, REFUSED, "404 Not Found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_line_that_makes_no_sense_asks_nobody() {
    for (arguments, told) in [
        (&["status"][..], "--url"),
        (&["status", "--url", "http://127.0.0.1:1/control"], "DEGRADECTL_TOKEN"),
        (&["status", "--url", "inventory"], "inventory"),
        (
            &["status", "--url", "http://127.0.0.1:1", "--token-file", "/nowhere/token"],
            "/nowhere/token",
        ),
        (&["top", "http://127.0.0.1:1"], "--once"),
        (&["force", "level", "critical"], "--reason"),
        (&["force", "level", "awful", "--reason", "r"], "degraded"),
        (&["drill", "redis", "--reason", "r", "--for", "1500ms"], "whole number of seconds"),
        (&["explode"], "explode"),
        (&[], "Usage"),
    ] {
        check(&run(degradectl(arguments)).await, USAGE, told);
    }
    let help = run(degradectl(&["--help"])).await;
    assert_eq!(help.code, 0);
    assert!(help.out.contains("Exit codes") && help.err.is_empty(), "{help:?}");
}
