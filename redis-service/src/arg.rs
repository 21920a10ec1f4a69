//! Keys and values as callers have them.

use bytes::Bytes;

/// Anything that can stand for a key, a field, a member or a value: text, bytes, integers.
///
/// Redis strings are binary-safe, so all of them become plain bytes; integers become their decimal
/// text. `Bytes`, `String` and `Vec<u8>` move in without a copy.
pub trait Arg {
    /// The bytes that Redis gets.
    fn into_bytes(self) -> Bytes;
}

impl Arg for Bytes {
    fn into_bytes(self) -> Bytes {
        self
    }
}

impl Arg for &Bytes {
    fn into_bytes(self) -> Bytes {
        self.clone()
    }
}

impl Arg for String {
    fn into_bytes(self) -> Bytes {
        self.into()
    }
}

impl Arg for &String {
    fn into_bytes(self) -> Bytes {
        Bytes::copy_from_slice(self.as_bytes())
    }
}

impl Arg for &str {
    fn into_bytes(self) -> Bytes {
        Bytes::copy_from_slice(self.as_bytes())
    }
}

impl Arg for Vec<u8> {
    fn into_bytes(self) -> Bytes {
        self.into()
    }
}

impl Arg for &[u8] {
    fn into_bytes(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

impl<const N: usize> Arg for &[u8; N] {
    fn into_bytes(self) -> Bytes {
        Bytes::copy_from_slice(self)
    }
}

impl<const N: usize> Arg for [u8; N] {
    fn into_bytes(self) -> Bytes {
        Bytes::copy_from_slice(&self)
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl Arg for $int {
            fn into_bytes(self) -> Bytes {
                self.to_string().into()
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);
