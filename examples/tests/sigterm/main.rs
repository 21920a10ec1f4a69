//! A SIGTERM in the middle of the work: the program that `make serve` runs, with callers on it, S3 away
//! and uploads in the queue. Nobody is left without an answer, and nothing acknowledged is lost.
#![cfg(test)]

mod callers;
mod service;

use std::time::Duration;

use callers::Callers;
use redis_service::test_server::RedisServer;
use s3_service::test_server::S3Server;
use service::Service;
use tempfile::TempDir;

/// From the signal to the end, on a machine that does much else: a second of notice, what is in flight,
/// and the steps. The bounds of all of them add up to 26 s.
const BOUND: Duration = Duration::from_secs(15);

/// For everything that is waited for.
const LIMIT: Duration = Duration::from_secs(30);

const BUCKET: &str = "inventory";

/// What outlives the service: its dependencies, and the folder with the database and the queue.
struct World {
    s3: S3Server,
    redis: RedisServer,
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let s3 = S3Server::start().await.unwrap();
        s3.create_bucket(BUCKET).await.unwrap();
        let redis = RedisServer::start().await.unwrap();
        Self { s3, redis, folder: TempDir::new().unwrap() }
    }

    async fn serve(&self) -> Service {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let database = format!("sqlite://{}?mode=rwc", at("inventory.db"));
        let variables = [
            ("LISTEN", "127.0.0.1:0".to_owned()),
            // So long that the look at `/readyz` meets it, on a busy machine too.
            ("NOTICE", "3".to_owned()),
            ("REDIS_URL", self.redis.url()),
            ("DATABASE_URL", database),
            ("SPOOL_DIR", at("uploads")),
            ("S3_ENDPOINT", self.s3.endpoint()),
            ("S3_BUCKET", BUCKET.to_owned()),
            ("AWS_ACCESS_KEY_ID", self.s3.access_key().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", self.s3.secret_key().to_owned()),
        ];
        Service::start(&variables).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sigterm_under_load_leaves_no_caller_without_an_answer_and_loses_no_acknowledged_upload()
{
    let world = World::new().await;
    let mut stored = Vec::new();

    // S3 is away: uploads are in the queue, one more is in the middle of its body.
    let service = world.serve().await;
    let callers = Callers::begin(&service.url, 1_000);
    callers.until(LIMIT, |told| told.stored(201) > 10).await;
    world.s3.kill().await;
    callers.until(LIMIT, |told| told.stored(202) > 10).await;
    let slow = callers::SlowUpload::begin(&service.url, 999).await;
    stored.extend(stop(service, callers, Some(slow)).await);

    // S3 is back: the queue is on its way to it, and new uploads come in.
    world.s3.restart().await.unwrap();
    let service = world.serve().await;
    let callers = Callers::begin(&service.url, 100_000);
    callers.until(LIMIT, |told| told.answered() > 20).await;
    stored.extend(stop(service, callers, None).await);

    let service = world.serve().await;
    callers::until(LIMIT, async || service.queued().await == 0).await;
    assert!(stored.len() > 20, "{}", stored.len());
    for id in stored {
        let photo = callers::photo(&service.url, id).await;
        assert_eq!(photo, Some(callers::picture(id)), "upload {id} was acknowledged");
    }
    service.terminate();
    assert_eq!(service.ended(BOUND).await, Some(0));
}

/// Sends the signal, with everybody at it; what was acknowledged.
async fn stop(service: Service, callers: Callers, slow: Option<callers::SlowUpload>) -> Vec<u32> {
    assert_eq!(service.readyz().await, Some(200));
    callers.may_be_refused();
    service.terminate();
    callers::until(LIMIT, async || service.readyz().await == Some(503)).await;
    let mut stored = Vec::new();
    if let Some(slow) = slow {
        callers::until(LIMIT, async || service.readyz().await.is_none()).await;
        stored.push(slow.id);
        assert_eq!(slow.end().await, 202, "it was accepted before the signal");
    }
    assert_eq!(service.ended(BOUND).await, Some(0), "the exit code");
    let told = callers.end().await;
    assert!(told.wrong.is_empty(), "{:#?}", told.wrong);
    stored.extend(told.stored);
    stored
}
