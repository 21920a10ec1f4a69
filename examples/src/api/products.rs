//! Products and their stock.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::{Api, ApiError, DEGRADED, SERVED_BY};
use crate::database::Restocked;
use crate::pages::ServedBy;

pub(super) async fn list(State(api): State<Api>) -> Result<Response, ApiError> {
    page("Products", api.list().await?)
}

pub(super) async fn one(State(api): State<Api>, Path(id): Path<i64>) -> Result<Response, ApiError> {
    page("Product", api.page(id).await?)
}

fn page(what: &'static str, found: Option<(Bytes, ServedBy)>) -> Result<Response, ApiError> {
    let (page, by) = found.ok_or_else(|| ApiError::not_found(what))?;
    let mut response = ([(CONTENT_TYPE, "application/json")], page).into_response();
    let headers = response.headers_mut();
    headers.insert(SERVED_BY, HeaderValue::from_static(by.as_str()));
    if by == ServedBy::Memory {
        headers.insert(DEGRADED, HeaderValue::from_static("stale"));
    }
    Ok(response)
}

#[derive(Deserialize)]
pub(super) struct Change {
    add: i64,
}

pub(super) async fn restock(
    State(api): State<Api>,
    Path(id): Path<i64>,
    Json(change): Json<Change>,
) -> Result<Response, ApiError> {
    let restocked = api.restock(id, change.add).await;
    match restocked.map_err(|error| ApiError::unavailable("Database unavailable", &error))? {
        Restocked::Now(stock) => Ok(Json(json!({ "id": id, "stock": stock })).into_response()),
        Restocked::TooFew => {
            Err(ApiError::caller(StatusCode::CONFLICT, "Stock", "fewer are in stock than that"))
        }
        Restocked::TooMany => {
            Err(ApiError::caller(StatusCode::CONFLICT, "Stock", "more than can be counted"))
        }
        Restocked::NoProduct => Err(ApiError::not_found("Product")),
    }
}
