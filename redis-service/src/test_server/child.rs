//! Starting the process, from a thread that never ends.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError, mpsc};
use std::{env, fs, io, thread};

use tokio::sync::oneshot;

use super::ServerError;

const LOG: &str = "redis-server.log";

struct Job {
    command: Command,
    done: oneshot::Sender<io::Result<Child>>,
}

/// The thread whose death the children would notice: it ends with the process.
static WARDEN: LazyLock<Mutex<mpsc::Sender<Job>>> = LazyLock::new(|| {
    let (jobs, queue) = mpsc::channel::<Job>();
    let work = move || {
        while let Ok(mut job) = queue.recv() {
            // Nobody waits any more: the child must not be left alone.
            if let Err(Ok(mut orphan)) = job.done.send(job.command.spawn()) {
                let ended = orphan.kill().and_then(|()| orphan.wait());
                tracing::debug!(?ended, "a redis-server that nobody waited for");
            }
        }
    };
    // Without the thread the receiver is dropped, and every job is answered with an error.
    let started = thread::Builder::new().name("redis-server-warden".to_owned()).spawn(work);
    tracing::trace!(started = started.is_ok(), "warden");
    Mutex::new(jobs)
});

pub(super) async fn spawn(port: u16, folder: &Path, args: &[String]) -> Result<Child, ServerError> {
    let program = in_path("redis-server").ok_or(ServerError::NotInstalled)?;
    let mut command = match in_path("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            // Ctrl-C is for the program that drains its calls to Redis, and not for Redis.
            command.process_group(0);
            command
        }
        None => Command::new(program),
    };
    let log = fs::File::create(folder.join(LOG))?;
    // A configuration file comes first.
    command
        .args(args)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--dir"])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    let (done, spawned) = oneshot::channel();
    let job = Job { command, done };
    let sent = WARDEN.lock().unwrap_or_else(PoisonError::into_inner).send(job);
    sent.map_err(|_gone| io::Error::other("the thread that starts servers has gone"))?;
    let child = spawned.await.map_err(io::Error::other)??;
    Ok(child)
}

/// What the server wrote, for an error message.
pub(super) fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join(LOG)).unwrap_or_default().trim().to_owned()
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}
