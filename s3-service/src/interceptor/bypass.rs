//! The opt-out of one operation.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

/// Lets one operation past the breaker: it is neither rejected nor judged. Its bytes count.
///
/// For calls that must be tried whatever the breaker says, such as an operator's own check:
///
/// ```no_run
/// # #[cfg(feature = "s3")]
/// # async fn check(client: aws_sdk_s3::Client) -> Result<(), aws_sdk_s3::Error> {
/// use s3_service::BypassBreaker;
///
/// client.head_bucket().bucket("b").customize().interceptor(BypassBreaker).send().await?;
/// # Ok(())
/// # }
/// ```
#[expect(clippy::exhaustive_structs, reason = "a mark has no data to grow")]
#[derive(Clone, Copy, Debug, Default)]
pub struct BypassBreaker;

#[derive(Debug)]
struct Bypassed;

impl Storable for Bypassed {
    type Storer = StoreReplace<Self>;
}

impl Intercept for BypassBreaker {
    fn name(&self) -> &'static str {
        "BypassBreaker"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().store_put(Bypassed);
        Ok(())
    }
}

/// The mark can only be where an interceptor puts it, so the client's own layers are not searched.
pub(super) fn is_bypassed(cfg: &mut ConfigBag) -> bool {
    cfg.get_mut_from_interceptor_state::<Bypassed>().is_some()
}
