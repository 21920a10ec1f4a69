//! The queries, as values that a tower stack can carry.

use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{AnyPool, Error, Row};

const COLUMNS: &str = "SELECT p.id, p.name, p.price_cents, s.units FROM products p \
                       JOIN stock s ON s.product_id = p.id";

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Query {
    /// All products.
    Products,
    /// One product.
    Product {
        /// Its number.
        id: i64,
    },
    /// Add to a product's stock.
    Restock {
        /// Its number.
        id: i64,
        /// How many units; negative takes away.
        by: i64,
    },
}

/// The answer to a [`Query`], one variant for each.
///
/// Exhaustive: a new query is a new answer for whoever asks it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Answer {
    /// All products, by their number.
    Products(Vec<Product>),
    /// The product, if there is one.
    Product(Option<Product>),
    /// What came of a change of stock.
    Restocked(Restocked),
}

/// A product and what is in stock of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
/// Exhaustive: it worked, or one of two things was in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "see above")]
pub enum Restocked {
    /// So many are in stock now.
    Now(i64),
    /// Fewer are in stock than were to be taken.
    TooFew,
    /// There is no such product.
    NoProduct,
}

pub(super) async fn run(pool: AnyPool, query: Query) -> Result<Answer, Error> {
    match query {
        Query::Products => {
            let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} ORDER BY p.id")));
            let rows = rows.fetch_all(&pool).await?;
            Ok(Answer::Products(rows.iter().map(product).collect::<Result<_, _>>()?))
        }
        Query::Product { id } => {
            let row = sqlx::query(sqlx::AssertSqlSafe(format!("{COLUMNS} WHERE p.id = $1")));
            let row = row.bind(id).fetch_optional(&pool).await?;
            Ok(Answer::Product(row.as_ref().map(product).transpose()?))
        }
        Query::Restock { id, by } => restock(&pool, id, by).await.map(Answer::Restocked),
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

/// One statement, so that two buyers of the last unit can not both have it.
async fn restock(pool: &AnyPool, id: i64, by: i64) -> Result<Restocked, Error> {
    let changed = sqlx::query(
        "UPDATE stock SET units = units + $1 WHERE product_id = $2 AND units + $1 >= 0 \
         RETURNING units",
    );
    if let Some(row) = changed.bind(by).bind(id).fetch_optional(pool).await? {
        return Ok(Restocked::Now(row.try_get(0)?));
    }
    let known = sqlx::query("SELECT 1 FROM products WHERE id = $1");
    let known = known.bind(id).fetch_optional(pool).await?.is_some();
    Ok(if known { Restocked::TooFew } else { Restocked::NoProduct })
}
