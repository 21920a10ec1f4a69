//! Starts each dependency, or points at a real one, and puts its breaker before it.
//!
//! Every breaker has the name that the degradation manager's rules know it by. What runs here and
//! can therefore be killed here is in [`Servers`].

mod embedded;

use std::path::Path;
use std::time::Duration;

use async_openai::config::OpenAIConfig;
use circuit_layer::metrics::Metrics;
use degradation::openai::test_server::ServerError;
use degradation::openai::{OpenAi, OpenAiConfigError};
use degradation::sqlx::Database as Guarded;
use redis_service::{FallbackConfig, Redis};
use s3_service::{S3, Spool};

pub use self::embedded::{DatabaseServer, POSTGRES, Servers};
use crate::database::Database;
use crate::settings::{OpenAiSource, Pace, S3Source, Sources};

/// The four dependencies, each behind its breaker. Clones share them.
#[derive(Clone, Debug)]
pub struct Dependencies {
    /// Finished pages.
    pub redis: Redis,
    /// Photos.
    pub s3: S3,
    /// Products and stock.
    pub database: Database,
    /// Descriptions.
    pub openai: OpenAi,
}

/// A dependency could not be started or reached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// There is no redis-server.
    #[error(
        "redis-server is not installed: `make demo` and `make serve` install it by the system's \
         package manager; or set REDIS_URL to a Redis that runs"
    )]
    NoRedisServer,
    /// The child did not start.
    #[error("redis-server, as a child of this process, did not start")]
    RedisServer(#[source] redis_service::test_server::ServerError),
    /// There is no `PostgreSQL`.
    #[error(
        "PostgreSQL is not installed: `make demo` installs it by the system's package manager; or set \
         DATABASE_URL to a database that runs"
    )]
    NoPostgres,
    /// The child did not start.
    #[error("PostgreSQL, as a child of this process, did not start")]
    PostgresServer(#[source] degradation::sqlx::test_server::ServerError),
    /// The client of Redis could not be made.
    #[error("Redis can not be used (REDIS_URL names it)")]
    Redis(#[source] redis_service::StartError),
    /// The S3 server in the process did not start.
    #[error("the S3 server in the process did not start")]
    S3Server(#[from] s3_service::test_server::ServerError),
    /// The client of S3 could not be made.
    #[error(
        "S3 can not be used (S3_ENDPOINT, S3_BUCKET, AWS_REGION, AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY name it; https:// and AWS itself need `--features tls`)"
    )]
    S3(#[source] s3_service::InitError),
    /// The URL of the database is wrong.
    #[error("the database can not be used (DATABASE_URL names it: postgres://… or sqlite:…)")]
    Database(#[source] sqlx::Error),
    /// The OpenAI-compatible server in the process did not start.
    #[error(transparent)]
    OpenAiServer(#[from] ServerError),
    /// The client of the API could not be made.
    #[error("the OpenAI-compatible API can not be used (OPENAI_BASE_URL names it)")]
    OpenAi(#[source] OpenAiConfigError),
    /// It is https:// and this build has no TLS.
    #[error("OPENAI_BASE_URL is {0}, and this build has no TLS: build with `--features tls`")]
    NoTls(String),
    /// Uploads would wait for a real S3 in a folder that ends with the process.
    #[error(
        "S3_ENDPOINT or S3_BUCKET names a real S3, and SPOOL_DIR no folder: set it to one that outlives \
         the service, as uploads are acknowledged once they wait there"
    )]
    NoSpoolFolder,
    /// There is no folder for temporary files.
    #[error("a temporary folder can not be made")]
    Folder(#[source] std::io::Error),
}

/// Starts what is embedded, and makes the four clients.
///
/// Any of the real ones may be down meanwhile: a service that protects itself from an outage has to be
/// able to start in one.
///
/// # Errors
///
/// [`StartError`], which names the variable to look at.
///
/// # Panics
///
/// Outside a tokio runtime.
pub async fn start(
    sources: &Sources,
    pace: &Pace,
    metrics: &Metrics,
) -> Result<(Dependencies, Servers), StartError> {
    let unseeded = sources.unseeded;
    let (servers, sources) = Servers::start(sources).await?;
    let database = database(&sources.database, pace, metrics)?;
    let dependencies = Dependencies {
        redis: redis(&sources.redis, pace, metrics).await?,
        s3: s3(sources.s3, &sources.spool, pace, metrics).await?,
        database: if unseeded { database.unseeded() } else { database },
        openai: openai(sources.openai, pace, metrics)?,
    };
    Ok((dependencies, servers))
}

async fn redis(url: &str, pace: &Pace, metrics: &Metrics) -> Result<Redis, StartError> {
    let builder = Redis::builder()
        .url(url)
        .deadline(pace.redis_deadline)
        .fail_max(pace.fail_max)
        .reset_timeout(pace.reset_timeout)
        .half_open_max_attempts(pace.probes)
        .start(redis_service::Start::Lazy)
        // Redis is a cache here: what is written without it may be forgotten with this process.
        .fallback(FallbackConfig::default().local_writes(true))
        .spans()
        .metrics(metrics);
    let builder = match pace.ask_every {
        Some(pause) => builder.active_probe(pause),
        None => builder,
    };
    builder.connect().await.map_err(StartError::Redis)
}

async fn s3(
    source: S3Source,
    spool: &Path,
    pace: &Pace,
    metrics: &Metrics,
) -> Result<S3, StartError> {
    let builder = S3::builder()
        .bucket(source.bucket)
        .region(source.region)
        .attempt_timeout(pace.s3_attempt)
        .connect_timeout(pace.s3_attempt)
        .operation_timeout(pace.s3_attempt * 3)
        .fail_max(pace.fail_max)
        .reset_timeout(pace.reset_timeout)
        .half_open_max_attempts(pace.probes)
        .start(s3_service::Start::Lazy)
        .spool(Spool::builder(spool))
        .spans()
        .metrics(metrics);
    let builder = match pace.ask_every {
        Some(pause) => builder.active_probe(pause),
        None => builder,
    };
    let builder = match source.endpoint {
        Some(endpoint) => builder.endpoint(endpoint),
        None => builder,
    };
    let builder = match source.keys {
        Some(keys) => builder.credentials(keys.access_key, keys.secret_key),
        None => builder,
    };
    builder.build().await.map_err(StartError::S3)
}

fn database(url: &str, pace: &Pace, metrics: &Metrics) -> Result<Database, StartError> {
    let (fail_max, reset, probes) = (pace.fail_max, pace.reset_timeout, pace.probes);
    let builder = Guarded::builder(url).timeout(pace.database_timeout).measure(move |breaker| {
        breaker.fail_max(fail_max).reset_timeout(reset).half_open_max_attempts(probes)
    });
    let builder = match pace.ask_every {
        Some(pause) => builder.active_probe(pause),
        None => builder,
    };
    Database::new(builder, metrics).map_err(StartError::Database)
}

/// How many descriptions are remembered for a time without a model, and for how long.
const REMEMBERED: (usize, Duration) = (1_000, Duration::from_secs(3_600));

fn openai(source: OpenAiSource, pace: &Pace, metrics: &Metrics) -> Result<OpenAi, StartError> {
    if source.base_url.starts_with("https:") && !cfg!(feature = "tls") {
        return Err(StartError::NoTls(source.base_url));
    }
    let (fail_max, reset, probes) = (pace.fail_max, pace.reset_timeout, pace.probes);
    let config = OpenAIConfig::new()
        .with_api_base(source.base_url)
        .with_api_key(source.api_key.unwrap_or_default());
    let builder = OpenAi::builder(config)
        .model(source.model)
        .first_byte(pace.openai_timeout)
        .longest_pause(pace.openai_timeout)
        .remember(REMEMBERED.0, REMEMBERED.1)
        .metrics(metrics)
        .breaker(move |breaker| {
            breaker.fail_max(fail_max).reset_timeout(reset).half_open_max_attempts(probes)
        });
    let builder = match source.fallback_model {
        Some(model) => builder.model(model),
        None => builder,
    };
    builder.build().map_err(StartError::OpenAi)
}
