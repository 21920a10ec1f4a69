//! Why a call got no answer from S3, or an unwelcome one.

use std::error::Error as StdError;
use std::fmt;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;
use aws_smithy_runtime_api::client::result::DispatchFailure;
use circuit_layer::Rejected;

use crate::classify::{Advice, ErrorType, Facts, Judgement, Kind, Verdict, classify};
use crate::interceptor::connector_kind;

/// The error of every call of the service.
#[non_exhaustive]
#[derive(Debug)]
pub enum S3Error {
    /// The breaker answered: S3 was not asked.
    Rejected(Rejected),
    /// S3 was asked.
    Failed(Box<Failure>),
    /// The upload queue was to stand in, and could not.
    #[cfg(feature = "spool")]
    Spool {
        /// Why not.
        error: Box<crate::SpoolError>,
        /// Why S3 did not do it, where it was asked; the [source](StdError::source) of this error.
        cause: Option<Box<Self>>,
    },
}

/// What is known of a failure.
#[derive(Debug)]
pub struct Failure {
    verdict: Verdict,
    status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    source: Box<dyn StdError + Send + Sync>,
}

impl S3Error {
    /// The breaker's rejection, if it is one.
    #[must_use]
    pub fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Failed(_) => None,
            #[cfg(feature = "spool")]
            Self::Spool { cause: Some(cause), .. } => cause.rejected(),
            #[cfg(feature = "spool")]
            Self::Spool { cause: None, .. } => None,
        }
    }

    /// The metric label; `None` for a rejection, which is no error of S3.
    #[must_use]
    pub fn error_type(&self) -> Option<ErrorType> {
        self.failure().and_then(|failure| failure.verdict.error_type)
    }

    /// The HTTP status, where an answer came.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.failure().and_then(|failure| failure.status)
    }

    /// S3's error code, such as `NoSuchKey`; a HEAD request has none.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.failure().and_then(|failure| failure.code.as_deref())
    }

    /// Whether S3 says that the object or the bucket is not there.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(404))
    }

    /// What S3 had to say.
    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Rejected(_) => None,
            Self::Failed(failure) => Some(failure),
            #[cfg(feature = "spool")]
            Self::Spool { cause, .. } => cause.as_ref()?.failure(),
        }
    }

    /// How much of it is evidence against S3, as the breaker sees it.
    pub(crate) fn judgement(&self) -> Judgement {
        self.failure().map_or(Judgement::Ignored, |failure| failure.verdict.judgement)
    }

    /// What S3 would answer.
    #[cfg(feature = "spool")]
    pub(crate) fn answer(status: u16, code: &str, message: String) -> Self {
        let status = Some(status);
        let facts = Facts { kind: Kind::Service, status, code: Some(code), advice: Advice::None };
        let (verdict, source) = (classify(&facts), message.clone().into());
        let (code, message) = (Some(code.to_owned()), Some(message));
        Self::Failed(Box::new(Failure { verdict, status, code, message, source }))
    }

    #[cfg(feature = "spool")]
    pub(crate) fn spool(error: crate::SpoolError, cause: Option<Self>) -> Self {
        Self::Spool { error: Box::new(error), cause: cause.map(Box::new) }
    }

    pub(crate) fn body(error: ByteStreamError) -> Self {
        Self::unanswered(Verdict::failure(ErrorType::Body), Box::new(error))
    }

    /// The caller's own stream failed.
    pub(crate) fn source(error: Box<dyn StdError + Send + Sync>) -> Self {
        Self::unanswered(classify(&Facts::of(Kind::Caller)), error)
    }

    fn unanswered(verdict: Verdict, source: Box<dyn StdError + Send + Sync>) -> Self {
        Self::Failed(Box::new(Failure { verdict, status: None, code: None, message: None, source }))
    }
}

impl<E> From<SdkError<E, HttpResponse>> for S3Error
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        if let Some(rejected) = Rejected::find(&error) {
            return Self::Rejected(*rejected);
        }
        let kind = match &error {
            SdkError::ConstructionFailure(_) => Kind::Caller,
            SdkError::TimeoutError(_) => Kind::Timeout,
            SdkError::DispatchFailure(failure) => dispatch_kind(failure),
            SdkError::ResponseError(_) => Kind::Response,
            SdkError::ServiceError(_) => Kind::Service,
            _ => Kind::Other,
        };
        let status = error.raw_response().map(|response| response.status().as_u16());
        let service = error.as_service_error().map(ProvideErrorMetadata::meta);
        let code = service.and_then(|meta| meta.code()).map(ToOwned::to_owned);
        let message = service.and_then(|meta| meta.message()).map(ToOwned::to_owned);
        let facts = Facts { kind, status, code: code.as_deref(), advice: Advice::None };
        let verdict = classify(&facts);
        Self::Failed(Box::new(Failure { verdict, status, code, message, source: Box::new(error) }))
    }
}

fn dispatch_kind(failure: &DispatchFailure) -> Kind {
    // What never reached the wire comes as an unclassified "other" of the connector.
    let never_sent = failure.is_other() && failure.as_other().is_none();
    match failure.as_connector_error() {
        Some(error) if !never_sent => connector_kind(error),
        Some(_) | None => Kind::NotSent,
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failure = match self {
            Self::Rejected(rejected) => return rejected.fmt(f),
            Self::Failed(failure) => failure,
            #[cfg(feature = "spool")]
            Self::Spool { error, .. } => return write!(f, "the upload queue: {error}"),
        };
        let error_type = failure.verdict.error_type.unwrap_or(ErrorType::Other);
        write!(f, "S3 call failed: {error_type}")?;
        if let Some(status) = failure.status {
            write!(f, ", status {status}")?;
        }
        if let Some(code) = &failure.code {
            write!(f, ", {code}")?;
        }
        match &failure.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl StdError for S3Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Failed(failure) => Some(failure.source.as_ref()),
            #[cfg(feature = "spool")]
            Self::Spool { cause: Some(cause), .. } => Some(cause.as_ref()),
            #[cfg(feature = "spool")]
            Self::Spool { error, cause: None } => error.source(),
        }
    }
}
