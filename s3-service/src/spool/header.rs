//! The two lines that open the file of an entry, for people and for us.

use serde::{Deserialize, Serialize};

use super::name::Action;
use crate::request::Attributes;

/// The first line: what the file is, and in which version of the format.
pub(super) const MAGIC: &[u8] = b"s3-spool 1\n";

/// The longest second line. S3 takes 1 KiB of key, 2 KiB of metadata and ten tags.
pub(super) const LONGEST: u64 = 64 * 1024;

/// The second line, as JSON: everything that S3 has to be told beside the bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    pub(super) action: Action,
    pub(super) bucket: String,
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) attributes: Attributes,
}

impl Header {
    /// Both lines.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut lines = MAGIC.to_vec();
        serde_json::to_writer(&mut lines, self)?;
        lines.push(b'\n');
        Ok(lines)
    }
}
