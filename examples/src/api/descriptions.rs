//! What a language model has to say about a product; or what one said before; or a plain sentence.
//!
//! A replacement is marked, because a caller must be able to tell. And the API is asked even while
//! the manager reports it down: its breaker answers in no time, and needs calls to probe with.

use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use degradation::openai::{AnswerStream, OpenAi, Source};
use futures_util::stream;
use serde::Deserialize;

use super::{Api, ApiError, DEGRADED};
use crate::database::Product;

const TEXT: &str = "text/plain; charset=utf-8";

#[derive(Deserialize)]
pub(super) struct Options {
    #[serde(default)]
    stream: bool,
}

pub(super) async fn describe(
    State(api): State<Api>,
    Path(id): Path<i64>,
    Query(options): Query<Options>,
) -> Result<Response, ApiError> {
    let (product, _) = api.product(id).await?.ok_or_else(|| ApiError::not_found("Product"))?;
    let prompt = format!("{}, sold for {}.", product.name, price(&product));
    let (openai, asked) = (&api.dependencies.openai, OpenAi::<OpenAIConfig>::ask(&prompt));
    let described = if options.stream {
        openai.stream(asked).await.map(streamed)
    } else {
        openai.complete(asked).await.map(|answer| text(answer.text, &answer.source))
    };
    Ok(described.unwrap_or_else(|error| {
        tracing::debug!(%error, "a plain description");
        text(plain(&product), &Source::Plain)
    }))
}

fn text(body: impl Into<Body>, source: &Source) -> Response {
    let mut response = ([(CONTENT_TYPE, TEXT)], body.into()).into_response();
    let cached = matches!(source, Source::Cached { .. }).then_some("cached");
    let plain = (*source == Source::Plain).then_some("plain");
    if let Some(mark) = cached.or(plain) {
        let header = HeaderName::from_static(DEGRADED);
        response.headers_mut().insert(header, HeaderValue::from_static(mark));
    }
    response
}

/// Part by part. An answer that breaks off breaks the response off too, so that it can not pass
/// for a complete one.
fn streamed(answer: AnswerStream) -> Response {
    let source = answer.source().clone();
    let parts = stream::unfold(answer, |mut answer| async {
        let part: Result<String, OpenAIError> = answer.next().await?;
        Some((part, answer))
    });
    text(Body::from_stream(parts), &source)
}

fn plain(product: &Product) -> String {
    format!("{}, {}, {} in stock.", product.name, price(product), product.stock)
}

fn price(product: &Product) -> String {
    format!("{}.{:02}", product.price_cents.div_euclid(100), product.price_cents.rem_euclid(100))
}
