//! A headless Chromium, driven through chromedriver, a child of the test.
//!
//! Both end with the test, also when it fails. The browser comes from the system's packages
//! (`.ci/setup test` installs it), which is why its version is chromedriver's business.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use circuit_layer::Clock;
use serde_json::{Value, json};
use thirtyfour::cdp::domains::emulation::{MediaFeature, SetEmulatedMedia};
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, LoggingPrefsLogLevel};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// Nothing of the browser may leave this machine or wait for a screen. As root there is no sandbox.
const ARGUMENTS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// How long anything may take that is not the claim of a test: the machine may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const HEIGHT: u32 = 800;

/// How often a page is asked whether a condition holds.
const POLL: Duration = Duration::from_millis(20);

/// Runs a test in a browser of its own, and ends the browser whatever the test does.
pub(crate) async fn with_browser<F: Future<Output = ()>>(test: impl FnOnce(Page) -> F) {
    let (mut chromedriver, port) = chromedriver().await;
    let profile = tempfile::tempdir().unwrap();
    let mut wanted = ChromeCapabilities::new();
    for argument in ARGUMENTS {
        wanted.add_arg(argument).unwrap();
    }
    wanted.add_arg(&format!("--user-data-dir={}", profile.path().display())).unwrap();
    wanted.set_browser_log_level(LoggingPrefsLogLevel::All).unwrap();
    let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await;
    let ran = driver.unwrap().run_and_quit(async |driver| {
        test(Page(driver)).await;
        Ok::<_, WebDriverError>(())
    });
    ran.await.unwrap();
    chromedriver.kill().await.unwrap();
}

async fn chromedriver() -> (Child, u16) {
    let mut child = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|error| panic!("chromedriver ({error}): `.ci/setup test` installs it"));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = timeout(PATIENCE, async {
        loop {
            let line = lines.next_line().await.unwrap().expect("chromedriver says its port");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').parse().unwrap();
            }
        }
    });
    (child, port.await.expect("chromedriver starts in time"))
}

/// What the page is looked at with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) width: u32,
    pub(crate) scheme: &'static str,
}

/// A tab.
pub(crate) struct Page(WebDriver);

impl Page {
    pub(crate) async fn open(&self, url: &str) {
        self.0.goto(url).await.unwrap();
    }

    /// Sets width and colour scheme, without touching the page.
    pub(crate) async fn look(&self, look: Look) {
        self.resize(look.width, HEIGHT).await;
        let feature = |name: &str, value: &str| MediaFeature {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let media = SetEmulatedMedia {
            media: None,
            features: Some(vec![
                feature("prefers-color-scheme", look.scheme),
                feature("prefers-reduced-motion", "reduce"),
            ]),
        };
        self.0.cdp().send(media).await.unwrap();
    }

    async fn resize(&self, width: u32, height: u32) {
        let (devtools, sharpness) = (self.0.cdp(), 1.0);
        let emulation = devtools.emulation();
        emulation.set_device_metrics_override(width, height, sharpness, false).await.unwrap();
    }

    /// What a script with `return` returns.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.0.execute(script, Vec::new()).await.unwrap().json().clone()
    }

    /// Waits until the expression holds, and says how long that took.
    pub(crate) async fn wait_for(&self, expression: &str) -> Duration {
        let clock = Clock::default();
        let started = clock.now();
        let script = format!("return Boolean({expression})");
        while self.ask(&script).await != json!(true) {
            if clock.now() - started > PATIENCE {
                let body = self.ask("return document.body.innerText").await;
                panic!("`{expression}` does not hold; the page says {body:#}");
            }
            clock.sleep_until(clock.now() + POLL).await;
        }
        clock.now() - started
    }

    /// The text of the first element that a selector finds.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let element = self.0.find(By::Css(selector)).await.unwrap();
        element.text().await.unwrap()
    }

    pub(crate) async fn press(&self, key: Key) {
        self.0.action_chain().send_keys(key).perform().await.unwrap();
    }

    /// The whole page as a picture, under `target/screenshots`.
    pub(crate) async fn picture(&self, look: Look, name: &str) {
        let height = self.ask("return document.documentElement.scrollHeight").await;
        let height = u32::try_from(height.as_u64().unwrap()).unwrap();
        self.resize(look.width, height).await;
        let png = self.0.screenshot_as_png().await.unwrap();
        let folder = target().join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let Look { width, scheme } = look;
        std::fs::write(folder.join(format!("{name}-{width}-{scheme}.png")), png).unwrap();
        self.resize(width, HEIGHT).await;
    }

    /// What axe-core finds wrong, one line each.
    pub(crate) async fn violations(&self) -> Vec<String> {
        let axe = target().join("tools/npm/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&axe)
            .unwrap_or_else(|error| panic!("{axe:?} ({error}): `.ci/setup test` installs it"));
        self.0.execute(axe, Vec::new()).await.unwrap();
        let run = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] })
               .then(found => done(found.violations), error => done([{ id: String(error) }]));";
        let found = self.0.execute_async(run, Vec::new()).await.unwrap();
        let found = found.json().as_array().unwrap().clone();
        let line = |one: &Value| {
            let targets: Vec<String> = one["nodes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|node| node["target"].to_string())
                .collect();
            format!("{}: {} {}", one["id"], one["help"], targets.join(" "))
        };
        found.iter().map(line).collect()
    }

    /// What the console has heard since it was last asked, errors and warnings alone.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.0.browser_log().await.unwrap();
        let bad = log.into_iter().filter(|entry| matches!(&*entry.level, "SEVERE" | "WARNING"));
        bad.map(|entry| entry.message).collect()
    }
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target")
}
