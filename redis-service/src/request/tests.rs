use redis::Arg::{Cursor, Simple};

use super::*;

fn b(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn sent(cmd: &redis::Cmd) -> String {
    let words = cmd.args_iter().map(|arg| match arg {
        Simple(word) => String::from_utf8_lossy(word).into_owned(),
        Cursor => "<cursor>".to_owned(),
        _ => "?".to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What is sent, whether it writes, whether it may be repeated.
fn check(request: &Request, line: &str, write: bool, repeatable: bool) {
    assert_eq!(request.to_cmd().map(|cmd| sent(&cmd)).as_deref(), Some(line));
    assert_eq!(request.is_write(), write, "{line}: write");
    assert_eq!(request.is_repeatable(), repeatable, "{line}: repeatable");
    assert_eq!(request.manner(), Manner::Shared, "{line}");
}

#[test]
fn every_request_is_sent_as_its_command() {
    let key = || b("k");
    let (read, write) = ((false, true), (true, false));
    let set = |options| Request::Set { key: key(), value: b("v"), options };
    let plain = SetOptions::new();
    for (request, line, (writes, repeatable)) in [
        (Request::Get { key: key() }, "GET k", read),
        (set(plain), "SET k v", (true, true)),
        (set(plain.ex(5)), "SET k v EX 5", (true, true)),
        (set(plain.px(50)), "SET k v PX 50", (true, true)),
        (set(plain.ttl(Duration::from_secs(2))), "SET k v PX 2000", (true, true)),
        (set(plain.ttl(Duration::from_nanos(1))), "SET k v PX 1", (true, true)),
        (set(plain.nx()), "SET k v NX", write),
        (set(plain.ex(1).xx()), "SET k v EX 1 XX", write),
        (Request::Delete { keys: vec![key(), b("l")] }, "DEL k l", write),
        (Request::Incr { key: key(), by: 1 }, "INCR k", write),
        (Request::Incr { key: key(), by: -3 }, "INCRBY k -3", write),
        (
            Request::Expire { key: key(), ttl: Duration::from_secs(1) },
            "PEXPIRE k 1000",
            (true, true),
        ),
        (Request::LPush { key: key(), values: vec![b("a"), b("b")] }, "LPUSH k a b", write),
        (Request::RPop { key: key() }, "RPOP k", write),
        (Request::LLen { key: key() }, "LLEN k", read),
        (Request::LRange { key: key(), start: 0, stop: -1 }, "LRANGE k 0 -1", read),
        (Request::HSet { key: key(), fields: vec![(b("f"), b("v"))] }, "HSET k f v", write),
        (Request::HGet { key: key(), field: b("f") }, "HGET k f", read),
        (Request::HGetAll { key: key() }, "HGETALL k", read),
        (Request::HDel { key: key(), fields: vec![b("f")] }, "HDEL k f", write),
        (Request::SAdd { key: key(), members: vec![b("m")] }, "SADD k m", write),
        (Request::SRem { key: key(), members: vec![b("m")] }, "SREM k m", write),
        (Request::SMembers { key: key() }, "SMEMBERS k", read),
        (Request::SCard { key: key() }, "SCARD k", read),
        (Request::ZAdd { key: key(), members: vec![(1.5, b("m"))] }, "ZADD k 1.5 m", write),
        (
            Request::ZRange { key: key(), start: 0, stop: 9, with_scores: true },
            "ZRANGE k 0 9 WITHSCORES",
            read,
        ),
        (Request::ZCard { key: key() }, "ZCARD k", read),
        (Request::Ping, "PING", read),
        (Request::HealthCheck, "PING", read),
        (Raw::new(redis::cmd("TIME")).into(), "TIME", write),
        (Raw::new(redis::cmd("TIME")).read_only().into(), "TIME", read),
    ] {
        check(&request, line, writes, repeatable);
    }
}

#[test]
fn keys_and_values_may_hold_any_bytes() {
    let key = Bytes::from_static(b"\0\xff\r\n");
    let request = Request::Set { key: key.clone(), value: key.clone(), options: SetOptions::new() };
    let cmd = request.to_cmd().unwrap();
    assert!(cmd.args_iter().skip(1).all(|arg| matches!(arg, Simple(word) if word == key)));
}

#[test]
fn a_pipeline_is_what_its_requests_are() {
    let reads = Pipeline::new().get("a").get("b");
    let mixed = reads.clone().incr("c");
    assert!(!Request::from(reads.clone()).is_write());
    assert!(Request::from(reads.clone()).is_repeatable());
    assert!(Request::from(mixed.clone()).is_write());
    assert!(!Request::from(mixed).is_repeatable());
    assert_eq!(Pipeline::new().push(reads.into()).len(), 2);
}

#[test]
fn commands_that_block_or_alter_their_connection_are_known() {
    let manner = |line: &str| {
        let mut cmd = redis::Cmd::new();
        for word in line.split(' ') {
            cmd.arg(word);
        }
        Request::from(Raw::new(cmd)).manner()
    };
    assert_eq!(manner("blpop k 0"), Manner::Alone);
    assert_eq!(manner("XREAD COUNT 1 BLOCK 0 STREAMS s $"), Manner::Alone);
    assert_eq!(manner("WATCH k"), Manner::Alters);
    assert_eq!(manner("CLIENT reply OFF"), Manner::Alters);
    assert_eq!(manner("XREAD STREAMS s 0"), Manner::Shared);
    assert_eq!(manner("CLIENT ID"), Manner::Shared);
    assert_eq!(manner("LPOP k"), Manner::Shared);
    let mixed = Pipeline::new().get("a").raw(redis::cmd("SELECT")).get("b");
    assert_eq!(Request::from(mixed).manner(), Manner::Alters);
}
