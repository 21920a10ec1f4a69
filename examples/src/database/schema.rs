//! Tables, seed data and what is set on each new connection.

use std::time::Duration;

use sqlx::{AnyPool, Error, Executor};

/// Both databases understand these.
const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS products (
        id BIGINT PRIMARY KEY,
        name TEXT NOT NULL,
        price_cents BIGINT NOT NULL CHECK (price_cents >= 0)
    )",
    "CREATE TABLE IF NOT EXISTS stock (
        product_id BIGINT PRIMARY KEY REFERENCES products (id),
        units BIGINT NOT NULL CHECK (units >= 0)
    )",
];

/// Name, price in cents, stock.
pub(super) const SEED: [(&str, i64, i64); 8] = [
    ("Kettle", 3_490, 120),
    ("Teapot", 2_795, 80),
    ("Cast iron pan", 6_900, 35),
    ("Chef's knife", 8_450, 52),
    ("Cutting board", 1_999, 210),
    ("Espresso maker", 4_250, 64),
    ("Storm lantern", 5_600, 18),
    ("Wool blanket", 7_300, 27),
];

pub(super) async fn create(pool: &AnyPool) -> Result<(), Error> {
    for table in TABLES {
        pool.execute(table).await?;
    }
    for (id, (name, price, units)) in (1_i64..).zip(SEED) {
        sqlx::query("INSERT INTO products (id, name, price_cents) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(name)
            .bind(price)
            .execute(pool)
            .await?;
        sqlx::query("INSERT INTO stock (product_id, units) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(units)
            .execute(pool)
            .await?;
    }
    Ok(())
}

/// The server gives up on a query at three quarters of our own patience: a query whose client has
/// gone keeps its connection until then.
pub(super) fn settings(backend: &str, timeout: Duration) -> Vec<String> {
    let limit = timeout.mul_f64(0.75).as_millis().max(1);
    if backend == "PostgreSQL" {
        vec![format!("SET statement_timeout = {limit}")]
    } else {
        vec![
            "PRAGMA journal_mode = WAL".to_owned(),
            "PRAGMA foreign_keys = ON".to_owned(),
            format!("PRAGMA busy_timeout = {limit}"),
        ]
    }
}
