//! Each operation of each client, called, with what must come of it.

use bytes::Bytes;
use examples::Inventory;
use examples::database::Database;
use redis_service::redis::cmd;
use redis_service::{Pipeline, Redis};
use s3_service::{CopyObject, List, S3, Upload};
use std::time::Duration;

use async_openai::config::OpenAIConfig;
use degradation::openai::OpenAi;

use crate::report::Report;

/// Every key begins with this, so that nothing of anybody else's is touched.
const OURS: &str = "staging-check";

pub(crate) async fn check(report: &mut Report, inventory: &Inventory) {
    let on = inventory.dependencies();
    forget(report, &on.redis, &on.s3).await;
    strings(report, &on.redis).await;
    collections(report, &on.redis).await;
    objects(report, &on.s3).await;
    products(report, &on.database).await;
    let asked = || OpenAi::<OpenAIConfig>::ask("A kettle, in one sentence.");
    let whole = on.openai.complete(asked()).await;
    report.works("openai: a whole answer", whole, |answer| !answer.text.is_empty());
    let text = match on.openai.stream(asked()).await {
        Ok(mut parts) => {
            let mut text = Ok(String::new());
            while let Some(part) = parts.next().await {
                text = text.and_then(|text: String| Ok(text + &part?));
            }
            text
        }
        Err(error) => Err(error),
    };
    report.works("openai: a streamed answer", text, |text| !text.is_empty());
}

/// Deletes what a run that was cut off has left, which would be in the way of this one.
async fn forget(report: &mut Report, redis: &Redis, s3: &S3) {
    let names = ["string", "number", "list", "hash", "set", "sorted", "latency"];
    let keys = names.map(|name| format!("{OURS}:{name}"));
    report.works("redis: nothing is left of another run", redis.delete_many(&keys).await, |_| true);
    for name in ["object", "copy", "latency"] {
        let gone = s3.delete(format!("{OURS}/{name}")).await;
        report.works(format!("s3: no {name} is left of another run"), gone, |_| true);
    }
}

async fn strings(report: &mut Report, redis: &Redis) {
    let key = format!("{OURS}:string");
    let number = format!("{OURS}:number");
    report.works("redis: ping", redis.ping().await, |()| true);
    report.works("redis: health_check", redis.health_check().await, |()| true);
    report.works("redis: set", redis.set(&key, "value").await, |()| true);
    let read = redis.get::<String>(&key).await;
    report.works("redis: get", read, |value| value.as_deref() == Some("value"));
    report.works("redis: incr", redis.incr(&number).await, |n| *n == 1);
    report.works("redis: expire", redis.expire(&key, Duration::from_secs(60)).await, |set| *set);
    let pipeline = Pipeline::new().incr(&number).get(&key);
    let both = redis.pipeline::<(i64, String)>(pipeline).await;
    report.works("redis: pipeline", both, |both| *both == (2, "value".to_owned()));
    let mut echo = cmd("ECHO");
    echo.arg("hello");
    report.works("redis: raw", redis.raw::<String>(echo).await, |told| told == "hello");
    report.works("redis: delete", redis.delete_many([&key, &number]).await, |gone| *gone == 2);
}

async fn collections(report: &mut Report, redis: &Redis) {
    let list = format!("{OURS}:list");
    report.works("redis: lpush", redis.lpush(&list, ["a", "b"]).await, |n| *n == 2);
    report.works("redis: llen", redis.llen(&list).await, |n| *n == 2);
    let all = redis.lrange::<String>(&list, 0, -1).await;
    report.works("redis: lrange", all, |all| all == &["b", "a"]);
    let taken = redis.rpop::<String>(&list).await;
    report.works("redis: rpop", taken, |taken| taken.as_deref() == Some("a"));
    let hash = format!("{OURS}:hash");
    report.works("redis: hset", redis.hset(&hash, "field", "value").await, |new| *new);
    let field = redis.hget::<String>(&hash, "field").await;
    report.works("redis: hget", field, |value| value.as_deref() == Some("value"));
    let all = redis.hgetall::<Vec<(String, String)>>(&hash).await;
    report.works("redis: hgetall", all, |all| all.len() == 1);
    report.works("redis: hdel", redis.hdel(&hash, ["field"]).await, |gone| *gone == 1);
    let set = format!("{OURS}:set");
    report.works("redis: sadd", redis.sadd(&set, ["a", "b"]).await, |new| *new == 2);
    report.works("redis: scard", redis.scard(&set).await, |n| *n == 2);
    let all = redis.smembers::<Vec<String>>(&set).await;
    report.works("redis: smembers", all, |all| all.len() == 2);
    report.works("redis: srem", redis.srem(&set, ["a"]).await, |gone| *gone == 1);
    let sorted = format!("{OURS}:sorted");
    let members = [(2.0, "b"), (1.0, "a")];
    report.works("redis: zadd", redis.zadd(&sorted, members).await, |new| *new == 2);
    report.works("redis: zcard", redis.zcard(&sorted).await, |n| *n == 2);
    let all = redis.zrange::<String>(&sorted, 0, -1).await;
    report.works("redis: zrange", all, |all| all == &["a", "b"]);
    let keys = [&list, &hash, &set, &sorted];
    report.works("redis: keys are gone", redis.delete_many(keys).await, |_| true);
}

async fn objects(report: &mut Report, s3: &S3) {
    let (key, copy) = (format!("{OURS}/object"), format!("{OURS}/copy"));
    let body = Bytes::from_static(b"photo");
    report.works("s3: health_check", s3.health_check().await, |()| true);
    let upload = Upload::new(&key, body.clone()).content_type("image/png");
    report.works("s3: upload", s3.upload(upload.metadata("by", OURS)).await, |_| true);
    let bytes = match s3.download(key.as_str()).await {
        Ok(found) => found.into_bytes().await,
        Err(error) => Err(error),
    };
    report.works("s3: download", bytes, |bytes| *bytes == body);
    let head = s3.head(&key).await;
    report.works("s3: head", head, |info| info.content_type.as_deref() == Some("image/png"));
    report.works("s3: copy", s3.copy(CopyObject::new(&key, &copy)).await, |_| true);
    let info = s3.head(&copy).await;
    report.works("s3: the copy has the metadata", info, |info| info.metadata.contains_key("by"));
    let page = s3.list(List::new().prefix(format!("{OURS}/"))).await;
    report.works("s3: list", page, |page| page.objects.len() == 2);
    let bucket = s3.bucket().to_owned();
    let other =
        s3.call(|client| async move { client.head_bucket().bucket(bucket).send().await }).await;
    report.works("s3: any other call", other, |_| true);
    for key in [key, copy] {
        report.works(format!("s3: delete {key}"), s3.delete(key).await, |_| true);
    }
}

/// Reads, and one write that changes nothing. Whose products these are is not known, nor whether there
/// are any.
async fn products(report: &mut Report, database: &Database) {
    let all = database.products().await;
    let first = all.as_ref().ok().and_then(|all| Some(all.first()?.id));
    report.works("database: products", all, |_| true);
    let one = database.product(first.unwrap_or(1)).await;
    report.works("database: one product", one, |one| one.is_some() == first.is_some());
    report.works("database: no product", database.product(-1).await, Option::is_none);
    let same = database.restock(first.unwrap_or(1), 0).await;
    report.works("database: stock by 0", same, |_| true);
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use examples::{Pace, Settings, Sources};

    use super::*;

    #[tokio::test]
    async fn a_run_that_was_cut_off_makes_no_later_one_fail() {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let settings = Settings { listen, sources: Sources::default(), pace: Pace::default() };
        let inventory = Inventory::start(&settings).await.unwrap();
        let on = inventory.dependencies();
        let key = |name: &str| format!("{OURS}:{name}");
        on.redis.incr(&key("number")).await.unwrap();
        on.redis.lpush(&key("list"), ["a"]).await.unwrap();
        on.redis.hset(&key("hash"), "field", "value").await.unwrap();
        on.redis.sadd(&key("set"), ["a"]).await.unwrap();
        on.redis.zadd(&key("sorted"), [(1.0, "a")]).await.unwrap();
        let large = Upload::new(format!("{OURS}/latency"), Bytes::from_static(b"photo"));
        on.s3.upload(large).await.unwrap();

        let mut report = Report::default();
        report.section("After one that was cut off");
        check(&mut report, &inventory).await;
        assert!(report.all_hold(), "{}", report.verdict());
        inventory.shutdown().await.unwrap();
    }
}
