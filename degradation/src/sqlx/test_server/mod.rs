//! Real `PostgreSQL` servers that belong to the test that started them (feature `test-server`).
//!
//! What a breaker does for a database can only be shown on one that dies. A [`PostgresServer`] has a
//! data folder of its own, made by `initdb`, and listens on 127.0.0.1. It can be killed with
//! `kill -9`, frozen in the middle of a query, started again with the data that it had, and followed
//! by a [standby](PostgresServer::standby).
//!
//! `PostgreSQL` refuses to run as root, so a test that does starts it as the user `postgres`, or
//! `nobody` where there is none. It does not outlive its owner: dropping it kills it, and if the owner
//! itself is killed the kernel kills the server too, through the program `setpriv` of util-linux,
//! where that is installed.
//!
//! A server is a family of processes, found in `/proc`, so this module is for Linux.

mod data;
mod family;
mod process;
mod programs;

use std::io;
use std::process::Child;

use circuit_layer::loopback;
use rustix::process::Signal;
use thiserror::Error;

use self::data::Data;

/// Databases and roles of every server here.
pub const USER: &str = "postgres";
/// The password of [`USER`].
pub const PASSWORD: &str = "secret";

/// Ports to try: between choosing one and listening on it, somebody else may take it.
const PORTS: u32 = 5;

/// A server could not be started or signalled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is no such program, in PATH or where the distributions put it.
    #[error("PostgreSQL is not installed: no `initdb` and `postgres` were found")]
    NotInstalled,
    /// A program of the server failed; with its last words.
    #[error("{program} failed: {log}")]
    Failed {
        /// The program.
        program: &'static str,
        /// What it wrote.
        log: String,
    },
    /// It has ended already.
    #[error("postgres is not running")]
    NotRunning,
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Options of a [`PostgresServer`].
#[derive(Clone, Debug, Default)]
#[must_use = "it does nothing until `start` is called"]
pub struct PostgresServerBuilder {
    settings: Vec<String>,
}

impl PostgresServerBuilder {
    /// One more setting, such as `max_connections=5`.
    pub fn setting(mut self, setting: impl Into<String>) -> Self {
        self.settings.push(setting.into());
        self
    }

    /// Makes a data folder, starts the server and waits until it lets clients log in.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn start(self) -> Result<PostgresServer, ServerError> {
        PostgresServer::over(Data::new().await?, self.settings).await
    }
}

/// A family of postgres processes on a port of `127.0.0.1`.
///
/// # Cancellation
///
/// A call that is dropped half-way leaves a server that its own `Drop` still kills.
#[derive(Debug)]
pub struct PostgresServer {
    port: u16,
    settings: Vec<String>,
    child: Option<Child>,
    data: Data,
}

impl PostgresServer {
    /// Starts a server on a free port.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn start() -> Result<Self, ServerError> {
        Self::builder().start().await
    }

    /// Options first.
    pub fn builder() -> PostgresServerBuilder {
        PostgresServerBuilder::default()
    }

    async fn over(data: Data, settings: Vec<String>) -> Result<Self, ServerError> {
        let mut server = Self { port: 0, settings, child: None, data };
        let mut tries = PORTS;
        loop {
            server.port = loopback::port()?;
            tries = tries.saturating_sub(1);
            match server.launch().await {
                Err(ServerError::Failed { .. }) if tries > 0 => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
    }

    /// The URL of its database `postgres`, with user and password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// Its port, which stays the same over restarts.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its first process, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills every process of it with `SIGKILL` and waits for their end. Its data stay. Nothing
    /// happens if it does not run.
    ///
    /// # Errors
    ///
    /// The operating system refused.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        if let Some(mut child) = self.child.take() {
            family::kill(&mut child)?;
        }
        Ok(())
    }

    /// Starts it again on the same port with the data that it had; kills it first if it still runs.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        self.kill()?;
        self.launch().await
    }

    /// Stops every process of it with `SIGSTOP`: it keeps its connections, the kernel even accepts new
    /// ones, and nothing is answered.
    ///
    /// # Errors
    ///
    /// It does not run, or the operating system refused.
    pub fn stop(&self) -> Result<(), ServerError> {
        let child = self.child.as_ref().ok_or(ServerError::NotRunning)?;
        Ok(family::signal(child, Signal::STOP)?)
    }

    /// Lets a stopped server go on.
    ///
    /// # Errors
    ///
    /// It does not run, or the operating system refused.
    pub fn cont(&self) -> Result<(), ServerError> {
        let child = self.child.as_ref().ok_or(ServerError::NotRunning)?;
        Ok(family::signal(child, Signal::CONT)?)
    }

    /// Starts a standby that follows this server and takes no writes.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn standby(&self) -> Result<Self, ServerError> {
        Self::over(self.data.copy_of(self.port).await?, self.settings.clone()).await
    }

    /// Makes a standby a server of its own, which takes writes.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn promote(&self) -> Result<(), ServerError> {
        self.data.promote().await
    }

    async fn launch(&mut self) -> Result<(), ServerError> {
        self.child = Some(self.data.launch(self.port, &self.settings).await?);
        while let Some(child) = &mut self.child {
            if process::lets_in(self.port, child).await? {
                return Ok(());
            }
            if child.try_wait()?.is_some() {
                break;
            }
        }
        self.kill()?;
        Err(ServerError::Failed { program: "postgres", log: self.data.log() })
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!(%error, "a postgres could not be killed");
        }
    }
}
