//! What to read.

/// Read an object, or a range of it.
#[derive(Clone, Debug)]
pub struct Download {
    pub(crate) key: String,
    pub(crate) range: Option<String>,
}

impl Download {
    /// Read the object under `key`.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), range: None }
    }

    /// Only the bytes from `first` to `last`, both included.
    #[must_use]
    pub fn range(mut self, first: u64, last: u64) -> Self {
        self.range = Some(format!("bytes={first}-{last}"));
        self
    }
}

impl From<&str> for Download {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for Download {
    fn from(key: String) -> Self {
        Self::new(key)
    }
}
