//! A real server, whose connections are tasks that nobody holds.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::stream::{self, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::*;

const DRAIN: Duration = Duration::from_millis(50);

/// What a request holds for as long as it lives.
struct Held(Arc<AtomicBool>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A shutdown whose only step fails if the request is there still, and what the request holds.
fn shutdown() -> (Shutdown, Held) {
    let gone = Arc::new(AtomicBool::new(false));
    let held = Held(Arc::clone(&gone));
    let look = async move {
        gone.load(Ordering::Relaxed).then_some(()).ok_or("a request uses what it closes")
    };
    (Shutdown::new(&Readiness::starting()).drain_within(DRAIN).step("clients", look), held)
}

type Serving = JoinHandle<Result<(), std::io::Error>>;

async fn serve(shutdown: &Shutdown, router: Router) -> (Serving, SocketAddr) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = socket.local_addr().unwrap();
    let serve = axum::serve(socket, router).with_graceful_shutdown(shutdown.signal());
    (tokio::spawn(serve.into_future()), addr)
}

async fn ask(addr: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(addr).await.unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    client
}

async fn told(mut client: TcpStream) -> String {
    let mut told = String::new();
    client.read_to_string(&mut told).await.unwrap();
    told
}

/// A server, and a client whose request hangs in it.
async fn hanging(shutdown: &Shutdown, held: Held) -> (Serving, TcpStream) {
    let begun = Arc::new(Notify::new());
    let (held, running) = (Arc::new(Mutex::new(Some(held))), Arc::clone(&begun));
    let hang = move || async move {
        let _held = held.lock().unwrap().take();
        running.notify_one();
        std::future::pending::<()>().await;
    };
    let router = Router::new().route("/", get(hang)).layer(shutdown.cut_off());
    let (serving, addr) = serve(shutdown, router).await;
    let client = ask(addr).await;
    begun.notified().await;
    (serving, client)
}

#[tokio::test]
async fn a_handler_that_outlasts_the_drain_is_gone_before_the_first_step_begins() {
    let (shutdown, held) = shutdown();
    let (serving, client) = hanging(&shutdown, held).await;
    let error = shutdown.run(serving).await.unwrap_err();
    assert_eq!(error.to_string(), "drain was not done within 50ms");
    let told = told(client).await;
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("connection: close"), "{told}");
}

#[tokio::test]
async fn a_run_that_is_dropped_cuts_off_the_requests_too() {
    let (shutdown, held) = shutdown();
    let shutdown = shutdown.drain_within(Duration::from_secs(3_600));
    let (serving, client) = hanging(&shutdown, held).await;
    let mut run = tokio_test::task::spawn(shutdown.run(serving));
    tokio_test::assert_pending!(run.poll());
    drop(run);
    assert!(told(client).await.starts_with("HTTP/1.1 503 "));
}

#[tokio::test]
async fn an_answer_that_outlasts_the_drain_ends_as_a_broken_one() {
    let (shutdown, held) = shutdown();
    let held = Arc::new(Mutex::new(Some(held)));
    let endless = move || async move {
        let held = held.lock().unwrap().take();
        let first = stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"first"))]);
        Body::from_stream(first.chain(stream::pending().map(move |part| (&held, part).1)))
    };
    let router = Router::new().route("/", get(endless)).layer(shutdown.cut_off());
    let (serving, addr) = serve(&shutdown, router).await;
    let mut client = ask(addr).await;
    let mut begun = Vec::new();
    while !begun.ends_with(b"first\r\n") {
        assert!(client.read_buf(&mut begun).await.unwrap() > 0);
    }
    let error = shutdown.run(serving).await.unwrap_err();
    assert_eq!(error.to_string(), "drain was not done within 50ms");
    assert_eq!(told(client).await, "", "without the chunk that says that it is whole");
}
