//! The servers that run here, because no variable names another.

use redis_service::test_server::{RedisServer, ServerError as RedisServerError};
use s3_service::test_server::S3Server;
use tempfile::TempDir;

use super::StartError;
use crate::openai::OpenAiServer;
use crate::settings::{Keys, OpenAiSource, S3Source, Sources};

const BUCKET: &str = "inventory";

/// What runs in this process, or as its child. None: a real one is used, which is not ours to kill.
///
/// Dropping it ends all of them, and removes the temporary database.
#[derive(Debug)]
pub struct Servers {
    /// A child process.
    pub redis: Option<RedisServer>,
    /// In the process.
    pub s3: Option<S3Server>,
    /// In the process.
    pub openai: Option<OpenAiServer>,
    /// Where the `SQLite` file is.
    pub database: Option<TempDir>,
}

/// [`Sources`] with nothing left open.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) redis: String,
    pub(super) database: String,
    pub(super) s3: S3Source,
    pub(super) openai: OpenAiSource,
}

impl Servers {
    pub(super) async fn start(sources: &Sources) -> Result<(Self, Resolved), StartError> {
        let (server_of_redis, redis) = redis(sources.redis.clone()).await?;
        let (server_of_s3, s3) = s3(sources.s3.clone()).await?;
        let (server_of_openai, openai) = openai(sources.openai.clone()).await?;
        let (folder, database) = database(sources.database.clone())?;
        let servers = Self {
            redis: server_of_redis,
            s3: server_of_s3,
            openai: server_of_openai,
            database: folder,
        };
        Ok((servers, Resolved { redis, database, s3, openai }))
    }
}

async fn redis(real: Option<String>) -> Result<(Option<RedisServer>, String), StartError> {
    if let Some(url) = real {
        return Ok((None, url));
    }
    let server = match RedisServer::start().await {
        Err(RedisServerError::NotInstalled) => return Err(StartError::NoRedisServer),
        started => started.map_err(StartError::RedisServer)?,
    };
    let url = server.url();
    Ok((Some(server), url))
}

async fn s3(real: Option<S3Source>) -> Result<(Option<S3Server>, S3Source), StartError> {
    if let Some(source) = real {
        return Ok((None, source));
    }
    let server = S3Server::start().await?;
    server.create_bucket(BUCKET).await?;
    let source = S3Source {
        endpoint: Some(server.endpoint()),
        bucket: BUCKET.to_owned(),
        region: "us-east-1".to_owned(),
        keys: Some(Keys {
            access_key: server.access_key().to_owned(),
            secret_key: server.secret_key().to_owned(),
        }),
    };
    Ok((Some(server), source))
}

async fn openai(
    real: Option<OpenAiSource>,
) -> Result<(Option<OpenAiServer>, OpenAiSource), StartError> {
    if let Some(source) = real {
        return Ok((None, source));
    }
    let server = OpenAiServer::start().await?;
    let (base_url, model) = (server.base_url(), OpenAiServer::MODEL.to_owned());
    Ok((Some(server), OpenAiSource { base_url, api_key: None, model }))
}

fn database(real: Option<String>) -> Result<(Option<TempDir>, String), StartError> {
    if let Some(url) = real {
        return Ok((None, url));
    }
    let folder = TempDir::with_prefix("inventory-").map_err(StartError::Folder)?;
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("inventory.db").display());
    Ok((Some(folder), url))
}
