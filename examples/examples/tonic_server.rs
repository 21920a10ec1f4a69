//! A tonic server behind a breaker: while it is open, clients get UNAVAILABLE and the time to come back.
//!
//! Run it with `cargo run -p examples --example tonic_server`: it starts, asks itself, and stops.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use circuit_layer::http::unavailable;
use circuit_layer::{CircuitBreaker, CircuitBreakerLayer};
use examples::grpc::pb::inventory_client::InventoryClient;
use examples::grpc::pb::inventory_server::{Inventory, InventoryServer};
use examples::grpc::pb::{GetProductRequest, Product, RestockRequest, RestockResponse};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Code, Request, Response, Status};

/// Its stock is lost.
struct Broken;

#[tonic::async_trait]
impl Inventory for Broken {
    async fn get_product(
        &self,
        _: Request<GetProductRequest>,
    ) -> Result<Response<Product>, Status> {
        Err(Status::internal("the stock is lost"))
    }

    async fn restock(
        &self,
        _: Request<RestockRequest>,
    ) -> Result<Response<RestockResponse>, Status> {
        Err(Status::internal("the stock is lost"))
    }
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let breaker = CircuitBreaker::builder("inventory").fail_max(2).build()?;
    let layer = CircuitBreakerLayer::new(breaker.clone()).grpc().on_rejected(unavailable);
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", socket.local_addr()?);
    let server = Server::builder()
        .layer(layer)
        .add_service(InventoryServer::new(Broken))
        .serve_with_incoming(TcpIncoming::from(socket));
    let server = tokio::spawn(server);

    let mut client = InventoryClient::new(Endpoint::new(url)?.connect().await?);
    let mut last = Code::Ok;
    for _ in 0..3 {
        let Err(status) = client.get_product(GetProductRequest { id: 1 }).await else { continue };
        let wait = status.metadata().get("grpc-retry-pushback-ms");
        println!("{:?}: {}, pushback {wait:?}", status.code(), status.message());
        last = status.code();
    }
    assert_eq!(last, Code::Unavailable, "the third is rejected");
    server.abort();
    Ok(())
}
