//! A server of the same protocol that nobody here wrote.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use circuit_layer::{Clock, State, loopback};

use crate::support::{breaker, builder, complete, stream};

/// Where `.ci/setup test` puts it.
const PROGRAM: &str = "../target/tools/llmock/bin/llmock";
const LIMIT: Duration = Duration::from_secs(30);

struct Llmock {
    child: Child,
    base_url: String,
}

impl Llmock {
    async fn start(args: &[&str]) -> Self {
        let port = loopback::port().unwrap();
        let program: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(PROGRAM);
        assert!(program.is_file(), "llmock is missing: `.ci/setup test` installs it");
        let child = Command::new(program)
            .args(["serve", "--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--latency-ms", "0", "--log-level", "warning"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, base_url: format!("http://127.0.0.1:{port}/v1") };
        let clock = Clock::default();
        let start = clock.now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            assert!(clock.now() - start < LIMIT, "llmock does not listen");
            clock.sleep_until(clock.now() + Duration::from_millis(50)).await;
        }
        server
    }
}

impl Drop for Llmock {
    fn drop(&mut self) {
        let ended: io::Result<_> = self.child.kill().and_then(|()| self.child.wait());
        drop(ended);
    }
}

/// With more patience: it is a Python program.
fn client(server: &Llmock) -> degradation::openai::OpenAi {
    let patience = Duration::from_secs(5);
    let builder = builder(&server.base_url).model("gpt-4o-mini");
    builder.first_byte(patience).longest_pause(Duration::from_millis(1_500)).build().unwrap()
}

#[tokio::test]
async fn its_answers_are_whole_and_streamed_ones_end_well() {
    let server = Llmock::start(&[]).await;
    let openai = client(&server);
    assert!(!complete(&openai).await.unwrap().is_empty());
    let (text, ended) = stream(&openai).await;
    ended.unwrap();
    assert!(!text.is_empty());
    assert_eq!(breaker(&openai).state(), State::Closed);
}

#[tokio::test]
async fn its_errors_open_the_breaker() {
    for rate in ["503=1", "429=1", "500=1"] {
        let server = Llmock::start(&["--error-rate", rate]).await;
        let openai = client(&server);
        for _ in 0..3 {
            complete(&openai).await.unwrap_err();
        }
        assert_eq!(breaker(&openai).state(), State::Open, "{rate}");
    }
}

#[tokio::test]
async fn its_broken_streams_are_told_and_open_the_breaker() {
    for fault in ["truncate=1", "disconnect=1", "stall=1"] {
        let server = Llmock::start(&["--stream-fault", fault]).await;
        let openai = client(&server);
        for _ in 0..3 {
            let (text, ended) = stream(&openai).await;
            assert!(ended.is_err(), "{fault}: {text:?} passes for the whole");
        }
        assert_eq!(breaker(&openai).state(), State::Open, "{fault}");
    }
}
