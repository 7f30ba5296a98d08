//! Bytes that nobody vouches for, read from front to back.
use crate::{Error, Result};

/// A place in the bytes of a file. What would go past their end is an error, and nothing is set aside for lengths
/// that the file merely claims.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    format: &'static str,
    bytes: &'a [u8],
    at: usize,
}

macro_rules! numbers {
    ($($name:ident $t:ty)*) => {$(
        /// The next number, little-endian.
        pub fn $name(&mut self) -> Result<$t> {
            self.array().map(<$t>::from_le_bytes)
        }
    )*};
}

impl<'a> Cursor<'a> {
    /// The start of the bytes of a file in this format, which errors name.
    pub fn new(format: &'static str, bytes: &'a [u8]) -> Self {
        Self { format, bytes, at: 0 }
    }

    /// How many bytes were read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: impl TryInto<usize>) -> Result<&'a [u8]> {
        let end = len.try_into().ok().and_then(|len| self.at.checked_add(len));
        let Some(taken) = end.and_then(|end| self.bytes.get(self.at..end)) else {
            let why = format!("the file ends too early: byte {} is cut off", self.bytes.len());
            return Err(Error::format(self.format, why));
        };
        self.at += taken.len();
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| Error::internal(self.format, "a slice of another length"))
    }

    /// The bytes before the next newline, which is passed over.
    pub fn line(&mut self) -> Result<&'a [u8]> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let len = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        let line = self.take(len)?;
        self.take(1usize)?;
        Ok(line)
    }

    numbers! { u8 u8 u16 u16 u32 u32 u64 u64 i32 i32 }
}
