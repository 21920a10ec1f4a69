//! The program, as a child.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use circuit_layer::Clock;
use reqwest::Client;
use serde_json::Value;
use tokio::sync::oneshot;

const GREETING: &str = "The inventory service is at ";

pub(crate) struct Service {
    pub(crate) url: String,
    child: Mutex<Child>,
}

impl Service {
    /// Starts it in this environment, and waits for its greeting.
    pub(crate) async fn start(variables: &[(&str, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_serve"));
        let variables = variables.iter().map(|(name, value)| (*name, value));
        let mut child = command.envs(variables).stdout(Stdio::piped()).spawn().unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let (found, url) = oneshot::channel();
        let mut found = Some(found);
        // It reads to the end, or the program would fail to write.
        std::thread::spawn(move || {
            for line in told.lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix(GREETING)
                    && let Some(found) = found.take()
                {
                    found.send(url.to_owned()).unwrap();
                }
            }
        });
        let url = url.await.expect("it greets before it ends");
        Self { url, child: Mutex::new(child) }
    }

    pub(crate) fn terminate(&self) {
        let pid = self.child().id().to_string();
        let done = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(done.success());
    }

    /// Its exit code, once it has ended; None if a signal killed it.
    pub(crate) async fn ended(&self, within: Duration) -> Option<i32> {
        super::callers::until(within, async || self.child().try_wait().unwrap().is_some()).await;
        self.child().wait().unwrap().code()
    }

    /// None: the connection was refused.
    pub(crate) async fn readyz(&self) -> Option<u16> {
        // A connection of its own: one that is kept would be answered as long as it is open.
        let client = Client::builder().pool_max_idle_per_host(0).build().unwrap();
        let answer = client.get(format!("{}/readyz", self.url)).send().await.ok()?;
        Some(answer.status().as_u16())
    }

    /// How many uploads wait, as the status page tells.
    pub(crate) async fn queued(&self) -> u64 {
        let url = format!("{}/status.json", self.url);
        let status: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        status["queues"][0]["depth"].as_u64().unwrap()
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already, unless the test has failed.
        drop(self.child().kill());
        drop(self.child().wait());
    }
}

/// Lets some time pass between two looks.
pub(crate) async fn pause() {
    let clock = Clock::default();
    clock.sleep_until(clock.now() + Duration::from_millis(20)).await;
}
