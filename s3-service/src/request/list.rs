//! Which keys to list.

/// One page of keys, in their order.
#[derive(Clone, Debug, Default)]
pub struct List {
    pub(crate) prefix: Option<String>,
    pub(crate) delimiter: Option<String>,
    pub(crate) max_keys: Option<i32>,
    pub(crate) after: Option<String>,
}

impl List {
    /// The first page of all keys; S3 gives at most 1000 at once.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Only keys that begin so.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Rolls keys up to the next `delimiter` into [`Page::prefixes`](crate::Page::prefixes).
    #[must_use]
    pub fn delimiter(mut self, delimiter: impl Into<String>) -> Self {
        self.delimiter = Some(delimiter.into());
        self
    }

    /// At most this many keys in the page.
    #[must_use]
    pub fn max_keys(mut self, keys: u16) -> Self {
        self.max_keys = Some(i32::from(keys));
        self
    }

    /// The page that follows the one whose [`Page::next`](crate::Page::next) this is.
    #[must_use]
    pub fn after(mut self, next: impl Into<String>) -> Self {
        self.after = Some(next.into());
        self
    }
}
