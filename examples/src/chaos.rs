//! Breaking what runs here, for real: processes are killed or frozen, ports closed, connections cut.
//!
//! Only the example has this, and only for servers of its own; nothing inside the service or its
//! layers is switched. `GET /chaos` is a page of buttons, and is not there where nothing runs here; the
//! demo and the tests call [`Chaos::act`].

mod page;

use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

pub(crate) use self::page::router;
use crate::dependencies::{DatabaseServer, Servers};

/// One of the four dependencies.
///
/// Exhaustive: the service has these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Victim {
    /// A child process.
    Redis,
    /// In the process.
    S3,
    /// A child process, if it is `PostgreSQL`.
    Database,
    /// In the process.
    OpenAi,
}

impl Victim {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Database, Self::OpenAi, Self::Redis, Self::S3];

    /// As the manager and its breaker name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis",
            Self::S3 => "s3",
            Self::Database => "database",
            Self::OpenAi => "openai",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|victim| victim.name() == name)
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is done to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third thing to do")]
pub enum Deed {
    /// `kill -9`; in the process: the port is closed and every connection cut.
    Kill,
    /// Started again on the same port; does nothing if it runs.
    Restart,
}

/// The servers that run here, to be broken. Clones break the same.
#[derive(Clone, Debug)]
pub struct Chaos(Arc<Mutex<Servers>>);

/// It could not be done.
#[derive(Debug, thiserror::Error)]
#[error("{victim} could not be broken or mended")]
pub struct ChaosError {
    victim: Victim,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Chaos {
    pub(crate) fn new(servers: Servers) -> Self {
        Self(Arc::new(Mutex::new(servers)))
    }

    /// Whether there is anything to break: not where all four are servers of somebody else's.
    pub async fn can_break(&self) -> bool {
        self.0.lock().await.can_die()
    }

    /// Does it. What was done, in words; None if it does not run here, so is not ours to break.
    ///
    /// # Errors
    ///
    /// The operating system refused, or the port was taken meanwhile.
    #[expect(clippy::significant_drop_tightening, reason = "one deed at a time, to its end")]
    pub async fn act(&self, victim: Victim, deed: Deed) -> Result<Option<String>, ChaosError> {
        let mut servers = self.0.lock().await;
        let done = match deed {
            Deed::Kill => kill(&mut servers, victim).await,
            Deed::Restart => restart(&mut servers, victim).await,
        };
        done.map_err(|source| ChaosError { victim, source })
    }

    /// The process of a child.
    pub async fn pid(&self, victim: Victim) -> Option<u32> {
        let servers = self.0.lock().await;
        match victim {
            Victim::Redis => servers.redis.as_ref()?.pid(),
            Victim::Database => servers.database.pid(),
            Victim::S3 | Victim::OpenAi => None,
        }
    }

    /// Freezes Redis in the middle of whatever it does, or lets it go on.
    ///
    /// # Errors
    ///
    /// It is not a child of this process, or the operating system refused.
    #[expect(clippy::significant_drop_tightening, reason = "one deed at a time, to its end")]
    pub async fn freeze_redis(&self, frozen: bool) -> Result<(), ChaosError> {
        let servers = self.0.lock().await;
        let victim = Victim::Redis;
        let Some(server) = &servers.redis else {
            let source = "it does not run here".into();
            return Err(ChaosError { victim, source });
        };
        let done = if frozen { server.stop() } else { server.cont() };
        done.map_err(|error| ChaosError { victim, source: error.into() })
    }
}

type Done = Result<Option<String>, Box<dyn std::error::Error + Send + Sync>>;

async fn kill(servers: &mut Servers, victim: Victim) -> Done {
    let closed = || Some("its port is closed, its connections are cut".to_owned());
    Ok(match victim {
        Victim::Redis => match &mut servers.redis {
            Some(server) => {
                let pid = server.pid();
                server.kill()?;
                Some(killed(pid))
            }
            None => None,
        },
        Victim::Database => match &mut servers.database {
            DatabaseServer::Postgres(server) => {
                let pid = server.pid();
                server.kill()?;
                Some(killed(pid))
            }
            DatabaseServer::Sqlite(_) | DatabaseServer::Elsewhere => None,
        },
        Victim::S3 => match &servers.s3 {
            Some(server) => {
                server.kill().await;
                closed()
            }
            None => None,
        },
        Victim::OpenAi => match &mut servers.openai {
            Some(server) => {
                server.kill().await;
                closed()
            }
            None => None,
        },
    })
}

async fn restart(servers: &mut Servers, victim: Victim) -> Done {
    let here = match victim {
        Victim::Redis => match &mut servers.redis {
            Some(server) if server.pid().is_some() => true,
            Some(server) => server.restart().await.map(|()| true)?,
            None => false,
        },
        Victim::Database => match &mut servers.database {
            DatabaseServer::Postgres(server) if server.pid().is_some() => true,
            DatabaseServer::Postgres(server) => server.restart().await.map(|()| true)?,
            DatabaseServer::Sqlite(_) | DatabaseServer::Elsewhere => false,
        },
        Victim::S3 => match &servers.s3 {
            Some(server) => server.restart().await.map(|_| true)?,
            None => false,
        },
        Victim::OpenAi => match &mut servers.openai {
            Some(server) => server.restart().await.map(|()| true)?,
            None => false,
        },
    };
    Ok(here.then(|| "it runs again".to_owned()))
}

fn killed(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("kill -9 {pid}: it is dead"),
        None => "it was dead already".to_owned(),
    }
}
