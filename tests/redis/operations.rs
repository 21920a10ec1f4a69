//! Every operation, of a real server: the suite that the Redis in memory passes too.

use crate::support::start;

async fn fresh() -> (redis_service::test_server::RedisServer, redis_service::Redis) {
    start().await
}

every_case!(tests_with);
