//! What the fallback forgets by itself, where nobody tells it which keys change.

use redis_service::test_server::RedisServer;
use redis_service::{FallbackConfig, Value, redis as redis_rs};

use crate::support::builder;

/// Whether a value is still remembered after this command, once Redis has gone.
async fn remembers_after(words: &[&str]) -> bool {
    let mut server = RedisServer::start().await.unwrap();
    let untold = FallbackConfig::new().tracking(false);
    let redis = builder(&server).fallback(untold).connect().await.unwrap();
    redis.set("kept", "1").await.unwrap();
    let mut cmd = redis_rs::Cmd::new();
    cmd.arg(words);
    redis.raw::<Value>(cmd).await.unwrap();
    server.kill().unwrap();
    redis.get::<String>("kept").await.is_ok()
}

#[tokio::test]
async fn a_command_that_names_no_key_may_have_changed_them_all() {
    for words in [
        &["FLUSHALL"][..],
        &["FLUSHALL", "ASYNC"],
        &["flushdb", "sync"],
        &["SWAPDB", "0", "1"],
        &["EVAL", "redis.call('SET', 'kept', '2')", "0"],
        &["EVAL", "redis.call('SET', 'kept', ARGV[1])", "0", "2"],
        &["EVAL", "redis.call('SET', KEYS[1], '2')", "1", "kept"],
    ] {
        assert!(!remembers_after(words).await, "{words:?}");
    }
}

#[tokio::test]
async fn a_command_that_names_its_keys_leaves_the_others() {
    for words in
        [&["UNLINK", "other"][..], &["EVAL", "redis.call('SET', KEYS[1], '2')", "1", "other"]]
    {
        assert!(remembers_after(words).await, "{words:?}");
    }
}
