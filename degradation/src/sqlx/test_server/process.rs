//! Starting a process, from a thread that never ends, and knocking at its port.

use std::net::Ipv4Addr;
use std::process::{Child, Command};
use std::sync::{LazyLock, Mutex, PoisonError, mpsc};
use std::time::Duration;
use std::{io, thread};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_millis(500);

struct Job {
    command: Command,
    done: oneshot::Sender<io::Result<Child>>,
}

/// The kernel watches the *thread* that started a child, so all are started by one that ends with the
/// process.
static WARDEN: LazyLock<Mutex<mpsc::Sender<Job>>> = LazyLock::new(|| {
    let (jobs, queue) = mpsc::channel::<Job>();
    let work = move || {
        while let Ok(mut job) = queue.recv() {
            // Nobody waits any more: the child must not be left alone.
            if let Err(Ok(mut orphan)) = job.done.send(job.command.spawn()) {
                let ended = orphan.kill().and_then(|()| orphan.wait());
                tracing::debug!(?ended, "a postgres that nobody waited for");
            }
        }
    };
    // Without the thread the receiver is dropped, and every job is answered with an error.
    let started = thread::Builder::new().name("postgres-warden".to_owned()).spawn(work);
    tracing::trace!(started = started.is_ok(), "warden");
    Mutex::new(jobs)
});

pub(super) async fn spawn(command: Command) -> io::Result<Child> {
    let (done, spawned) = oneshot::channel();
    let sent = WARDEN.lock().unwrap_or_else(PoisonError::into_inner).send(Job { command, done });
    sent.map_err(|_gone| io::Error::other("the thread that starts servers has gone"))?;
    spawned.await.map_err(io::Error::other)?
}

/// Whether a client would be asked for its password now. Takes a moment if not.
pub(super) async fn lets_in(port: u16, child: &mut Child) -> io::Result<bool> {
    let knocked = tokio::time::timeout(PATIENCE, knock(port)).await;
    if matches!(knocked, Ok(Ok(true))) {
        // The answer may have been a stranger's.
        return Ok(child.try_wait()?.is_none());
    }
    let mut pause = tokio::time::interval(Duration::from_millis(10));
    pause.tick().await;
    pause.tick().await;
    Ok(false)
}

/// The beginning of a log-in: `R` asks for the password, `E` says why not yet.
async fn knock(port: u16) -> io::Result<bool> {
    const STARTUP: &[u8] = b"\0\0\0\x29\0\x03\0\0user\0postgres\0database\0postgres\0\0";
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(STARTUP).await?;
    Ok(stream.read_u8().await? == b'R')
}
