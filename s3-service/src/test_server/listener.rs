//! The port and the connections: what dies when the server is killed.

use std::sync::atomic::Ordering;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::gate::Gate;

/// The task that accepts, and through it every connection.
#[derive(Debug)]
pub(super) struct Listener(JoinHandle<()>);

impl Listener {
    pub(super) fn spawn(socket: TcpListener, gate: Gate) -> Self {
        Self(tokio::spawn(accept(socket, gate)))
    }

    /// Returns when the port is closed and the connections are cut.
    pub(super) async fn kill(mut self) {
        self.0.abort();
        // An aborted task ends in a `JoinError`: that is what was asked for.
        drop((&mut self.0).await);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept(socket: TcpListener, gate: Gate) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                if let Ok((stream, _)) = accepted {
                    gate.traffic().connections.fetch_add(1, Ordering::Relaxed);
                    connections.spawn(serve(stream, gate.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, gate: Gate) {
    // Or a streamed body would wait until the client has acknowledged the head, for up to 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::trace!(%error, "a connection without TCP_NODELAY");
    }
    let service = service_fn(|request| gate.clone().answer(request));
    let connection = Builder::new(TokioExecutor::new());
    let served = connection.serve_connection(TokioIo::new(stream), service).await;
    // A client that went away, or a body that was cut on purpose.
    if let Err(error) = served {
        tracing::trace!(%error, "a connection of the test server broke");
    }
}
