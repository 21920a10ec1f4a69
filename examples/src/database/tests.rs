#![expect(clippy::significant_drop_tightening, reason = "a folder lives as long as its test")]

use circuit_layer::State;
use circuit_layer::metrics::Exporter;
use degradation::sqlx::test_server::PostgresServer;
use sqlx::{AnyConnection, Connection, Executor};
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
    Database::new(Guarded::builder(url(folder)).timeout(TIMEOUT).breaker(breaker), &metrics)
        .unwrap()
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

/// As somebody does who is not the service.
async fn by_hand(folder: &TempDir, statements: [&'static str; 2]) {
    let mut connection = AnyConnection::connect(&url(folder)).await.unwrap();
    for statement in statements {
        connection.execute(statement).await.unwrap();
    }
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_product_that_was_deleted_stays_so_when_the_service_starts_again() {
    let (database, folder) = database();
    database.prepare().await;
    database.close().await;
    let gone = ["DELETE FROM stock WHERE product_id = 8", "DELETE FROM products WHERE id = 8"];
    by_hand(&folder, gone).await;
    let again = open(&folder, CircuitBreaker::new("database"));
    assert_eq!(again.products().await.unwrap().len(), schema::SEED.len() - 1);
}

#[tokio::test]
async fn who_only_looks_leaves_a_database_without_products_as_it_is() {
    let (database, _folder) = database();
    let database = database.unseeded();
    assert_eq!(database.products().await.unwrap(), []);
    assert_eq!(database.restock(1, 0).await.unwrap(), Restocked::NoProduct);
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
async fn no_number_takes_the_stock_past_what_can_be_counted() {
    let postgres = PostgresServer::start().await.unwrap();
    let metrics = Metrics::new(&Exporter::new().unwrap().meter());
    let builder = Guarded::builder(postgres.url()).timeout(TIMEOUT);
    let (sqlite, _folder) = database();
    let databases = [sqlite, Database::new(builder, &metrics).unwrap()];
    for database in databases {
        for add in [i64::MAX, i64::MAX - 119] {
            assert_eq!(database.restock(1, add).await.unwrap(), Restocked::TooMany);
        }
        assert_eq!(database.restock(1, i64::MIN).await.unwrap(), Restocked::TooFew);
        assert_eq!(database.restock(99, i64::MAX).await.unwrap(), Restocked::NoProduct);
        assert_eq!(database.products().await.unwrap()[0].stock, 120);
        let all = Restocked::Now(i64::MAX);
        assert_eq!(database.restock(1, i64::MAX - 120).await.unwrap(), all);
        assert_eq!(database.restock(1, i64::MIN).await.unwrap(), Restocked::TooFew);
        assert_eq!(database.restock(1, -i64::MAX).await.unwrap(), Restocked::Now(0));
        database.close().await;
    }
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

/// One whose calls are over soon, and whose breaker stays closed; and what is counted of it.
fn impatient(url: &str) -> (Database, Exporter) {
    let exporter = Exporter::new().unwrap();
    let metrics = Metrics::new(&exporter.meter());
    let builder =
        Guarded::builder(url).timeout(IMPATIENT).measure(|breaker| breaker.fail_max(1_000));
    (Database::new(builder, &metrics).unwrap(), exporter)
}

const IMPATIENT: Duration = Duration::from_millis(300);

/// Calls that failed, as exported.
fn failures(exporter: &Exporter) -> u32 {
    let text = exporter.render().unwrap();
    let line = r#"database_requests_total{operation="call",status="failure"} "#;
    text.lines().find_map(|told| told.strip_prefix(line)).map_or(0, |count| count.parse().unwrap())
}

/// So many calls at one time, none of which is answered.
async fn hang(database: &Database, calls: u32) {
    let calls: Vec<_> = (0..calls)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { database.products().await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn callers_of_a_database_that_was_never_there_do_not_wait_for_one_another() {
    // Connections are accepted by the system, and nobody ever says a word on them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://shop@{}/shop", silent.local_addr().unwrap());
    let (database, exporter) = impatient(&url);
    let begun = database.breaker().now();
    hang(&database, 20).await;
    let took = database.breaker().now() - begun;
    assert!(took < IMPATIENT * 10, "one after the other is {:?}: {took:?}", IMPATIENT * 20);
    assert_eq!(failures(&exporter), 20, "each is counted once");
}

#[tokio::test]
async fn each_call_of_a_database_that_hangs_is_counted_once_and_judged_as_one() {
    let server = PostgresServer::start().await.unwrap();
    let check = async |warm: bool| {
        let (database, exporter) = impatient(&server.url());
        if warm {
            database.products().await.unwrap();
        }
        server.stop().unwrap();
        for hung in 1..=4 {
            hang(&database, 1).await;
            assert_eq!(failures(&exporter), hung, "{warm}");
            assert_eq!(database.health().failures(), u64::from(hung), "{warm}");
            assert_eq!(database.breaker().snapshot().counts.failed, u64::from(hung), "{warm}");
        }
        // As many as there are connections.
        hang(&database, CONNECTIONS).await;
        assert_eq!(failures(&exporter), 4 + CONNECTIONS, "{warm}");
        assert_eq!(database.health().failures(), u64::from(4 + CONNECTIONS), "{warm}");
        server.cont().unwrap();
    };
    check(true).await;
    check(false).await;
}

#[tokio::test]
async fn tables_that_are_there_are_used_by_who_may_not_make_any() {
    let server = PostgresServer::start().await.unwrap();
    let metrics = || Metrics::new(&Exporter::new().unwrap().meter());
    let of = |url: &str| Database::new(Guarded::builder(url).timeout(TIMEOUT), &metrics()).unwrap();
    let owner = of(&server.url());
    owner.prepare().await;
    let mut connection = AnyConnection::connect(&server.url()).await.unwrap();
    for statement in [
        "CREATE ROLE clerk LOGIN PASSWORD 'c'",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON products, stock TO clerk",
    ] {
        connection.execute(statement).await.unwrap();
    }
    let url = server.url();
    let (_, place) = url.split_once('@').unwrap();
    let url = format!("postgres://clerk:c@{place}");
    let clerk = of(&url);
    assert_eq!(clerk.restock(1, -20).await.unwrap(), Restocked::Now(100));

    connection.execute("DELETE FROM stock").await.unwrap();
    connection.execute("DELETE FROM products").await.unwrap();
    let clerk = of(&url);
    assert_eq!(clerk.products().await.unwrap().len(), schema::SEED.len(), "seeded by the clerk");

    let standby = server.standby().await.unwrap();
    until_there(&of(&standby.url())).await;
}

/// Until a standby has everything.
async fn until_there(standby: &Database) {
    let clock = circuit_layer::Clock::default();
    let begun = clock.now();
    loop {
        match standby.products().await {
            Ok(products) if products.len() == schema::SEED.len() => return,
            other => assert!(clock.now() - begun < Duration::from_secs(20), "{other:?}"),
        }
        clock.sleep_until(clock.now() + Duration::from_millis(50)).await;
    }
}
