//! A tonic client behind a breaker: statuses that are the server's fault count, trailers included.
//!
//! Run it with `cargo run -p examples --example tonic_client`: it brings a server of its own.
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Rejected, State};
use examples::grpc::pb::inventory_client::InventoryClient;
use examples::grpc::pb::inventory_server::{Inventory, InventoryServer};
use examples::grpc::pb::{GetProductRequest, Product, RestockRequest, RestockResponse};
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status};
use tower::ServiceBuilder;

/// It knows no product, and can change no stock.
struct Odd;

#[tonic::async_trait]
impl Inventory for Odd {
    async fn get_product(
        &self,
        _: Request<GetProductRequest>,
    ) -> Result<Response<Product>, Status> {
        Err(Status::not_found("no such product"))
    }

    async fn restock(
        &self,
        _: Request<RestockRequest>,
    ) -> Result<Response<RestockResponse>, Status> {
        Err(Status::unavailable("restarting"))
    }
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", socket.local_addr()?);
    let server = Server::builder()
        .add_service(InventoryServer::new(Odd))
        .serve_with_incoming(TcpIncoming::from(socket));
    let server = tokio::spawn(server);

    let breaker = CircuitBreaker::builder("inventory").fail_max(2).build()?;
    let channel = ServiceBuilder::new()
        .layer(CircuitBreakerLayer::new(breaker.clone()).grpc())
        .service(Endpoint::new(url)?.connect().await?);
    let mut client = InventoryClient::new(channel);

    // NOT_FOUND is an answer.
    for id in 1..=3 {
        let answer = client.get_product(GetProductRequest { id }).await;
        println!("product {id}: {:?}; breaker {}", answer.map_err(|s| s.code()), breaker.state());
    }
    assert_eq!(breaker.state(), State::Closed);

    let mut rejections = 0;
    for call in 1..=3 {
        let Err(status) = client.restock(RestockRequest { id: 1, add: 1 }).await else { continue };
        let rejected = Rejected::find(&status);
        println!("stock, call {call}: {}; rejected: {}", status.message(), rejected.is_some());
        rejections += u32::from(rejected.is_some());
    }
    assert_eq!((rejections, breaker.state()), (1, State::Open));
    server.abort();
    Ok(())
}
