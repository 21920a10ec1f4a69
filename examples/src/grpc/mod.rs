//! The same over gRPC. `proto/inventory.proto` is the contract; `proto/inventory_v1.rs` was generated
//! from it by `tonic-prost-build` and is kept, so that building needs no `protoc`.

use std::error::Error;

use axum::Router;
use circuit_layer::Rejected;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use self::pb::inventory_server::{Inventory, InventoryServer};
use self::pb::{GetProductRequest, Product, RestockRequest, RestockResponse};
use crate::api::Api;
use crate::database::Restocked;
use crate::pages::PageError;

/// Messages, client and server, as generated.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::as_conversions,
    clippy::clone_on_ref_ptr,
    clippy::doc_markdown,
    clippy::missing_errors_doc,
    reason = "generated"
)]
pub mod pb {
    include!(concat!(env!("CARGO_MANIFEST_DIR"), "/proto/inventory_v1.rs"));
}

struct Service(Api);

/// The routes of the service, for the router of everything else. Without tonic's answer to all other
/// paths: it is 200, of which only a client of gRPC sees that it is an error.
pub(crate) fn router(api: Api) -> Router {
    Routes::new(InventoryServer::new(Service(api))).into_axum_router().reset_fallback()
}

#[tonic::async_trait]
impl Inventory for Service {
    async fn get_product(
        &self,
        request: Request<GetProductRequest>,
    ) -> Result<Response<Product>, Status> {
        let found = self.0.product(request.into_inner().id).await;
        let found = found.map_err(|error| match error {
            PageError::Unavailable(error) => unavailable(&error),
            PageError::Json(error) => Status::internal(error.to_string()),
        })?;
        let (product, by) = found.ok_or_else(|| Status::not_found("no such product"))?;
        Ok(Response::new(Product {
            id: product.id,
            name: product.name,
            price_cents: product.price_cents,
            stock: product.stock,
            served_by: by.as_str().to_owned(),
        }))
    }

    async fn restock(
        &self,
        request: Request<RestockRequest>,
    ) -> Result<Response<RestockResponse>, Status> {
        let RestockRequest { id, add } = request.into_inner();
        match self.0.restock(id, add).await.map_err(|error| unavailable(&error))? {
            Restocked::Now(stock) => Ok(Response::new(RestockResponse { stock })),
            Restocked::TooFew => Err(Status::failed_precondition("fewer are in stock than that")),
            Restocked::TooMany => Err(Status::out_of_range("more than can be counted")),
            Restocked::NoProduct => Err(Status::not_found("no such product")),
        }
    }
}

/// UNAVAILABLE, and the rest of the breaker's wait where there is one. What the database said goes to
/// the log.
fn unavailable(error: &(dyn Error + 'static)) -> Status {
    let Some(rejected) = Rejected::find(error) else {
        tracing::debug!(%error, "database unavailable");
        return Status::unavailable("the call failed");
    };
    let mut status = Status::unavailable(rejected.to_string());
    let wait = rejected.retry_after().and_then(|wait| u64::try_from(wait.as_millis()).ok());
    if let Some(wait) = wait {
        status.metadata_mut().insert("grpc-retry-pushback-ms", wait.max(1).into());
    }
    status
}

#[cfg(test)]
mod tests;
