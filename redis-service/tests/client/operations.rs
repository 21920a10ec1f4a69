//! Every operation, of the Redis in memory.

use redis_service::Redis;

async fn fresh() -> ((), Redis) {
    ((), Redis::memory())
}

every_case!(tests_with);
