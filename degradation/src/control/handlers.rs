//! One function for each order.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};

use super::body::{Because, Drill, ForceLevel, ForceMode, Listing, OrderBreaker};
use super::problem::Problem;
use crate::manager::DegradationManager;

type Answer = Result<Response, Problem>;
type Body<T> = Result<Json<T>, JsonRejection>;
type Manager = State<DegradationManager>;

pub(super) async fn status(State(manager): Manager) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(manager.status())).into_response()
}

/// What an order that was carried out answers.
async fn done(manager: DegradationManager) -> Answer {
    Ok(status(State(manager)).await)
}

pub(super) async fn level(State(manager): Manager, body: Body<ForceLevel>) -> Answer {
    let Json(order) = body?;
    manager.force_level(order.level, order.reason.as_str(), order.seconds.map(Into::into));
    done(manager).await
}

pub(super) async fn mode(State(manager): Manager, body: Body<ForceMode>) -> Answer {
    let Json(order) = body?;
    manager.force_mode(order.mode, order.reason.as_str(), order.seconds.map(Into::into));
    done(manager).await
}

pub(super) async fn release(State(manager): Manager, body: Body<Because>) -> Answer {
    manager.release(body?.reason.as_str());
    done(manager).await
}

pub(super) async fn reset(State(manager): Manager, body: Body<Because>) -> Answer {
    manager.reset(body?.reason.as_str());
    done(manager).await
}

pub(super) async fn drill(
    State(manager): Manager,
    Path(name): Path<String>,
    body: Body<Drill>,
) -> Answer {
    let Json(order) = body?;
    manager.drill(&name, order.reason.as_str(), order.seconds.into())?;
    done(manager).await
}

pub(super) async fn end_drill(
    State(manager): Manager,
    Path(name): Path<String>,
    body: Body<Because>,
) -> Answer {
    manager.end_drill(&name, body?.reason.as_str())?;
    done(manager).await
}

pub(super) async fn breaker(
    State(manager): Manager,
    Path(name): Path<String>,
    body: Body<OrderBreaker>,
) -> Answer {
    let Json(body) = body?;
    manager.order_breaker(&name, body.order()?, body.reason.as_str())?;
    done(manager).await
}

pub(super) async fn entries(
    State(manager): Manager,
    Path(name): Path<String>,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Answer {
    let entries = manager.queue_entries(&name, listing?.limit()).await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(entries)).into_response())
}

pub(super) async fn retry(
    State(manager): Manager,
    Path((queue, id)): Path<(String, String)>,
    body: Body<Because>,
) -> Answer {
    manager.retry_entry(&queue, &id, body?.reason.as_str()).await?;
    done(manager).await
}

pub(super) async fn remove(
    State(manager): Manager,
    Path((queue, id)): Path<(String, String)>,
    body: Body<Because>,
) -> Answer {
    manager.remove_entry(&queue, &id, body?.reason.as_str()).await?;
    done(manager).await
}
