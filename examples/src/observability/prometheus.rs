//! A real Prometheus, as a child of this process, with the configuration that is shipped.

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;
use std::{env, fs, io, thread};

use circuit_layer::Clock;
use reqwest::{Client, Url};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// The configuration, and the rules that it names.
const SHIPPED: [(&str, &str); 3] = [
    (CONFIGURATION, include_str!("../../observability/prometheus.yml")),
    ("rules.yml", include_str!("../../observability/rules.yml")),
    ("alerts.yml", include_str!("../../observability/alerts.yml")),
];
const CONFIGURATION: &str = "prometheus.yml";

/// What is shipped, and what stands there in a hurry: nobody waits for 15 s between two scrapes.
const PACE: (&str, &str) = ("interval: 15s", "interval: 1s");
const TARGET: &str = "127.0.0.1:8080";

/// How long it may take to be ready, on a machine that does much else.
const TO_START: Duration = Duration::from_secs(30);

/// It did not start, or did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrometheusError {
    /// There is none.
    #[error("prometheus is not installed: `make test` and `make validate` install it")]
    NotInstalled,
    /// A file could not be written, or the process not be started.
    #[error("prometheus can not be started")]
    Io(#[from] io::Error),
    /// The configuration that is shipped says something else than what is replaced in it.
    #[error("the shipped prometheus.yml does not say `{0}`")]
    Configuration(&'static str),
    /// It is not ready after half a minute, or has ended.
    #[error("prometheus is not ready; it said: {0}")]
    NotReady(String),
    /// It does not answer.
    #[error("prometheus does not answer")]
    Http(#[from] reqwest::Error),
    /// It refuses a query.
    #[error("prometheus refuses {query}: {said}")]
    Refused {
        /// The query.
        query: String,
        /// Its words.
        said: String,
    },
}

/// A rule as Prometheus has it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rule {
    /// The alert, or the series that is recorded.
    pub name: String,
    /// Its expression.
    pub expression: String,
    /// `inactive`, `pending` or `firing`; None for a rule that records.
    pub state: Option<String>,
    /// `ok` once it was evaluated well.
    pub health: String,
}

impl Rule {
    fn read(rule: &Value) -> Self {
        let text = |name: &str| rule.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            name: text("name").unwrap_or_default(),
            expression: text("query").unwrap_or_default(),
            state: text("state"),
            health: text("health").unwrap_or_default(),
        }
    }

    /// Whether it is an alert that is about to be told, or is.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.state.as_deref().is_some_and(|state| state == "pending" || state == "firing")
    }
}

/// What is no list is an empty one.
fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A running Prometheus, until it is dropped.
#[derive(Debug)]
pub struct Prometheus {
    url: String,
    client: Client,
    /// Its thread kills the child when the sender is dropped, and notices the death of this process.
    keeper: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
    _folder: TempDir,
}

impl Prometheus {
    /// Starts one that scrapes `target` (`127.0.0.1:8080`) each second.
    ///
    /// # Errors
    ///
    /// [`PrometheusError`].
    ///
    /// # Cancellation
    ///
    /// Dropping it ends the child.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn start(target: &str) -> Result<Self, PrometheusError> {
        let program = in_path("prometheus").ok_or(PrometheusError::NotInstalled)?;
        let folder = TempDir::with_prefix("prometheus-")?;
        for (name, text) in SHIPPED {
            let text = if name == CONFIGURATION { adapted(text, target)? } else { text.to_owned() };
            fs::write(folder.path().join(name), text)?;
        }
        let address = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        let log = folder.path().join("prometheus.log");
        let command = command(&program, folder.path(), &address.to_string(), &log)?;
        let keeper = Some(keep(command).await?);
        let url = format!("http://{address}");
        let running = Self { url, client: Client::new(), keeper, _folder: folder };
        running.ready(&log).await?;
        Ok(running)
    }

    async fn ready(&self, log: &Path) -> Result<(), PrometheusError> {
        let (clock, url) = (Clock::default(), format!("{}/-/ready", self.url));
        let deadline = clock.now() + TO_START;
        while !self.client.get(&url).send().await.is_ok_and(|said| said.status().is_success()) {
            if clock.now() > deadline {
                return Err(PrometheusError::NotReady(fs::read_to_string(log)?));
            }
            clock.sleep_until(clock.now() + Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// The values of a query now, without those that are no number.
    ///
    /// # Errors
    ///
    /// It does not answer, or refuses the query.
    pub async fn query(&self, query: &str) -> Result<Vec<f64>, PrometheusError> {
        let data = self.ask("query", &[("query", query)]).await?;
        let value = |one: &Value| one.pointer("/value/1")?.as_str()?.parse::<f64>().ok();
        let values = list(data.get("result")).iter().filter_map(value);
        Ok(values.filter(|value| value.is_finite()).collect())
    }

    /// The values that a label has, as `label_values(selector, label)` of the dashboard asks for.
    ///
    /// # Errors
    ///
    /// See [`query`](Self::query).
    pub async fn label_values(
        &self,
        label: &str,
        selector: &str,
    ) -> Result<Vec<String>, PrometheusError> {
        let data = self.ask(&format!("label/{label}/values"), &[("match[]", selector)]).await?;
        let values = list(Some(&data)).iter();
        Ok(values.filter_map(|value| value.as_str().map(str::to_owned)).collect())
    }

    /// Every rule.
    ///
    /// # Errors
    ///
    /// See [`query`](Self::query).
    pub async fn rules(&self) -> Result<Vec<Rule>, PrometheusError> {
        let data = self.ask("rules", &[]).await?;
        let rules = list(data.get("groups")).iter().flat_map(|group| list(group.get("rules")));
        Ok(rules.map(Rule::read).collect())
    }

    async fn ask(&self, path: &str, of: &[(&str, &str)]) -> Result<Value, PrometheusError> {
        let refused = |said: String| {
            let query = of.first().map_or(path, |(_, query)| query).to_owned();
            PrometheusError::Refused { query, said }
        };
        let url = format!("{}/api/v1/{path}", self.url);
        let url = Url::parse_with_params(&url, of).map_err(|error| refused(error.to_string()))?;
        let mut said: Value = self.client.get(url).send().await?.json().await?;
        match said.get_mut("data") {
            Some(data) => Ok(data.take()),
            None => Err(refused(said.to_string())),
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.keeper.take() {
            drop(stop);
            // A thread that has panicked has no child any more.
            drop(thread.join());
        }
    }
}

fn adapted(text: &str, target: &str) -> Result<String, PrometheusError> {
    for needed in [PACE.0, TARGET] {
        if !text.contains(needed) {
            return Err(PrometheusError::Configuration(needed));
        }
    }
    // The comment above the configuration may name the port too, which does no harm.
    Ok(text.replace(PACE.0, PACE.1).replace(TARGET, target))
}

fn command(program: &Path, folder: &Path, address: &str, log: &Path) -> io::Result<Command> {
    let mut command = match in_path("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    let log = File::create(log)?;
    let at = |option: &str, name: &str| format!("--{option}={}", folder.join(name).display());
    command
        .arg(at("config.file", CONFIGURATION))
        .arg(at("storage.tsdb.path", "data"))
        .arg(format!("--web.listen-address={address}"))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    Ok(command)
}

/// Starts it from a thread of its own: the child is to die with the thread that started it, and
/// tokio's come and go.
async fn keep(mut command: Command) -> io::Result<(mpsc::Sender<()>, JoinHandle<()>)> {
    let (stop, stopped) = mpsc::channel::<()>();
    let (started, starting) = oneshot::channel();
    let keeper = move || {
        let (child, told) = match command.spawn() {
            Ok(child) => (Some(child), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // Without somebody to tell there is nobody to wait for either.
        if started.send(told).is_ok() {
            let _sender_is_gone = stopped.recv();
        }
        child.into_iter().for_each(end);
    };
    let thread = thread::Builder::new().name("prometheus-keeper".to_owned()).spawn(keeper)?;
    starting.await.map_err(io::Error::other)??;
    Ok((stop, thread))
}

fn end(mut child: Child) {
    if let Err(error) = child.kill().and_then(|()| child.wait().map(drop)) {
        tracing::warn!(%error, "prometheus could not be ended");
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_configuration_is_adapted_in_target_and_pace_and_in_nothing_else() {
        let [(_, shipped), ..] = SHIPPED;
        let text = adapted(shipped, "127.0.0.1:4711").unwrap();
        let changed = shipped.lines().zip(text.lines()).filter(|(was, is)| was != is).count();
        assert_eq!((shipped.lines().count(), changed), (text.lines().count(), 3));
        assert!(text.contains(r#"targets: ["127.0.0.1:4711"]"#), "{text}");
        assert!(adapted("scrape_configs: []", TARGET).is_err());
    }
}
