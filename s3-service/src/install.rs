//! Puts the breaker into an S3 client.
//!
//! Once is the rule: a second interceptor would rest, but its reader would believe otherwise. And for
//! good: before each of its 19 hooks the SDK looks through all layers of its configuration whether
//! somebody has disabled this interceptor, which cost more than all that the interceptor does (5 400
//! of 8 400 instructions of a HEAD). A permanent one is not looked for; [`BypassBreaker`] is how an
//! operation passes it by.
//!
//! [`BypassBreaker`]: crate::BypassBreaker

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::endpoint::Params;
use aws_smithy_runtime_api::client::endpoint::EndpointResolverParams;
use aws_smithy_runtime_api::client::interceptors::SharedInterceptor;
use aws_smithy_types::config_bag::ConfigBag;
use circuit_layer::{CircuitBreaker, KeyedBreakers};

use crate::interceptor::CircuitBreakerInterceptor;

/// Puts `breaker` into a configuration under construction, for good: the SDK's
/// `disable_interceptor` does not reach it, [`BypassBreaker`](crate::BypassBreaker) does.
///
/// ```
/// use circuit_layer::CircuitBreaker;
///
/// let breaker = CircuitBreaker::new("s3");
/// let config = s3_service::install(aws_sdk_s3::Config::builder(), &breaker);
/// ```
#[must_use]
pub fn install(config: Builder, breaker: &CircuitBreaker) -> Builder {
    permanently(config, CircuitBreakerInterceptor::new(breaker.clone()))
}

fn permanently(mut config: Builder, interceptor: CircuitBreakerInterceptor) -> Builder {
    config.push_interceptor(SharedInterceptor::permanent(interceptor));
    config
}

/// Puts a breaker for each bucket into a configuration under construction, so that one bucket's
/// trouble is not another's.
///
/// A copy belongs to the bucket it goes to. Operations that have no bucket, such as `ListBuckets`,
/// share a breaker of their own, under the empty key.
///
/// ```
/// use circuit_layer::KeyedBreakers;
///
/// let buckets = KeyedBreakers::new("s3 buckets", |builder| builder.fail_max(3))?;
/// let config = s3_service::install_per_bucket(aws_sdk_s3::Config::builder(), &buckets);
/// buckets.get("reports").force_open("moving to another region", None);
/// # Ok::<(), circuit_layer::ConfigError>(())
/// ```
#[must_use]
pub fn install_per_bucket(config: Builder, breakers: &KeyedBreakers<String>) -> Builder {
    let breakers = breakers.clone();
    let choose = move |cfg: &ConfigBag| breakers.get(bucket(cfg));
    permanently(config, CircuitBreakerInterceptor::choosing(choose))
}

/// The bucket of the operation, which the endpoint is resolved by.
fn bucket(cfg: &ConfigBag) -> &str {
    let params = cfg.load::<EndpointResolverParams>().and_then(|params| params.get::<Params>());
    params.and_then(Params::bucket).unwrap_or_default()
}

/// A client with `breaker` in it, over the same connections as `client`.
///
/// A client that has a breaker already is returned as it is: its own stays the only one.
#[must_use]
pub fn install_client(client: &Client, breaker: &CircuitBreaker) -> Client {
    if is_installed(client) {
        return client.clone();
    }
    Client::from_conf(install(client.config().to_builder(), breaker).build())
}

/// Whether the client has a breaker of this crate in it.
#[must_use]
pub fn is_installed(client: &Client) -> bool {
    CircuitBreakerInterceptor::is_installed(client.config().interceptors())
}

/// The client with this interceptor as its only breaker, over the same connections.
pub(crate) fn replace(client: &Client, interceptor: CircuitBreakerInterceptor) -> Client {
    Client::from_conf(permanently(without(client), interceptor).build())
}

/// The client without a breaker, over the same connections.
pub(crate) fn remove(client: &Client) -> Client {
    Client::from_conf(without(client).build())
}

fn without(client: &Client) -> Builder {
    use aws_sdk_s3::config::Intercept;

    let config = client.config();
    let mut builder = config.to_builder();
    let others = config.interceptors().filter(|i| i.name() != CircuitBreakerInterceptor::NAME);
    builder.set_interceptors(others.collect::<Vec<_>>());
    builder
}
