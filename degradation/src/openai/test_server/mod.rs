//! A small OpenAI-compatible server in the process, that fails in every way (feature `test-server`).
//!
//! It knows any model and writes the same sales talk about everything; what matters is that it speaks
//! the protocol, whole and streamed, fails on demand, and dies for real: its port closes and its live
//! connections are cut.

mod reply;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use circuit_layer::loopback;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// The server could not get its port.
#[derive(Debug, thiserror::Error)]
#[error("the OpenAI-compatible server can not listen")]
pub struct ServerError(#[from] io::Error);

/// A way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This status, with an error of `OpenAI`'s form.
    Status(u16),
    /// 429, to be asked again after so many seconds.
    Throttle(u64),
    /// 429, because there is no money left.
    Quota,
    /// 200, and no completion.
    Garbage,
    /// Whole answers: half of the JSON. Streamed ones: so many parts, then an orderly end.
    Truncate(usize),
    /// So many parts of a stream, then the connection breaks.
    Disconnect(usize),
    /// So many parts of a stream, then nothing any more.
    Stall(usize),
    /// So many parts of a stream, then an error in it.
    ErrorPart(usize),
    /// No answer at all.
    Hang,
    /// None, but for who looks for text: a whole answer that calls a tool instead.
    ToolCall,
}

/// What the server and its connections share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    requests: AtomicU64,
    /// By model; `None` for all others.
    faults: Mutex<HashMap<Option<String>, Fault>>,
}

impl Shared {
    pub(super) fn asked(&self, model: &str) -> (u64, Option<Fault>) {
        let id = self.requests.fetch_add(1, Ordering::Relaxed);
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        (id, faults.get(&Some(model.to_owned())).or_else(|| faults.get(&None)).copied())
    }
}

/// A running server, until it is killed or dropped.
#[derive(Debug)]
pub struct OpenAiServer {
    addr: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

impl OpenAiServer {
    /// The model that it lists.
    pub const MODEL: &str = "salesman-1";

    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start() -> Result<Self, ServerError> {
        let socket = TcpListener::from_std(loopback::listen()?)?;
        let addr = socket.local_addr()?;
        let mut server = Self { addr, shared: Arc::default(), listening: None };
        server.listen(socket);
        Ok(server)
    }

    /// Its URL, with `/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    /// How many completions it was asked for since the start.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Every model fails like this from now on, unless it has a fault of its own.
    pub fn inject(&self, fault: Fault) {
        self.faults().insert(None, fault);
    }

    /// This model fails like this from now on.
    pub fn inject_for(&self, model: &str, fault: Fault) {
        self.faults().insert(Some(model.to_owned()), fault);
    }

    /// Every model works again.
    pub fn heal(&self) {
        self.faults().clear();
    }

    /// Kills it: when this returns the port is closed and every connection is cut.
    pub async fn kill(&mut self) {
        if let Some(listening) = self.listening.take() {
            listening.abort();
            // An aborted task ends in a `JoinError`: that is what was asked for.
            drop(listening.await);
        }
    }

    /// Starts it again on the same port; does nothing if it runs.
    ///
    /// # Errors
    ///
    /// Somebody else took the port meanwhile.
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        if self.listening.is_none() {
            let socket = TcpListener::bind(self.addr).await?;
            self.listen(socket);
        }
        Ok(())
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, HashMap<Option<String>, Fault>> {
        self.shared.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&mut self, socket: TcpListener) {
        let router = Router::new()
            .route("/v1/models", get(reply::models))
            .route("/v1/chat/completions", post(reply::completions))
            .with_state(Arc::clone(&self.shared));
        self.listening = Some(tokio::spawn(accept(socket, router)));
    }
}

impl Drop for OpenAiServer {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
    }
}

async fn accept(socket: TcpListener, router: Router) {
    // Dropped with this task, and every connection with it.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(serve(stream, router.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(stream: TcpStream, router: Router) {
    // Or a streamed body would wait until the client has acknowledged the head, for up to 40 ms.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::trace!(%error, "a connection without TCP_NODELAY");
    }
    let service = TowerToHyperService::new(router);
    let connection = hyper::server::conn::http1::Builder::new();
    if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
        tracing::trace!(%error, "a connection of the OpenAI-compatible server broke");
    }
}
