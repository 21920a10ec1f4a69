use circuit_layer::State;
use tempfile::TempDir;

use super::*;

const TIMEOUT: Duration = Duration::from_secs(5);

async fn database() -> (Database, TempDir) {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}/inventory.db?mode=rwc", folder.path().display());
    let breaker = CircuitBreaker::builder("database").fail_max(2).build().unwrap();
    (Database::connect(&url, TIMEOUT, breaker).await.unwrap(), folder)
}

#[tokio::test]
async fn the_seed_is_there_once_however_often_the_service_starts() {
    let (database, folder) = database().await;
    assert_eq!(database.restock(1, 1).await.unwrap(), Restocked::Now(121));
    database.close().await;
    let url = format!("sqlite://{}/inventory.db?mode=rwc", folder.path().display());
    let again = Database::connect(&url, TIMEOUT, CircuitBreaker::new("database")).await.unwrap();
    let products = again.products().await.unwrap();
    assert_eq!(products.len(), schema::SEED.len());
    assert_eq!((products[0].name.as_str(), products[0].stock), ("Kettle", 121));
}

#[tokio::test]
async fn stock_never_goes_below_zero() {
    let (database, _folder) = database().await;
    assert_eq!(database.restock(7, -18).await.unwrap(), Restocked::Now(0));
    assert_eq!(database.restock(7, -1).await.unwrap(), Restocked::TooFew);
    assert_eq!(database.restock(99, 1).await.unwrap(), Restocked::NoProduct);
    assert_eq!(database.product(7).await.unwrap().unwrap().stock, 0);
    assert_eq!(database.product(99).await.unwrap(), None);
    assert_eq!(database.breaker().state(), State::Closed);
}

#[tokio::test]
async fn buyers_of_the_last_units_get_them_once() {
    let (database, _folder) = database().await;
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
async fn a_pool_that_can_not_work_opens_the_breaker_and_the_next_call_does_not_ask_it() {
    let (database, _folder) = database().await;
    database.call(Query::Products).await.unwrap();
    // The tables are gone under its feet: an answer, so no failure.
    database.pool.execute("DROP TABLE stock").await.unwrap();
    for _ in 0..3 {
        database.products().await.unwrap_err();
    }
    assert_eq!(database.breaker().state(), State::Closed);

    // Every connection is taken: it can not be worked with.
    let quick = CircuitBreaker::builder("database").fail_max(2).build().unwrap();
    let mut taken = Vec::new();
    for _ in 0..CONNECTIONS {
        taken.push(database.pool.acquire().await.unwrap());
    }
    let mut stack = stack(&database.pool, Duration::from_millis(20), &quick);
    for _ in 0..2 {
        stack.ready().await.unwrap();
        stack.clone().oneshot(Query::Products).await.unwrap_err();
    }
    assert_eq!(quick.state(), State::Open);
    let error = stack.oneshot(Query::Products).await.unwrap_err();
    assert!(error.rejected().is_some(), "{error:?}");
}
