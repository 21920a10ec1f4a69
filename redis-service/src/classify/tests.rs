use std::io;

use redis::{ParsingError, Value, parse_redis_value};

use super::*;

fn io_error(kind: io::ErrorKind) -> RedisError {
    io::Error::from(kind).into()
}

/// The error that Redis answers with when it sends this line.
fn answered(line: &str) -> RedisError {
    let value = parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
    value.extract_error().unwrap_err()
}

fn plain(kind: Kind) -> RedisError {
    (kind, "made for a test").into()
}

fn check(error: &RedisError, kind: ErrorKind, counts: bool, retire: bool) {
    assert_eq!(classify(error, Stage::Call), Class { kind, counts, retire }, "{error}");
    let dial = classify(error, Stage::Dial);
    assert!(dial.counts, "while dialling everything counts: {error}");
    assert_ne!(dial.kind, ErrorKind::Client, "while dialling nothing is the caller's: {error}");
}

#[test]
fn a_lost_connection_counts_and_retires() {
    for kind in [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::UnexpectedEof,
        io::ErrorKind::NotFound,
        io::ErrorKind::Other,
    ] {
        check(&io_error(kind), ErrorKind::Connection, true, true);
    }
}

#[test]
fn a_timeout_counts_but_does_not_retire_by_itself() {
    check(&io_error(io::ErrorKind::TimedOut), ErrorKind::Timeout, true, false);
}

#[test]
fn a_reply_that_is_no_resp_counts_and_retires() {
    let garbage = parse_redis_value(b"HTTP/1.1 200 OK\r\n").unwrap_err();
    check(&garbage, ErrorKind::Protocol, true, true);
    let cut = RedisError::from(ParsingError::from("cut in mid-reply"));
    check(&cut, ErrorKind::Protocol, true, true);
    check(&plain(Kind::UnexpectedReturnType), ErrorKind::Protocol, true, true);
    check(&plain(Kind::RESP3NotSupported), ErrorKind::Protocol, true, true);
}

#[test]
fn refused_credentials_count_and_retire() {
    check(&plain(Kind::AuthenticationFailed), ErrorKind::Auth, true, true);
    check(&answered("NOAUTH Authentication required."), ErrorKind::Auth, true, true);
    check(&answered("WRONGPASS invalid username-password pair"), ErrorKind::Auth, true, true);
}

#[test]
fn a_server_that_can_not_serve_counts() {
    for (line, kind, retire) in [
        ("LOADING Redis is loading the dataset in memory", ErrorKind::Loading, false),
        ("READONLY You can't write against a read only replica.", ErrorKind::ReadOnly, true),
        ("UNBLOCKED force unblock from blocking operation", ErrorKind::ReadOnly, true),
        ("OOM command not allowed when used memory > 'maxmemory'.", ErrorKind::Oom, false),
        ("MASTERDOWN Link with MASTER is down", ErrorKind::Other, false),
        ("CLUSTERDOWN The cluster is down", ErrorKind::Other, false),
        ("MISCONF Redis is configured to save RDB snapshots", ErrorKind::Other, false),
        ("NOREPLICAS Not enough good replicas to write.", ErrorKind::Other, false),
        ("BUSY Redis is busy running a script.", ErrorKind::Other, false),
    ] {
        check(&answered(line), kind, true, retire);
    }
}

#[test]
fn the_callers_own_mistakes_never_count() {
    for line in [
        "WRONGTYPE Operation against a key holding the wrong kind of value",
        "ERR syntax error",
        "ERR value is not an integer or out of range",
        "NOSCRIPT No matching script.",
        "BUSYGROUP Consumer Group name already exists",
        "NOPERM this user has no permissions to run the 'get' command",
        "EXECABORT Transaction discarded because of previous errors.",
        "CROSSSLOT Keys in request don't hash to the same slot",
        "MOVED 3999 127.0.0.1:6381",
        "ASK 3999 127.0.0.1:6381",
        "MYCODE an error of a script",
    ] {
        check(&answered(line), ErrorKind::Client, false, false);
    }
    for kind in [Kind::Client, Kind::InvalidClientConfig, Kind::EmptySentinelList] {
        check(&plain(kind), ErrorKind::Client, false, false);
    }
    check(&answered("TRYAGAIN Multiple keys request"), ErrorKind::Other, false, false);
}

#[test]
fn no_node_to_talk_to_is_a_lost_connection() {
    for kind in [
        Kind::MasterNameNotFoundBySentinel,
        Kind::NoValidReplicasFoundBySentinel,
        Kind::ClusterConnectionNotFound,
    ] {
        check(&plain(kind), ErrorKind::Connection, true, true);
    }
}

#[test]
fn a_decode_error_would_look_like_a_broken_wire_and_so_is_never_classified() {
    let decode = redis::from_redis_value::<i64>(Value::BulkString(b"abc".to_vec())).unwrap_err();
    let same = classify(&decode.into(), Stage::Call);
    assert_eq!(same.kind, ErrorKind::Protocol);
}

#[test]
fn labels_are_the_closed_set() {
    let labels = ErrorKind::LABELS.join(" ");
    assert_eq!(labels, "timeout connection auth loading readonly oom protocol client other");
    assert_eq!(ErrorKind::Other.label(), "other");
    assert_eq!(ErrorKind::ReadOnly.label(), "readonly");
}

#[test]
fn the_worst_error_of_several_speaks() {
    let of = |codes: &[&str]| worst(codes.iter().map(|code| by_code(code))).kind;
    assert_eq!(of(&["WRONGTYPE", "OOM"]), ErrorKind::Oom);
    assert_eq!(of(&["WRONGTYPE", "ERR"]), ErrorKind::Client);
}
