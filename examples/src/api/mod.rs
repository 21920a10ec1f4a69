//! The interface, over HTTP and gRPC on one port.
//!
//! | route | from | class |
//! | --- | --- | --- |
//! | `GET /products` | pages | critical |
//! | `GET /products/{id}`, `inventory.v1.Inventory/GetProduct` | pages | critical-plus |
//! | `POST /products/{id}/stock` `{"add": n}`, `inventory.v1.Inventory/Restock` | database | critical-plus |
//! | `GET /products/{id}/photo` | S3, streamed | sheddable-plus |
//! | `PUT /products/{id}/photo` | S3, streamed | critical |
//! | `GET /products/{id}/description` (`?stream=true`) | OpenAI | sheddable |
//! | `GET /metrics` | the exporter | exempt |
//! | `GET /livez`, `/readyz`, `/health`, `/status` | the manager | exempt |
//!
//! A shed route sends its dependency no probes. That can not wedge this service: the others are called
//! in place of what is shed, and OpenAI alone does not make the level so bad that descriptions are, so
//! they pass again once another dependency is back.

mod descriptions;
mod error;
mod photos;
mod products;

use axum::Router;
use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use circuit_layer::metrics::Exporter;
use degradation::{
    Class, Criticality, DegradationLayer, DegradationManager, Endpoints, Readiness, Routes,
};

pub use self::error::ApiError;
use crate::database::{Product, QueryError, Restocked};
use crate::dependencies::Dependencies;
use crate::grpc;
use crate::pages::{PageError, Pages, ServedBy};

/// The header that says what served a page.
pub const SERVED_BY: &str = "x-served-by";

/// The header that says that an answer is a replacement, and of which kind.
pub const DEGRADED: &str = "x-degraded";

const LIST: &str = "page:products";

/// What the handlers work with.
#[derive(Clone, Debug)]
pub struct Api {
    /// The dependencies.
    pub dependencies: Dependencies,
    /// The pages.
    pub pages: Pages,
    /// What is scraped.
    pub exporter: Exporter,
}

impl Api {
    /// The page of one product.
    pub(crate) async fn page(&self, id: i64) -> Result<Option<(Bytes, ServedBy)>, PageError> {
        self.pages.read(&key(id), self.dependencies.database.product(id)).await
    }

    /// The page of all products.
    pub(crate) async fn list(&self) -> Result<Option<(Bytes, ServedBy)>, PageError> {
        let load = async { self.dependencies.database.products().await.map(Some) };
        self.pages.read(LIST, load).await
    }

    /// One product, as its page has it.
    pub(crate) async fn product(&self, id: i64) -> Result<Option<(Product, ServedBy)>, PageError> {
        let Some((page, by)) = self.page(id).await? else { return Ok(None) };
        Ok(Some((serde_json::from_slice(&page)?, by)))
    }

    /// Changes the stock of a product, and its pages with it.
    pub(crate) async fn restock(&self, id: i64, by: i64) -> Result<Restocked, QueryError> {
        let restocked = self.dependencies.database.restock(id, by).await?;
        if matches!(restocked, Restocked::Now(_)) {
            self.pages.changed(&[key(id), LIST.to_owned()]).await;
        }
        Ok(restocked)
    }
}

fn key(id: i64) -> String {
    format!("page:product:{id}")
}

/// The whole interface, under the degradation layer.
pub fn router(api: Api, manager: &DegradationManager, readiness: Readiness) -> Router {
    let endpoints = Endpoints::new(manager).readiness(readiness);
    Router::new()
        .route("/products", get(products::list))
        .route("/products/{id}", get(products::one))
        .route("/products/{id}/stock", post(products::restock))
        .route("/products/{id}/photo", get(photos::show).put(photos::store))
        .route("/products/{id}/description", get(descriptions::describe))
        .route("/metrics", get(metrics))
        .with_state(api.clone())
        .merge(grpc::router(api))
        .layer(DegradationLayer::new(manager).routes(classes()))
        .merge(endpoints.version(env!("CARGO_PKG_VERSION")).router())
}

/// How much each route matters. Every gRPC call is a POST, so what only reads has to say so.
fn classes() -> Routes {
    Routes::new()
        .route("/products/{id}/description", Criticality::Sheddable)
        .method(Method::GET, "/products/{id}/photo", Criticality::SheddablePlus)
        .route("/products/{id}/photo", Criticality::Critical)
        .route("/products", Criticality::Critical)
        .route("/products/{id}", Criticality::CriticalPlus)
        .route("/products/{id}/stock", Criticality::CriticalPlus)
        .route("/inventory.v1.Inventory/GetProduct", Class::read(Criticality::CriticalPlus))
        .route("/inventory.v1.Inventory/Restock", Class::write(Criticality::CriticalPlus))
}

async fn metrics(State(api): State<Api>) -> Result<Response, ApiError> {
    let text = api.exporter.render().map_err(|error| ApiError::internal(&error))?;
    Ok(([(CONTENT_TYPE, Exporter::CONTENT_TYPE)], text).into_response())
}

#[cfg(test)]
mod tests;
