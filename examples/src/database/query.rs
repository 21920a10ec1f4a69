//! The queries, as work for one connection.

use degradation::sqlx::Work;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Error, Row};

const COLUMNS: &str = "SELECT p.id, p.name, p.price_cents, s.units FROM products p \
                       JOIN stock s ON s.product_id = p.id";

/// A product and what is in stock of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// What it costs, in cents.
    pub price_cents: i64,
    /// How many are in stock.
    pub stock: i64,
}

/// What came of a change of stock.
///
/// Exhaustive: it worked, or one of three things was in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Restocked {
    /// So many are in stock now.
    Now(i64),
    /// Fewer are in stock than were to be taken.
    TooFew,
    /// More would be in stock than can be counted.
    TooMany,
    /// There is no such product.
    NoProduct,
}

/// All products, by their number.
pub(super) struct Products;

impl Work<Any> for Products {
    type Answer = Vec<Product>;

    async fn run(self, connection: &mut AnyConnection) -> Result<Vec<Product>, Error> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY p.id")));
        rows.fetch_all(connection).await?.iter().map(product).collect()
    }
}

/// One product, if there is one.
pub(super) struct OneProduct {
    pub(super) id: i64,
}

impl Work<Any> for OneProduct {
    type Answer = Option<Product>;

    async fn run(self, connection: &mut AnyConnection) -> Result<Option<Product>, Error> {
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE p.id = $1")));
        let row = row.bind(self.id).fetch_optional(connection).await?;
        row.as_ref().map(product).transpose()
    }
}

/// Add to a product's stock; negative takes away.
pub(super) struct Restock {
    pub(super) id: i64,
    pub(super) by: i64,
}

impl Work<Any> for Restock {
    type Answer = Restocked;

    /// One statement, so that two buyers of the last unit can not both have it. The bounds are worked
    /// out here: a sum that overflows is an error in `PostgreSQL`, and a number of another type in `SQLite`.
    async fn run(self, connection: &mut AnyConnection) -> Result<Restocked, Error> {
        let Some(least) = self.by.min(0).checked_neg() else { return Ok(Restocked::TooFew) };
        let most = i64::MAX - self.by.max(0);
        let changed = sqlx::query(
            "UPDATE stock SET units = units + $1 \
             WHERE product_id = $2 AND units >= $3 AND units <= $4 RETURNING units",
        );
        let changed = changed.bind(self.by).bind(self.id).bind(least).bind(most);
        if let Some(row) = changed.fetch_optional(&mut *connection).await? {
            return Ok(Restocked::Now(row.try_get(0)?));
        }
        let known = sqlx::query("SELECT 1 FROM products WHERE id = $1").bind(self.id);
        Ok(match known.fetch_optional(connection).await? {
            None => Restocked::NoProduct,
            Some(_) if self.by < 0 => Restocked::TooFew,
            Some(_) => Restocked::TooMany,
        })
    }
}

fn product(row: &AnyRow) -> Result<Product, Error> {
    Ok(Product {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        price_cents: row.try_get(2)?,
        stock: row.try_get(3)?,
    })
}
