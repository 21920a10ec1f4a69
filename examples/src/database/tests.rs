#![expect(clippy::significant_drop_tightening, reason = "a folder lives as long as its test")]

use circuit_layer::State;
use circuit_layer::metrics::Exporter;
use tempfile::TempDir;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(5);

fn database() -> (Database, TempDir) {
    let folder = TempDir::new().unwrap();
    let breaker = CircuitBreaker::builder("database").fail_max(2).build().unwrap();
    (open(&folder, breaker), folder)
}

fn open(folder: &TempDir, breaker: CircuitBreaker) -> Database {
    let metrics = Metrics::new(&Exporter::new().unwrap().meter());
    Database::new(&url(folder), TIMEOUT, breaker, &metrics).unwrap()
}

fn url(folder: &TempDir) -> String {
    format!("sqlite://{}/inventory.db?mode=rwc", folder.path().display())
}

#[tokio::test]
async fn the_seed_is_there_once_however_often_the_service_starts() {
    let (database, folder) = database();
    assert_eq!(database.restock(1, 1).await.unwrap(), Restocked::Now(121));
    database.close().await;
    let again = open(&folder, CircuitBreaker::new("database"));
    let products = again.products().await.unwrap();
    assert_eq!(products.len(), schema::SEED.len());
    assert_eq!((products[0].name.as_str(), products[0].stock), ("Kettle", 121));
}

#[tokio::test]
async fn stock_never_goes_below_zero() {
    let (database, _folder) = database();
    assert_eq!(database.restock(7, -18).await.unwrap(), Restocked::Now(0));
    assert_eq!(database.restock(7, -1).await.unwrap(), Restocked::TooFew);
    assert_eq!(database.restock(99, 1).await.unwrap(), Restocked::NoProduct);
    assert_eq!(database.product(7).await.unwrap().unwrap().stock, 0);
    assert_eq!(database.product(99).await.unwrap(), None);
    assert_eq!(database.breaker().state(), State::Closed);
}

#[tokio::test]
async fn buyers_of_the_last_units_get_them_once() {
    let (database, _folder) = database();
    let buyers: Vec<_> = (0..40)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { database.restock(7, -1).await.unwrap() })
        })
        .collect();
    let mut bought = 0;
    for buyer in buyers {
        bought += usize::from(matches!(buyer.await.unwrap(), Restocked::Now(_)));
    }
    assert_eq!(bought, 18);
}

#[tokio::test]
async fn callers_of_a_database_that_was_never_there_do_not_wait_for_one_another() {
    // Connections are accepted by the system, and nobody ever says a word on them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://shop@{}/shop", silent.local_addr().unwrap());
    let breaker = CircuitBreaker::builder("database").fail_max(1_000).build().unwrap();
    let metrics = Metrics::new(&Exporter::new().unwrap().meter());
    let timeout = Duration::from_millis(300);
    let database = Database::new(&url, timeout, breaker, &metrics).unwrap();

    let clock = circuit_layer::Clock::default();
    let begun = clock.now();
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { database.products().await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
    let took = clock.now() - begun;
    assert!(took < timeout * 10, "one after the other is {:?}: {took:?}", timeout * 20);
}
