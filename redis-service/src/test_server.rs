//! Real Redis servers that belong to the test that started them.
//!
//! A double can not be killed with `kill -9`, stopped in the middle of a reply, or come back empty.
//! A [`RedisServer`] is a child process on a free loopback port, without persistence, in a folder
//! of its own, and it does not outlive its owner:
//!
//! - dropping it kills it, also when it is stopped;
//! - if the owner itself is killed, the kernel kills the server too (`PR_SET_PDEATHSIG`, through
//!   the program `setpriv` of util-linux, because setting it in the child takes `unsafe` code).
//!   Where there is no `setpriv`, a killed test process leaves its server behind.
//!
//! The kernel watches the *thread* that started the child, so all children are started by one
//! thread that lives as long as the process.

mod child;
mod cluster;
mod sentinels;

use std::io;
use std::process::Child;
use std::time::Duration;

use circuit_layer::loopback;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tempfile::TempDir;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub use cluster::RedisCluster;
pub use sentinels::RedisSentinels;

/// How often, and how many times, a starting server is asked whether it answers: 10 s in all.
const ASK_EVERY: Duration = Duration::from_millis(10);
const ASK_TIMES: u32 = 1000;

/// Ports to try: between choosing one and listening on it, somebody else may take it.
const PORTS: u32 = 5;

/// A server could not be started or signalled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServerError {
    /// There is no such program.
    #[error("redis-server is not installed: there is none in PATH")]
    NotInstalled,
    /// It ended, or did not answer in time; with its last words.
    #[error("redis-server did not start on port {port}: {log}")]
    NotStarted {
        /// The port it was to listen on.
        port: u16,
        /// What it wrote.
        log: String,
    },
    /// It has ended already.
    #[error("redis-server is not running")]
    NotRunning,
    /// The operating system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Options of a [`RedisServer`].
#[derive(Clone, Debug, Default)]
#[must_use = "it does nothing until `start` is called"]
pub struct RedisServerBuilder {
    port: Option<u16>,
    args: Vec<String>,
    sentinel: Option<String>,
}

impl RedisServerBuilder {
    /// Listens on this port instead of a free one.
    pub const fn port(mut self, port: u16) -> Self {
        self.port = Some(port);
        self
    }

    /// One more argument of redis-server, such as `--requirepass`.
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Makes it a sentinel, with this configuration.
    pub(super) fn sentinel(mut self, config: String) -> Self {
        self.sentinel = Some(config);
        self
    }

    /// Starts the server and waits until it answers, be it with an error such as `NOAUTH`.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn start(self) -> Result<RedisServer, ServerError> {
        let folder = TempDir::with_prefix("redis-server-")?;
        let mut args = self.args;
        if let Some(config) = self.sentinel {
            // It rewrites this file when it learns something, and reads it when it starts again.
            let file = folder.path().join("sentinel.conf");
            std::fs::write(&file, config)?;
            args.extend([file.display().to_string(), "--sentinel".to_owned()]);
        } else {
            args.extend(["--save", "", "--appendonly", "no"].map(str::to_owned));
        }
        let mut server = RedisServer { port: 0, args, folder, child: None };
        let mut tries = if self.port.is_some() { 1 } else { PORTS };
        loop {
            server.port = match self.port {
                Some(port) => port,
                None => loopback::port()?,
            };
            tries = tries.saturating_sub(1);
            match server.launch().await {
                Err(ServerError::NotStarted { .. }) if tries > 0 => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
    }
}

/// A redis-server process on `127.0.0.1`.
///
/// # Cancellation
///
/// A call that is dropped half-way leaves a server that its own `Drop` still kills.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    args: Vec<String>,
    folder: TempDir,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts a server on a free port.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn start() -> Result<Self, ServerError> {
        Self::builder().start().await
    }

    /// Options first.
    pub fn builder() -> RedisServerBuilder {
        RedisServerBuilder::default()
    }

    /// Its URL, without credentials.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Its port, which stays the same over restarts.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its process, if it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Kills it with `SIGKILL` and waits for its end. Nothing happens if it does not run.
    ///
    /// # Errors
    ///
    /// The operating system refused.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Starts it again on the same port, empty; kills it first if it still runs.
    ///
    /// # Errors
    ///
    /// See [`ServerError`].
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        self.kill()?;
        self.launch().await
    }

    /// Stops it with `SIGSTOP` and waits until it has stopped: it keeps its connections, the kernel
    /// even accepts new ones, and nothing is answered.
    ///
    /// # Errors
    ///
    /// It does not run, or the operating system refused.
    pub fn stop(&self) -> Result<(), ServerError> {
        let pid = self.signal(Signal::STOP)?;
        let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(pid), stopped).map_err(io::Error::from)?;
        Ok(())
    }

    /// Lets a stopped server go on.
    ///
    /// # Errors
    ///
    /// It does not run, or the operating system refused.
    pub fn cont(&self) -> Result<(), ServerError> {
        self.signal(Signal::CONT).map(drop)
    }

    fn signal(&self, signal: Signal) -> Result<Pid, ServerError> {
        let child = self.child.as_ref().ok_or(ServerError::NotRunning)?;
        let pid = Pid::from_child(child);
        kill_process(pid, signal).map_err(io::Error::from)?;
        Ok(pid)
    }

    async fn launch(&mut self) -> Result<(), ServerError> {
        self.child = Some(child::spawn(self.port, self.folder.path(), &self.args).await?);
        let mut pace = tokio::time::interval(ASK_EVERY);
        for _ in 0..ASK_TIMES {
            pace.tick().await;
            let ended = match &mut self.child {
                Some(child) => child.try_wait()?.is_some(),
                None => true,
            };
            // The question comes second: a stranger may have taken the port.
            if ended {
                break;
            }
            if answers(self.port).await {
                return Ok(());
            }
        }
        self.kill()?;
        Err(ServerError::NotStarted { port: self.port, log: child::log(self.folder.path()) })
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Err(error) = self.kill() {
            tracing::warn!(%error, "a redis-server could not be killed");
        }
    }
}

/// Asks one question of the server at this port.
async fn ask(port: u16, cmd: &redis::Cmd) -> Result<redis::Value, ServerError> {
    let client = redis::Client::open(("127.0.0.1", port)).map_err(io::Error::other)?;
    let mut connection =
        client.get_multiplexed_async_connection().await.map_err(io::Error::other)?;
    cmd.query_async(&mut connection).await.map_err(|error| io::Error::other(error).into())
}

/// Asks until the answer is as wanted; gives up after 20 s.
async fn ask_until(
    what: &str,
    port: u16,
    cmd: &redis::Cmd,
    mut wanted: impl FnMut(&redis::Value) -> bool,
) -> Result<(), ServerError> {
    let mut pace = tokio::time::interval(Duration::from_millis(50));
    for _ in 0..400 {
        pace.tick().await;
        if ask(port, cmd).await.is_ok_and(|answer| wanted(&answer)) {
            return Ok(());
        }
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, format!("waited in vain until {what}")).into())
}

/// Whether something at this port speaks Redis and has loaded its data.
async fn answers(port: u16) -> bool {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"PING\r\n").await?;
        let mut reply = [0; 8];
        let read = stream.read(&mut reply).await?;
        let reply = reply.get(..read).unwrap_or_default();
        let ready = reply.starts_with(b"+") || reply.starts_with(b"-");
        io::Result::Ok(ready && reply != b"-LOADING")
    };
    let answer = tokio::time::timeout(Duration::from_secs(1), ask).await;
    matches!(answer, Ok(Ok(true)))
}
