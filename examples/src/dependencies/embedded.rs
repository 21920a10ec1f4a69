//! The servers that run here, because no variable names another.

use std::path::PathBuf;

use degradation::openai::test_server::OpenAiServer;
use degradation::sqlx::test_server::{PostgresServer, ServerError as PostgresServerError};
use redis_service::test_server::{RedisServer, ServerError as RedisServerError};
use s3_service::test_server::S3Server;
use tempfile::TempDir;

use super::StartError;
use crate::settings::{Keys, OpenAiSource, S3Source, Sources};

const BUCKET: &str = "inventory";

/// Instead of a URL: a `PostgreSQL` server of its own.
pub const POSTGRES: &str = "postgres";

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
    /// A child process, or a file.
    pub database: DatabaseServer,
    /// Where uploads wait, if that is a temporary folder.
    pub spool: Option<TempDir>,
}

/// Where the database is.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the three places that there are")]
pub enum DatabaseServer {
    /// A real one, which is not ours to kill.
    Elsewhere,
    /// A file in this folder: a library, which can not die alone.
    Sqlite(TempDir),
    /// A child process.
    Postgres(PostgresServer),
}

impl DatabaseServer {
    /// The process of a child, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Postgres(server) => server.pid(),
            Self::Elsewhere | Self::Sqlite(_) => None,
        }
    }
}

/// [`Sources`] with nothing left open.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) redis: String,
    pub(super) database: String,
    pub(super) s3: S3Source,
    pub(super) openai: OpenAiSource,
    pub(super) spool: PathBuf,
}

impl Servers {
    /// Whether any of them is a server, which can die.
    pub(crate) const fn can_die(&self) -> bool {
        let of_the_database = matches!(self.database, DatabaseServer::Postgres(_));
        of_the_database || self.redis.is_some() || self.s3.is_some() || self.openai.is_some()
    }

    pub(super) async fn start(sources: &Sources) -> Result<(Self, Resolved), StartError> {
        if sources.s3.is_some() && sources.spool.is_none() {
            return Err(StartError::NoSpoolFolder);
        }
        let (server_of_redis, redis) = redis(sources.redis.clone()).await?;
        let (server_of_s3, s3) = s3(sources.s3.clone()).await?;
        let (server_of_openai, openai) = openai(sources.openai.clone()).await?;
        let (server_of_database, database) = database(sources.database.clone()).await?;
        let (folder, spool) = spool(sources.spool.clone())?;
        let servers = Self {
            redis: server_of_redis,
            s3: server_of_s3,
            openai: server_of_openai,
            database: server_of_database,
            spool: folder,
        };
        Ok((servers, Resolved { redis, database, s3, openai, spool }))
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
    let source = OpenAiSource { base_url, api_key: None, model, fallback_model: None };
    Ok((Some(server), source))
}

fn spool(real: Option<PathBuf>) -> Result<(Option<TempDir>, PathBuf), StartError> {
    if let Some(folder) = real {
        return Ok((None, folder));
    }
    let folder = TempDir::with_prefix("spool-").map_err(StartError::Folder)?;
    let path = folder.path().join("uploads");
    Ok((Some(folder), path))
}

async fn database(real: Option<String>) -> Result<(DatabaseServer, String), StartError> {
    match real.as_deref() {
        Some(POSTGRES) => {
            let server = match PostgresServer::start().await {
                Err(PostgresServerError::NotInstalled) => return Err(StartError::NoPostgres),
                started => started.map_err(StartError::PostgresServer)?,
            };
            let url = server.url();
            Ok((DatabaseServer::Postgres(server), url))
        }
        Some(url) => Ok((DatabaseServer::Elsewhere, url.to_owned())),
        None => {
            let folder = TempDir::with_prefix("inventory-").map_err(StartError::Folder)?;
            let url = format!("sqlite://{}?mode=rwc", folder.path().join("inventory.db").display());
            Ok((DatabaseServer::Sqlite(folder), url))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere(spool: Option<PathBuf>) -> Sources {
        let s3 = S3Source {
            endpoint: Some("http://127.0.0.1:1".to_owned()),
            bucket: BUCKET.to_owned(),
            region: "us-east-1".to_owned(),
            keys: None,
        };
        Sources { s3: Some(s3), spool, ..Sources::default() }
    }

    #[tokio::test]
    async fn uploads_to_a_real_s3_never_wait_in_a_folder_that_ends_with_the_process() {
        let refused = Servers::start(&elsewhere(None)).await;
        assert!(matches!(refused, Err(StartError::NoSpoolFolder)), "{refused:?}");

        let folder = TempDir::new().unwrap();
        let named = elsewhere(Some(folder.path().to_owned()));
        let (servers, resolved) = Servers::start(&named).await.unwrap();
        assert!(servers.spool.is_none());
        assert_eq!(resolved.spool, folder.path());
    }
}
