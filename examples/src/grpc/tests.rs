//! The service over gRPC, on the port of everything else.

use std::time::Duration;

use axum::http::uri::PathAndQuery;
use degradation::Mode;
use tonic::{Code, Request, Status};

use super::pb::inventory_client::InventoryClient;
use super::pb::{GetProductRequest, Product, RestockRequest};
use crate::chaos::{Deed, Victim};
use crate::{Inventory, Pace, Settings, Sources};

type Client = InventoryClient<tonic::transport::Channel>;

async fn inventory() -> (Inventory, Client) {
    let pace = Pace { reset_timeout: Duration::from_millis(300), ..Pace::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let settings = Settings { listen, sources: Sources::default(), pace };
    let inventory = Inventory::start(&settings).await.unwrap();
    let channel =
        tonic::transport::Endpoint::new(inventory.url()).unwrap().connect().await.unwrap();
    (inventory, InventoryClient::new(channel))
}

async fn product(client: &mut Client, id: i64) -> Result<Product, Status> {
    client.get_product(GetProductRequest { id }).await.map(tonic::Response::into_inner)
}

async fn restock(client: &mut Client, id: i64, add: i64) -> Result<i64, Status> {
    client.restock(RestockRequest { id, add }).await.map(|answer| answer.into_inner().stock)
}

#[tokio::test]
async fn products_are_read_and_stock_is_changed_and_mistakes_are_told() {
    let (inventory, mut client) = inventory().await;
    let kettle = product(&mut client, 1).await.unwrap();
    assert_eq!((kettle.name.as_str(), kettle.stock), ("Kettle", 120));
    assert_eq!(restock(&mut client, 1, -20).await.unwrap(), 100);
    assert_eq!(product(&mut client, 1).await.unwrap().stock, 100);
    let code = |result: Result<i64, Status>| result.unwrap_err().code();
    assert_eq!(code(restock(&mut client, 1, -101).await), Code::FailedPrecondition);
    assert_eq!(code(restock(&mut client, 99, 1).await), Code::NotFound);
    assert_eq!(product(&mut client, 99).await.unwrap_err().code(), Code::NotFound);
    drop(client);
    inventory.shutdown().await.unwrap();
}

#[tokio::test]
async fn in_read_only_mode_a_write_is_unavailable_with_a_pushback_and_a_read_passes() {
    let (inventory, mut client) = inventory().await;
    product(&mut client, 1).await.unwrap();
    inventory.manager().force_mode(Mode::ReadOnly, "a test", None);
    let status = restock(&mut client, 1, 1).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let pushback = status.metadata().get("grpc-retry-pushback-ms").unwrap();
    assert!(pushback.to_str().unwrap().parse::<u64>().unwrap() >= 1);
    product(&mut client, 1).await.unwrap();
}

#[tokio::test]
async fn without_redis_a_product_is_still_there() {
    let (inventory, mut client) = inventory().await;
    inventory.chaos().act(Victim::Redis, Deed::Kill).await.unwrap().unwrap();
    for _ in 0..10 {
        assert_ne!(product(&mut client, 1).await.unwrap().served_by, "redis");
    }
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_a_404_and_unimplemented_to_a_client_of_grpc() {
    let (inventory, _client) = inventory().await;
    let answer = reqwest::get(format!("{}/nowhere", inventory.url())).await.unwrap();
    assert_eq!(answer.status(), 404);

    let channel = tonic::transport::Endpoint::new(inventory.url()).unwrap();
    let mut grpc = tonic::client::Grpc::new(channel.connect().await.unwrap());
    grpc.ready().await.unwrap();
    let nowhere = PathAndQuery::from_static("/inventory.v1.Warehouse/GetProduct");
    let codec = tonic_prost::ProstCodec::<GetProductRequest, Product>::default();
    let answer = grpc.unary(Request::new(GetProductRequest { id: 1 }), nowhere, codec).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
    drop(grpc);
    inventory.shutdown().await.unwrap();
}
