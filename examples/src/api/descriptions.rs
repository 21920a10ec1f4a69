//! What a language model has to say about a product, or a plain sentence while there is none.
//!
//! The replacement is marked, because a caller must be able to tell. And the API is asked even while
//! the manager reports it down: its breaker answers in no time, and needs calls to probe with.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;

use super::{Api, ApiError, DEGRADED};
use crate::database::Product;
use crate::openai::{Completion, OpenAiError};

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
    let product = api.dependencies.database.product(id).await;
    let product = product.map_err(|error| ApiError::unavailable("Database unavailable", &error))?;
    let product = product.ok_or_else(|| ApiError::not_found("Product"))?;
    let prompt = format!("{}, sold for {}.", product.name, price(&product));
    let openai = &api.dependencies.openai;
    let described = if options.stream {
        openai.stream(&prompt).await.map(streamed)
    } else {
        openai.complete(&prompt).await.map(|text| ([(CONTENT_TYPE, TEXT)], text).into_response())
    };
    Ok(described.unwrap_or_else(|error| {
        tracing::debug!(%error, "a plain description");
        plain(&product)
    }))
}

/// Part by part. An answer that breaks off breaks the response off too, so that it can not pass
/// for a complete one.
fn streamed(completion: Completion) -> Response {
    let parts = stream::unfold(completion, |mut completion| async {
        let part: Result<String, OpenAiError> = completion.next().await?;
        Some((part, completion))
    });
    ([(CONTENT_TYPE, TEXT)], Body::from_stream(parts)).into_response()
}

fn plain(product: &Product) -> Response {
    let text = format!("{}, {}, {} in stock.", product.name, price(product), product.stock);
    ([(CONTENT_TYPE, TEXT), (axum::http::HeaderName::from_static(DEGRADED), "plain")], text)
        .into_response()
}

fn price(product: &Product) -> String {
    format!("{}.{:02}", product.price_cents.div_euclid(100), product.price_cents.rem_euclid(100))
}
