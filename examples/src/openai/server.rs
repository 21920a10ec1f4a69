//! A small OpenAI-compatible server in the process, that can be killed.
//!
//! It knows one model and writes the same sales talk about everything; what matters is that it
//! speaks the protocol, whole and streamed, and that it dies for real: its port closes and its live
//! connections are cut.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Ports below those that the system hands out: while the server is down nobody is given its port.
const PORTS: std::ops::Range<u16> = 16_384..32_000;

/// The server could not get its port.
#[derive(Debug, thiserror::Error)]
#[error("the OpenAI-compatible server can not listen")]
pub struct ServerError(#[from] io::Error);

/// A running server, until it is killed or dropped.
#[derive(Debug)]
pub struct OpenAiServer {
    addr: SocketAddr,
    requests: Arc<AtomicU64>,
    listening: Option<JoinHandle<()>>,
}

impl OpenAiServer {
    /// Its model.
    pub const MODEL: &str = "salesman-1";

    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start() -> Result<Self, ServerError> {
        let socket = bind_free().await?;
        let addr = socket.local_addr()?;
        let mut server = Self { addr, requests: Arc::default(), listening: None };
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
        self.requests.load(Ordering::Relaxed)
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

    fn listen(&mut self, socket: TcpListener) {
        let router = Router::new()
            .route("/v1/models", get(models))
            .route("/v1/chat/completions", post(completions))
            .with_state(Arc::clone(&self.requests));
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

async fn bind_free() -> io::Result<TcpListener> {
    for port in PORTS.skip(usize::try_from(std::process::id() % 10_000).unwrap_or(0)) {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            bound => return bound,
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
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
    let service = TowerToHyperService::new(router);
    let connection = hyper::server::conn::http1::Builder::new();
    if let Err(error) = connection.serve_connection(TokioIo::new(stream), service).await {
        tracing::trace!(%error, "a connection of the OpenAI-compatible server broke");
    }
}

#[derive(Deserialize)]
struct Asked {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}

async fn models() -> Json<Value> {
    Json(json!({ "object": "list", "data": [{ "id": OpenAiServer::MODEL, "object": "model" }] }))
}

async fn completions(State(requests): State<Arc<AtomicU64>>, Json(asked): Json<Asked>) -> Response {
    let id = requests.fetch_add(1, Ordering::Relaxed);
    let prompt = asked.messages.last().map_or("", |message| message.content.as_str());
    let text = format!("{prompt} You will wonder how you ever did without it.");
    if asked.stream { streamed(id, &asked.model, &text) } else { whole(id, &asked.model, &text) }
}

fn whole(id: u64, model: &str, text: &str) -> Response {
    let choice = json!({
        "index": 0,
        "message": { "role": "assistant", "content": text },
        "finish_reason": "stop",
    });
    Json(json!({
        "id": format!("chatcmpl-{id}"),
        "object": "chat.completion",
        "model": model,
        "choices": [choice],
    }))
    .into_response()
}

/// One event per word, as a model would.
fn streamed(id: u64, model: &str, text: &str) -> Response {
    let chunk = |delta: Value, finish: Option<&str>| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish });
        let chunk = json!({
            "id": format!("chatcmpl-{id}"),
            "object": "chat.completion.chunk",
            "model": model,
            "choices": [choice],
        });
        format!("data: {chunk}\n\n")
    };
    let words = text.split_inclusive(' ').map(|word| chunk(json!({ "content": word }), None));
    let end = [chunk(json!({}), Some("stop")), "data: [DONE]\n\n".to_owned()];
    let events: Vec<_> = words.chain(end).map(Ok::<_, Infallible>).collect();
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream::iter(events))).into_response()
}
