//! Tables and seed data.

use std::sync::Arc;

use degradation::sqlx::Work;
use sqlx::{Any, AnyConnection, Connection as _, Error, Executor as _};
use tokio::sync::OnceCell;

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

const PRODUCT: &str = "INSERT INTO products (id, name, price_cents) VALUES ($1, $2, $3) \
                       ON CONFLICT DO NOTHING";
const STOCK: &str = "INSERT INTO stock (product_id, units) VALUES ($1, $2) ON CONFLICT DO NOTHING";

/// Work that finds its tables made.
pub(super) struct OnTables<W> {
    pub(super) created: Arc<OnceCell<()>>,
    /// Whether a database without products gets those of [`SEED`].
    pub(super) seed: bool,
    pub(super) work: W,
}

impl<W: Work<Any>> Work<Any> for OnTables<W> {
    type Answer = W::Answer;

    /// One sees to them, and others wait for that: two that make them at one time are an error in
    /// `PostgreSQL`.
    async fn run(self, connection: &mut AnyConnection) -> Result<W::Answer, Error> {
        self.created.get_or_try_init(|| prepare(connection, self.seed)).await?;
        self.work.run(connection).await
    }
}

/// Looks first: whoever may use the tables may not be let make any, and on a standby nobody is.
async fn prepare(connection: &mut AnyConnection, seed: bool) -> Result<(), Error> {
    let any = sqlx::query("SELECT 1 FROM products p JOIN stock s ON s.product_id = p.id LIMIT 1");
    match any.fetch_optional(&mut *connection).await {
        Ok(None) if seed => fill(connection, &[], seed).await,
        Ok(_) => Ok(()),
        Err(error) if is_no_table(&error) => fill(connection, &TABLES, seed).await,
        Err(error) => Err(error),
    }
}

/// As `PostgreSQL` says it, and as `SQLite` does, which has one code for all that a statement may have
/// wrong.
fn is_no_table(error: &Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table")
    })
}

/// Makes these tables, and puts products into a database that has none: one that was deleted would come
/// back otherwise. All of it is one transaction, because each of its statements would wait for the disk.
async fn fill(
    connection: &mut AnyConnection,
    tables: &[&'static str],
    seed: bool,
) -> Result<(), Error> {
    let mut made = connection.begin().await?;
    for table in tables {
        made.execute(*table).await?;
    }
    let any = sqlx::query("SELECT 1 FROM products LIMIT 1").fetch_optional(&mut *made).await?;
    let seed: &[_] = if seed && any.is_none() { &SEED } else { &[] };
    for (id, (name, price, units)) in (1_i64..).zip(seed) {
        let product = sqlx::query(PRODUCT).bind(id).bind(*name).bind(*price);
        product.execute(&mut *made).await?;
        sqlx::query(STOCK).bind(id).bind(*units).execute(&mut *made).await?;
    }
    made.commit().await
}
