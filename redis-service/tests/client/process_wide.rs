//! The process-wide client. One test, because there is one instance; nextest would give each test a
//! process, cargo's own runner would not.

use redis_service::{Memory, RedisError, StartError, close_redis, get_redis, initialize_redis};

use crate::support::builder;

#[tokio::test]
async fn there_is_one_instance_from_initialize_to_close() {
    assert!(matches!(get_redis(), Err(StartError::NotInitialized)));
    assert!(matches!(close_redis().await, Err(StartError::NotInitialized)));
    let memory = Memory::new();
    for round in 0..3 {
        let redis = initialize_redis(builder(&memory)).await.unwrap();
        redis.set("k", round).await.unwrap();
        assert_eq!(get_redis().unwrap().get::<u8>("k").await.unwrap(), Some(round));
        let second = initialize_redis(builder(&memory)).await;
        assert!(matches!(second, Err(StartError::AlreadyInitialized)));
        close_redis().await.unwrap();
        assert!(matches!(get_redis(), Err(StartError::NotInitialized)));
        let refused = redis.ping().await.unwrap_err();
        assert!(matches!(refused, redis_service::Error::Redis(RedisError::Closed)), "{refused:?}");
    }
    memory.go_down();
    let failed = initialize_redis(builder(&memory)).await;
    assert!(matches!(failed, Err(StartError::Unreachable(_))));
    assert!(
        matches!(get_redis(), Err(StartError::NotInitialized)),
        "a failed start leaves nothing"
    );
    let at_once = (initialize_redis(lazy(&memory)), initialize_redis(lazy(&memory)));
    let (first, second) = tokio::join!(at_once.0, at_once.1);
    assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
    close_redis().await.unwrap();
}

fn lazy(memory: &Memory) -> redis_service::RedisBuilder {
    builder(memory).start(redis_service::Start::Lazy)
}
