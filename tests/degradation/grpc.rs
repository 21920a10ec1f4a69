//! Over HTTP/2, by tonic, with a real client.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use circuit_layer::CircuitBreaker;
use degradation::{Class, Criticality, DegradationLayer, DegradationManager, Health, Mode, Routes};
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::{Channel, Server, server::TcpIncoming};
use tonic::{Code, Request, Response, Status};
use tower::Service;

use crate::table::{CRITICALITIES, TABLE, letter};

/// Messages as they are: no generated code is needed to see what the layer does.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

#[derive(Clone, Copy)]
struct Cart;

impl NamedService for Cart {
    const NAME: &'static str = "shop.Cart";
}

#[derive(Clone, Copy)]
struct Echo;

impl UnaryService<Bytes> for Echo {
    type Response = Bytes;
    type Future = Ready<Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        ready(Ok(Response::new(request.into_inner())))
    }
}

impl Service<http::Request<Body>> for Cart {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future =
        std::pin::Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(tonic::server::Grpc::new(Raw).unary(Echo, request).await) })
    }
}

async fn serve(manager: &DegradationManager, routes: Routes) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .layer(DegradationLayer::new(manager).routes(routes))
        .add_service(Cart)
        .serve_with_incoming(TcpIncoming::from(listener));
    tokio::spawn(server);
    address
}

async fn connect(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

async fn ask(channel: &Channel, path: &str) -> Result<Bytes, Status> {
    let channel = channel.clone();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let request = Request::new(Bytes::from_static(b"one apple"));
    let path = PathAndQuery::try_from(path).unwrap();
    client.unary(request, path, Raw).await.map(Response::into_inner)
}

#[tokio::test]
async fn a_tonic_client_sees_unavailable_with_message_and_pushback_and_listed_reads_pass() {
    let breaker = CircuitBreaker::new("database");
    let manager =
        DegradationManager::builder().dependency("database", 100, breaker).build().unwrap();
    let routes = Routes::new().route("/shop.Cart/Show", Class::read(Criticality::CriticalPlus));
    let channel = connect(serve(&manager, routes).await).await;
    assert_eq!(ask(&channel, "/shop.Cart/Fill").await.unwrap(), "one apple");

    manager.force_mode(Mode::ReadOnly, "a test", None);
    assert_eq!(ask(&channel, "/shop.Cart/Show").await.unwrap(), "one apple");
    let status = ask(&channel, "/shop.Cart/Fill").await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "The service is read-only for now.");
    assert_eq!(status.metadata().get("grpc-retry-pushback-ms").unwrap(), "5000");
    assert_eq!(status.metadata().get("x-degradation-level").unwrap(), "normal");
}

#[tokio::test]
async fn each_class_of_calls_is_answered_as_in_the_table() {
    let manager = DegradationManager::builder().dependency("all", 100, || Health::up(100));
    let manager = manager.build().unwrap();
    // What is not listed is a critical write, whatever its name says.
    let mut routes = Routes::new();
    for criticality in CRITICALITIES {
        routes = routes.route(&format!("/shop.Cart/read-{criticality}"), Class::read(criticality));
        if criticality != Criticality::Critical {
            routes = routes.route(&format!("/shop.Cart/write-{criticality}"), criticality);
        }
    }
    let channel = connect(serve(&manager, routes).await).await;
    for (level, mode, read, write) in TABLE {
        manager.force_level(level, "a test", None);
        manager.force_mode(mode, "a test", None);
        for (access, expected) in [("read", read), ("write", write)] {
            let mut found = String::new();
            for criticality in CRITICALITIES {
                let path = format!("/shop.Cart/{access}-{criticality}");
                found.push(match ask(&channel, &path).await {
                    Ok(_) => 'p',
                    Err(status) => {
                        assert_eq!(status.code(), Code::Unavailable, "{path}");
                        assert!(status.metadata().contains_key("grpc-retry-pushback-ms"), "{path}");
                        letter(status.message())
                    }
                });
            }
            assert_eq!(found, expected, "{access} in {level} and {mode}");
        }
    }
}
