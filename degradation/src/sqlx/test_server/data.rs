//! The folder that holds a server's data, and the programs that work on it.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::programs::{Account, account, command, folder};
use super::{PASSWORD, ServerError, USER, process};

const LOG: &str = "postgres.log";
const DATA: &str = "data";

/// A data folder. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Data {
    home: TempDir,
    programs: PathBuf,
    account: Option<Account>,
}

impl Data {
    /// A fresh one.
    pub(super) async fn new() -> Result<Self, ServerError> {
        let data = Self::empty()?;
        let password = data.home.path().join("password");
        File::create(&password)?.write_all(PASSWORD.as_bytes())?;
        data.own(&password)?;
        let mut initdb = data.command("initdb");
        initdb
            .args(["--no-sync", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256"])
            .args(["--username", USER])
            .arg("--pwfile")
            .arg(password)
            .arg("--pgdata")
            .arg(data.path());
        data.run("initdb", initdb).await?;
        Ok(data)
    }

    /// A copy of what the server on this port has, set up to follow it.
    pub(super) async fn copy_of(&self, port: u16) -> Result<Self, ServerError> {
        let copy = Self::empty()?;
        let mut backup = copy.command("pg_basebackup");
        backup
            .env("PGPASSWORD", PASSWORD)
            .args(["--host=127.0.0.1", "--write-recovery-conf", "--no-sync"])
            .args(["--checkpoint=fast", "--wal-method=stream"])
            .args(["--username", USER, "--port", &port.to_string()])
            .arg("--pgdata")
            .arg(copy.path());
        copy.run("pg_basebackup", backup).await?;
        Ok(copy)
    }

    pub(super) async fn promote(&self) -> Result<(), ServerError> {
        let mut promote = self.command("pg_ctl");
        promote.args(["promote", "--wait", "--pgdata"]).arg(self.path());
        self.run("pg_ctl", promote).await
    }

    /// Starts the server. No file is synced: what `kill -9` leaves is what the kernel has.
    pub(super) async fn launch(
        &self,
        port: u16,
        settings: &[String],
    ) -> Result<Child, ServerError> {
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(self.path()).args(["-p", &port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off"] {
            postgres.args(["-c", setting]);
        }
        for setting in settings {
            postgres.args(["-c", setting]);
        }
        let log = self.log_file()?;
        postgres.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(process::spawn(postgres).await?)
    }

    /// What the programs wrote.
    pub(super) fn log(&self) -> String {
        let log = fs::read_to_string(self.home.path().join(LOG)).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(10).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn empty() -> Result<Self, ServerError> {
        let programs = folder().ok_or(ServerError::NotInstalled)?;
        let home = TempDir::with_prefix("postgres-")?;
        let data = Self { home, programs, account: account() };
        data.own(data.home.path())?;
        Ok(data)
    }

    fn path(&self) -> PathBuf {
        self.home.path().join(DATA)
    }

    fn own(&self, path: &std::path::Path) -> Result<(), ServerError> {
        let Some(Account { uid, gid }) = self.account else { return Ok(()) };
        Ok(chown(path, Some(uid), Some(gid))?)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = command(&self.programs.join(program), self.account);
        // The caller's folder may be closed to the account.
        command.current_dir(self.home.path()).env_remove("PGDATA");
        command
    }

    fn log_file(&self) -> Result<File, ServerError> {
        Ok(File::options().create(true).append(true).open(self.home.path().join(LOG))?)
    }

    async fn run(&self, program: &'static str, mut command: Command) -> Result<(), ServerError> {
        let log = self.log_file()?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let mut child = process::spawn(command).await?;
        let ended = tokio::task::spawn_blocking(move || child.wait()).await;
        let status = ended.map_err(std::io::Error::other)??;
        if status.success() {
            return Ok(());
        }
        Err(ServerError::Failed { program, log: self.log() })
    }
}
