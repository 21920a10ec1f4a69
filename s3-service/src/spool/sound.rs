//! An entry that is being read: proven whole before anybody gets a byte of it.
//!
//! Bytes that went bad must not reach S3 under a good name. So the file is read once to its end
//! against its checksum, and only then for its content; small ones stay in memory in between.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use aws_sdk_s3::primitives::{ByteStream, Length};
use bytes::Bytes;
use crc32fast::Hasher;

use super::draft::{CHUNK, TRAILER, trailer};
use super::header::{Header, LONGEST, MAGIC};

/// Why an entry gives nothing.
#[derive(Debug)]
pub(super) enum Flaw {
    /// The file is not there.
    Gone,
    /// The file is not what was written.
    Damaged(String),
    /// The system can not read it just now.
    Io(io::Error),
}

impl From<io::Error> for Flaw {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound {
            Self::Gone
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            damaged("it ends too early")
        } else {
            Self::Io(error)
        }
    }
}

/// An entry whose checksum has been checked.
#[derive(Debug)]
pub(super) struct Sound {
    pub(super) header: Header,
    /// Bytes of the payload.
    pub(super) length: u64,
    offset: u64,
    payload: Payload,
}

#[derive(Debug)]
enum Payload {
    Memory(Bytes),
    File(File),
}

impl Sound {
    /// Reads the file at `path`, which must have `size` bytes.
    pub(super) fn read(path: &Path, size: u64) -> Result<Self, Flaw> {
        let file = File::open(path)?;
        let found = file.metadata()?.len();
        if found != size {
            return Err(Flaw::Damaged(format!("it has {found} bytes of {size}")));
        }
        let content = size.checked_sub(TRAILER).ok_or_else(|| damaged("it is too short"))?;
        let mut reader = BufReader::with_capacity(CHUNK, file);
        let mut hasher = Hasher::new();
        let (header, offset) = read_header(&mut reader, &mut hasher)?;
        let length = content.checked_sub(offset).ok_or_else(|| damaged("it is too short"))?;
        let small = usize::try_from(length).ok().filter(|length| *length <= CHUNK);
        let bytes = match small {
            Some(length) => {
                let mut bytes = vec![0; length];
                reader.read_exact(&mut bytes)?;
                hasher.update(&bytes);
                Some(Bytes::from(bytes))
            }
            None => {
                hash(&mut reader, length, &mut hasher)?;
                None
            }
        };
        let mut last = String::new();
        let read = reader.read_to_string(&mut last);
        if read.is_err() || last != trailer(hasher.finalize()) {
            return Err(damaged("its checksum does not match"));
        }
        let payload = bytes.map_or_else(|| Payload::File(reader.into_inner()), Payload::Memory);
        Ok(Self { header, length, offset, payload })
    }

    /// The whole payload of the file at `path`, which can be read again.
    pub(super) async fn replayable(self, path: &Path) -> io::Result<ByteStream> {
        match self.payload {
            Payload::Memory(bytes) => Ok(ByteStream::from(bytes)),
            Payload::File(_) => {
                let stream = ByteStream::read_from().path(path).offset(self.offset);
                let stream = stream.length(Length::Exact(self.length)).build().await;
                stream.map_err(io::Error::other)
            }
        }
    }

    /// `length` bytes of the payload from `first` on, whatever becomes of the file's name.
    pub(super) async fn slice(self, first: u64, length: u64) -> io::Result<ByteStream> {
        match self.payload {
            Payload::Memory(bytes) => {
                let first = usize::try_from(first).unwrap_or(usize::MAX).min(bytes.len());
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let last = first.saturating_add(length).min(bytes.len());
                Ok(ByteStream::from(bytes.slice(first..last)))
            }
            Payload::File(file) => {
                let stream = ByteStream::read_from().file(tokio::fs::File::from_std(file));
                let stream = stream.offset(self.offset.saturating_add(first));
                let stream = stream.length(Length::Exact(length)).build().await;
                stream.map_err(io::Error::other)
            }
        }
    }
}

/// The header alone, unproven, and the length of the payload by the size of the file.
pub(super) fn peek(path: &Path) -> Result<(Header, u64), Flaw> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let (header, offset) = read_header(&mut BufReader::new(file), &mut Hasher::new())?;
    let length = size.checked_sub(offset.saturating_add(TRAILER));
    Ok((header, length.ok_or_else(|| damaged("it is too short"))?))
}

/// The header, and how many bytes it has.
fn read_header(reader: &mut BufReader<File>, hasher: &mut Hasher) -> Result<(Header, u64), Flaw> {
    let mut lines = Vec::new();
    reader.take(LONGEST).read_until(b'\n', &mut lines)?;
    if lines != MAGIC {
        return Err(damaged("its first line is not that of an entry"));
    }
    let begin = lines.len();
    reader.take(LONGEST).read_until(b'\n', &mut lines)?;
    hasher.update(&lines);
    let line = lines.get(begin..).unwrap_or_default();
    let header = serde_json::from_slice(line)
        .map_err(|error| Flaw::Damaged(format!("its header can not be read: {error}")))?;
    Ok((header, u64::try_from(lines.len()).unwrap_or(u64::MAX)))
}

fn hash(reader: &mut BufReader<File>, length: u64, hasher: &mut Hasher) -> Result<(), Flaw> {
    let mut left = length;
    while left > 0 {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Err(damaged("it ends too early"));
        }
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        hasher.update(buffer.get(..take).unwrap_or_default());
        reader.consume(take);
        left = left.saturating_sub(u64::try_from(take).unwrap_or(u64::MAX));
    }
    Ok(())
}

fn damaged(flaw: &str) -> Flaw {
    Flaw::Damaged(flaw.to_owned())
}
