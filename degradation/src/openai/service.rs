//! The layer's service: admits when the request is made, judges the headers, hands the permit on.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_openai::error::{ApiError, OpenAIError, WrappedError};
use async_openai::middleware::HttpRequestFactory;
use circuit_layer::{Error, Outcome, Permit, Rejected};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, TRANSFER_ENCODING};
use reqwest::{Request, Response};
use serde::Deserialize;
use tower_service::Service;

use super::attempt::Attempt;
use super::body::JudgedBody;
use super::end::End;
use super::error::AnswerError;
use super::layer::{OpenAiLayer, key};
use super::told;
use super::verdict::{of_status, of_transport};

/// More of an error's text is not read.
const LONGEST_ERROR: usize = 64 * 1024;

/// A transport behind breakers. See [`OpenAiLayer`].
///
/// The inner service is used in place, as it was readied. A call is admitted when the inner service
/// makes its request, which it does last, so a wait further in is nobody's failure.
///
/// # Cancellation
///
/// Dropping a call gives its permit back, before the answer and while it streams.
#[derive(Clone, Debug)]
pub struct OpenAiService<S> {
    inner: S,
    layer: OpenAiLayer,
}

/// Where the permit of a call waits until its answer is there.
type Slot = Arc<Mutex<Option<Permit>>>;

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
}

impl<S> OpenAiService<S> {
    pub(super) const fn new(inner: S, layer: OpenAiLayer) -> Self {
        Self { inner, layer }
    }
}

impl<S> Service<HttpRequestFactory> for OpenAiService<S>
where
    S: Service<HttpRequestFactory, Response = Response>,
    S::Error: Into<OpenAIError> + Send,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        let slot = Slot::default();
        let answer = self.inner.call(admitting(factory, self.layer.clone(), Arc::clone(&slot)));
        let (layer, attempt) = (self.layer.clone(), Attempt::current());
        Box::pin(async move {
            let answer = tokio::time::timeout(layer.first_byte, answer).await;
            let permit = take(&slot);
            match answer {
                Ok(Ok(response)) => judge(response, permit, attempt, &layer).await,
                Ok(Err(error)) => {
                    let error = error.into();
                    settle(permit, of_transport(&error));
                    Err(error)
                }
                Err(_) => {
                    settle(permit, Outcome::failure("timeout"));
                    Err(AnswerError::Timeout.into())
                }
            }
        })
    }
}

/// A factory whose requests have been admitted. Each attempt is one.
fn admitting(factory: HttpRequestFactory, layer: OpenAiLayer, slot: Slot) -> HttpRequestFactory {
    HttpRequestFactory::new(move || {
        let (factory, layer, slot) = (factory.clone(), layer.clone(), Arc::clone(&slot));
        async move {
            let request = factory.build().await?;
            let breaker = layer.breakers.get(&key(request.url(), model(&request).as_deref()));
            let permit = breaker.try_acquire().map_err(rejected)?;
            drop(slot.lock().unwrap_or_else(PoisonError::into_inner).replace(permit));
            Ok(request)
        }
    })
}

/// In a box whose `source` is the rejection, because that of `OpenAIError::Boxed` skips the box.
fn rejected(rejected: Rejected) -> OpenAIError {
    OpenAIError::Boxed(Box::new(Error::<Infallible>::Rejected(rejected)))
}

fn model(request: &Request) -> Option<String> {
    let asked: Asked<'_> = serde_json::from_slice(request.body()?.as_bytes()?).ok()?;
    asked.model.map(Cow::into_owned)
}

fn take(slot: &Slot) -> Option<Permit> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn settle(permit: Option<Permit>, outcome: Outcome) {
    if let Some(permit) = permit {
        permit.record(outcome);
    }
}

async fn judge(
    response: Response,
    permit: Option<Permit>,
    attempt: Attempt,
    layer: &OpenAiLayer,
) -> Result<Response, OpenAIError> {
    // An inner service that answers without making a request was not admitted.
    let Some(permit) = permit else { return Ok(response) };
    if response.status().is_success() {
        return Ok(judged_to_the_end(response, permit, attempt, layer));
    }
    let (response, told) = read_error(response, layer).await;
    permit.record(of_status(response.status(), response.headers(), &told));
    Ok(response)
}

fn judged_to_the_end(
    response: Response,
    permit: Permit,
    attempt: Attempt,
    layer: &OpenAiLayer,
) -> Response {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let end = End::of(response.url().path(), kind.unwrap_or_default());
    let response = http::Response::<reqwest::Body>::from(response).map(|body| {
        let (clock, pause) = (layer.clock.clone(), layer.longest_pause);
        reqwest::Body::wrap(JudgedBody::new(body, end, permit, attempt, clock, pause))
    });
    response.into()
}

/// The text of an error is short, and tells quota from overload. What can not be read in time is left
/// out: the status is enough.
async fn read_error(mut response: Response, layer: &OpenAiLayer) -> (Response, ApiError) {
    let mut text = Vec::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            text.extend_from_slice(&chunk);
            if text.len() > LONGEST_ERROR {
                break;
            }
        }
    };
    // Late is as good as broken.
    drop(tokio::time::timeout(layer.longest_pause, read).await);
    text.truncate(LONGEST_ERROR);
    let (told, readable) = told::read(&text);
    let (mut parts, _) = http::Response::<reqwest::Body>::from(response).into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.remove(TRANSFER_ENCODING);
    // `async-openai` takes the text of a server's error as it is.
    if !readable && !parts.status.is_server_error() {
        let wrapped = WrappedError { error: told.clone() };
        text = serde_json::to_vec(&wrapped).unwrap_or(text);
        parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    (http::Response::from_parts(parts, reqwest::Body::from(text)).into(), told)
}
