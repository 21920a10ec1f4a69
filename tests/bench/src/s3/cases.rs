//! The rows: an operation, and what it goes through.

use std::hint::black_box;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{
    BehaviorVersion, Builder, Config, Credentials, Region, SharedInterceptor,
};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use circuit_layer::CircuitBreaker;
use s3_service::{ByteTotals, CircuitBreakerInterceptor, S3, Start, Upload, install};
use tokio::runtime::Runtime;

use crate::connector::{OBJECT, connect};

const BUCKET: &str = "bucket";
const KEY: &str = "key";

#[derive(Clone, Copy)]
pub enum Operation {
    Get,
    Put,
    Head,
}

impl Operation {
    pub const ALL: [Self; 3] = [Self::Get, Self::Put, Self::Head];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Head => "head",
        }
    }
}

#[derive(Clone, Copy)]
pub enum Through {
    /// The SDK's client alone: what the others are compared with.
    Bare,
    Interceptor,
    /// The same, and bytes are counted as they flow.
    Counting,
    /// `S3`: the interceptor, and the books of health.
    Service,
    /// The interceptor of an open breaker.
    Open,
}

impl Through {
    pub const ALL: [Self; 5] =
        [Self::Bare, Self::Interceptor, Self::Counting, Self::Service, Self::Open];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Interceptor => "interceptor",
            Self::Counting => "interceptor-with-bytes",
            Self::Service => "service",
            Self::Open => "open",
        }
    }
}

enum Path {
    Client { client: Client, is_open: bool },
    Service(S3),
}

pub struct Run {
    operation: Operation,
    path: Path,
    runtime: Runtime,
}

fn config() -> Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(Credentials::new("key", "secret", None, None, "bench"))
        .region(Region::new("us-east-1"))
        .endpoint_url("http://s3")
        .force_path_style(true)
        .http_client(connect())
}

impl Run {
    pub fn new(operation: Operation, through: Through) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime");
        let breaker = CircuitBreaker::new("s3");
        let config = match through {
            Through::Bare | Through::Service => config(),
            Through::Interceptor => install(config(), &breaker),
            Through::Counting => {
                let interceptor = CircuitBreakerInterceptor::new(breaker);
                let interceptor = interceptor.count_bytes(Arc::new(ByteTotals::default()));
                let mut config = config();
                config.push_interceptor(SharedInterceptor::permanent(interceptor));
                config
            }
            Through::Open => {
                breaker.force_open("bench", None);
                install(config(), &breaker)
            }
        };
        let client = Client::from_conf(config.build());
        let path = if matches!(through, Through::Service) {
            let settings = S3::builder().bucket(BUCKET).client(client).start(Start::Lazy);
            Path::Service(runtime.block_on(settings.build()).expect("a service"))
        } else {
            Path::Client { client, is_open: matches!(through, Through::Open) }
        };
        Self { operation, path, runtime }
    }

    pub fn run(&self, count: u64) {
        self.runtime.block_on(async {
            for _ in 0..count {
                match &self.path {
                    Path::Client { client, is_open } => {
                        assert_eq!(self.ask(client).await, !is_open, "another answer");
                    }
                    Path::Service(s3) => self.ask_service(s3).await,
                }
            }
        });
    }

    /// Whether there was an answer.
    async fn ask(&self, client: &Client) -> bool {
        match self.operation {
            Operation::Get => {
                let Ok(object) = client.get_object().bucket(BUCKET).key(KEY).send().await else {
                    return false;
                };
                black_box(object.body.collect().await.is_ok_and(|b| b.into_bytes() == OBJECT))
            }
            Operation::Put => {
                let body = ByteStream::from(Bytes::from_static(OBJECT));
                client.put_object().bucket(BUCKET).key(KEY).body(body).send().await.is_ok()
            }
            Operation::Head => client.head_object().bucket(BUCKET).key(KEY).send().await.is_ok(),
        }
    }

    async fn ask_service(&self, s3: &S3) {
        match self.operation {
            Operation::Get => {
                let object = s3.download(KEY).await.expect("an answer");
                assert_eq!(object.into_bytes().await.expect("a body"), OBJECT);
            }
            Operation::Put => {
                let upload = Upload::new(KEY, Bytes::from_static(OBJECT));
                black_box(s3.upload(upload).await.expect("an answer"));
            }
            Operation::Head => {
                black_box(s3.head(KEY).await.expect("an answer"));
            }
        }
    }
}
