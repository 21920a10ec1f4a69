//! Where the dependencies are, and how patient the service is with them.
//!
//! | variable | default |
//! | --- | --- |
//! | `LISTEN` | `127.0.0.1:8080` |
//! | `REDIS_URL` | a redis-server of its own |
//! | `DATABASE_URL` (`postgres://`, `sqlite:`, or `postgres`: a server of its own) | SQLite in a temporary folder |
//! | `S3_ENDPOINT`, `S3_BUCKET` (`inventory`), `AWS_REGION` (`us-east-1`), `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` | an S3 server in the process |
//! | `SPOOL_DIR`: where uploads wait while S3 is down | a temporary folder; an error with a real S3 |
//! | `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_MODEL` (`gpt-4o-mini`), `OPENAI_FALLBACK_MODEL` | an OpenAI-compatible server in the process |
//!
//! `S3_BUCKET` without `S3_ENDPOINT` means AWS itself. A key alone switches nothing on: many people
//! have `OPENAI_API_KEY` set, and a demo must not spend their money. What needs TLS needs a build with the
//! feature `tls`: `make serve` makes one where a variable names a real server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use degradation::LevelRules;

/// Everything that can be chosen.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the service listens; port 0 is any free one.
    pub listen: SocketAddr,
    /// Where the dependencies are.
    pub sources: Sources,
    /// How patient the service is.
    pub pace: Pace,
}

/// Where each dependency is. None is the default that needs no set-up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// The URL of Redis.
    pub redis: Option<String>,
    /// The URL of the database.
    pub database: Option<String>,
    /// S3 or a service like it.
    pub s3: Option<S3Source>,
    /// Where uploads wait while S3 is down. A real S3 needs a folder that outlives the service: None is
    /// an error then.
    pub spool: Option<PathBuf>,
    /// OpenAI or a service like it.
    pub openai: Option<OpenAiSource>,
    /// Whether a database without products stays without them. It gets eight otherwise, once.
    pub unseeded: bool,
}

/// A real S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Source {
    /// Its URL; None for AWS itself.
    pub endpoint: Option<String>,
    /// A bucket that exists.
    pub bucket: String,
    /// The region.
    pub region: String,
    /// Access key and secret; None asks the SDK's chain, which needs the feature `tls`.
    pub keys: Option<Keys>,
}

/// An access key and its secret, which no `Debug` shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// The access key.
    pub access_key: String,
    /// The secret.
    pub secret_key: String,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// A real OpenAI-compatible API.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenAiSource {
    /// Its URL, up to and with `/v1`.
    pub base_url: String,
    /// The key, where it wants one.
    pub api_key: Option<String>,
    /// The model to ask.
    pub model: String,
    /// The model to ask when that one rejects or fails.
    pub fallback_model: Option<String>,
}

impl std::fmt::Debug for OpenAiSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAiSource")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl Sources {
    /// What the environment says.
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from any table of variables. An empty variable counts as none.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let or = |name: &str, default: &str| get(name).unwrap_or_else(|| default.to_owned());
        let keys = get("AWS_ACCESS_KEY_ID").zip(get("AWS_SECRET_ACCESS_KEY"));
        let real_s3 = get("S3_ENDPOINT").is_some() || get("S3_BUCKET").is_some();
        Self {
            redis: get("REDIS_URL"),
            database: get("DATABASE_URL"),
            s3: real_s3.then(|| S3Source {
                endpoint: get("S3_ENDPOINT"),
                bucket: or("S3_BUCKET", "inventory"),
                region: or("AWS_REGION", "us-east-1"),
                keys: keys.map(|(access_key, secret_key)| Keys { access_key, secret_key }),
            }),
            spool: get("SPOOL_DIR").map(PathBuf::from),
            openai: get("OPENAI_BASE_URL").map(|base_url| OpenAiSource {
                base_url,
                api_key: get("OPENAI_API_KEY"),
                model: or("OPENAI_MODEL", "gpt-4o-mini"),
                fallback_model: get("OPENAI_FALLBACK_MODEL"),
            }),
            unseeded: false,
        }
    }
}

/// Every time and number that says when enough is enough.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Consecutive failures that trip a breaker.
    pub fail_max: u32,
    /// How long a breaker rejects before it probes.
    pub reset_timeout: Duration,
    /// Probes that must succeed.
    pub probes: u32,
    /// How often an open breaker may ask its dependency whether it is back. None: calls alone find out.
    pub ask_every: Option<Duration>,
    /// The deadline of a Redis call.
    pub redis_deadline: Duration,
    /// The deadline of one attempt on S3; a call has three times as long.
    pub s3_attempt: Duration,
    /// The deadline of a query.
    pub database_timeout: Duration,
    /// The deadline of a completion, and the longest pause in a streamed one.
    pub openai_timeout: Duration,
    /// How long a page stays in Redis.
    pub page_ttl: Duration,
    /// When the level worsens and improves.
    pub levels: LevelRules,
    /// How often the manager asks the breakers, besides when they change.
    pub check_every: Duration,
    /// How long `/readyz` says no before the service that stops refuses connections, so that balancers
    /// look elsewhere first.
    pub notice: Duration,
    /// How long requests in flight have when the service stops.
    pub drain: Duration,
}

impl Default for Pace {
    /// The defaults of the crates, where they have one.
    fn default() -> Self {
        Self {
            fail_max: 5,
            reset_timeout: Duration::from_secs(60),
            probes: 3,
            ask_every: Some(Duration::from_secs(1)),
            redis_deadline: Duration::from_millis(500),
            s3_attempt: Duration::from_secs(10),
            database_timeout: Duration::from_secs(2),
            openai_timeout: Duration::from_secs(20),
            page_ttl: Duration::from_secs(30),
            levels: LevelRules::default(),
            check_every: Duration::from_secs(1),
            notice: Duration::ZERO,
            drain: Duration::from_secs(10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(table: &[(&str, &str)]) -> Sources {
        let find = |name: &str| table.iter().find(|(key, _)| *key == name);
        Sources::from_lookup(|name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn an_empty_environment_means_the_defaults_and_a_key_alone_switches_nothing_on() {
        assert_eq!(from(&[]), Sources::default());
        assert_eq!(from(&[("OPENAI_API_KEY", "k"), ("REDIS_URL", "")]), Sources::default());
    }

    #[test]
    fn an_endpoint_is_a_real_s3_with_the_keys_of_the_aws_variables() {
        let sources = from(&[
            ("S3_ENDPOINT", "http://minio:9000"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "s"),
        ]);
        let s3 = sources.s3.unwrap();
        assert_eq!((s3.bucket.as_str(), s3.region.as_str()), ("inventory", "us-east-1"));
        assert_eq!(s3.keys.as_ref().unwrap().secret_key, "s");
        assert!(!format!("{s3:?}").contains("\"s\""), "no secret in Debug");
    }

    #[test]
    fn a_bucket_without_an_endpoint_is_aws_itself() {
        let s3 = from(&[("S3_BUCKET", "photos")]).s3.unwrap();
        assert_eq!((s3.endpoint, s3.bucket.as_str()), (None, "photos"));
    }
}
