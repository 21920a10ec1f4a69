//! A breaker in the configuration of an AWS SDK client: each attempt asks it first.
//!
//! Run it with `cargo run -p examples --example aws_sdk`: it brings an S3 server of its own.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::{Client, Config};
use circuit_layer::{CircuitBreaker, Rejected};
use s3_service::test_server::{Fault, S3Server};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = S3Server::start().await?;
    server.create_bucket("reports").await?;

    let breaker = CircuitBreaker::builder("s3").fail_max(4).build()?;
    // A real configuration comes from `aws_config::load_defaults`; the rest is the same.
    let config = server.config().retry_config(RetryConfig::standard().with_max_attempts(3));
    let config: Config = s3_service::install(config, &breaker).build();
    let client = Client::from_conf(config);

    let stored = put(&client).await;
    println!("all is well:  {stored}; breaker {}", breaker.state());

    // Retries are attempts too: the second call has only one left before the breaker opens.
    server.inject(Fault::InternalError);
    for call in 0..3_usize {
        let asked = server.requests();
        let stored = put(&client).await;
        let attempts = server.requests() - asked;
        println!("S3 fails, {call}:  {stored}; {attempts} attempts; breaker {}", breaker.state());
        assert_eq!(
            Some(&attempts),
            [3, 1, 0].get(call),
            "an open breaker stops retries, then calls"
        );
    }
    Ok(())
}

async fn put(client: &Client) -> String {
    let body = ByteStream::from_static(b"42");
    match client.put_object().bucket("reports").key("q1").body(body).send().await {
        Ok(_) => "stored".to_owned(),
        Err(error) => match Rejected::find(&error) {
            Some(rejected) => format!("rejected: {rejected}"),
            None => format!("failed: {}", aws_sdk_s3::Error::from(error)),
        },
    }
}
