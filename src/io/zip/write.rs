//! Archives of ours: every size in 64 bits, so that there is one form of them.
use super::{DEFLATED, END, END_64, ENTRY, EXTRA_64, IN_EXTRA, LOCATOR_64, RECORD, STORED};
use flate2::{Compression, Crc, write::DeflateEncoder};
use std::io::{Error, ErrorKind, Result, Write};

/// How an entry is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As it is, at a multiple of 64 bytes, so that it can be used where it lies.
    Stored,
    /// Compressed.
    Deflated,
}

/// Writes an archive, entry by entry.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    at: u64,
    directory: Vec<u8>,
    count: u64,
}

impl<W: Write> Writer<W> {
    /// An archive that begins here.
    pub fn new(out: W) -> Self {
        Self { out, at: 0, directory: vec![], count: 0 }
    }

    /// Adds an entry of these pieces, one after another.
    pub fn add(&mut self, name: &str, pieces: &[&[u8]], method: Method) -> Result<()> {
        let mut crc = Crc::new();
        pieces.iter().for_each(|piece| crc.update(piece));
        let size = pieces.iter().map(|piece| piece.len() as u64).sum();
        let entry = Entry { name, crc: crc.sum(), size, start: self.at };
        match method {
            Method::Stored => self.entry(&entry, STORED, pieces),
            Method::Deflated => {
                let mut encoder = DeflateEncoder::new(vec![], Compression::default());
                pieces.iter().try_for_each(|piece| encoder.write_all(piece))?;
                self.entry(&entry, DEFLATED, &[&encoder.finish()?])
            }
        }
    }

    fn entry(&mut self, entry: &Entry, method: u16, packed: &[&[u8]]) -> Result<()> {
        let len = packed.iter().map(|piece| piece.len() as u64).sum();
        self.put(&entry.header(method, len)?)?;
        packed.iter().try_for_each(|piece| self.put(piece))?;
        self.directory.extend(entry.record(method, len)?);
        self.count += 1;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Writes the directory, and gives back what was written to.
    pub fn finish(mut self) -> Result<W> {
        let (start, size, count) = (self.at, self.directory.len() as u64, self.count);
        let directory = std::mem::take(&mut self.directory);
        self.put(&directory)?;
        let end = self.at;
        let mut tail = vec![];
        // the 64-bit end, without the 12 bytes of its own first two fields
        tail.extend(END_64.to_le_bytes());
        tail.extend(44u64.to_le_bytes());
        tail.extend([VERSION, VERSION].map(u16::to_le_bytes).concat());
        tail.extend([0u32; 2].map(u32::to_le_bytes).concat());
        tail.extend([count, count, size, start].map(u64::to_le_bytes).concat());
        // where that end is, on the first of one disk
        tail.extend([LOCATOR_64, 0].map(u32::to_le_bytes).concat());
        tail.extend(end.to_le_bytes());
        tail.extend(1u32.to_le_bytes());
        // the end, which points there
        tail.extend(END.to_le_bytes());
        tail.extend([0, 0, u16::MAX, u16::MAX].map(u16::to_le_bytes).concat());
        tail.extend([IN_EXTRA, IN_EXTRA].map(u32::to_le_bytes).concat());
        tail.extend(0u16.to_le_bytes());
        self.put(&tail)?;
        Ok(self.out)
    }
}

/// Where stored bytes begin: at a multiple of this.
const ALIGNMENT: u64 = 64;
/// The number of the extra field that fills the space before them.
const PADDING: u16 = u16::from_le_bytes(*b"FB");
/// The version of the format that has 64-bit sizes.
const VERSION: u16 = 45;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// The first of January 1980, the first day of zip: one content gives one file.
const DATE: u32 = 0x0021_0000;

struct Entry<'a> {
    name: &'a str,
    crc: u32,
    size: u64,
    start: u64,
}

impl Entry<'_> {
    /// What stands before the bytes of the entry.
    fn header(&self, method: u16, packed: u64) -> Result<Vec<u8>> {
        let sizes = extra_64(&[self.size, packed]);
        // the fixed part is 30 bytes long, and the header of the field that pads 4
        let before = self.start + 30 + self.name.len() as u64 + sizes.len() as u64 + 4;
        let padding = (ALIGNMENT - before % ALIGNMENT) % ALIGNMENT;
        let mut header = ENTRY.to_le_bytes().to_vec();
        header.extend(VERSION.to_le_bytes());
        self.common(method, sizes.len() as u16 + 4 + padding as u16, &mut header)?;
        header.extend(self.name.as_bytes());
        header.extend(sizes);
        header.extend([PADDING, padding as u16].map(u16::to_le_bytes).concat());
        header.resize(header.len() + padding as usize, 0);
        Ok(header)
    }

    /// What stands in the directory.
    fn record(&self, method: u16, packed: u64) -> Result<Vec<u8>> {
        let sizes = extra_64(&[self.size, packed, self.start]);
        let mut record = RECORD.to_le_bytes().to_vec();
        record.extend([VERSION, VERSION].map(u16::to_le_bytes).concat());
        self.common(method, sizes.len() as u16, &mut record)?;
        // no comment, the first disk, no attributes
        record.extend([0; 10]);
        record.extend(IN_EXTRA.to_le_bytes());
        record.extend(self.name.as_bytes());
        record.extend(sizes);
        Ok(record)
    }

    /// The fields that a header and a record have in common.
    fn common(&self, method: u16, extra: u16, to: &mut Vec<u8>) -> Result<()> {
        let name = u16::try_from(self.name.len()).map_err(|_| {
            Error::new(ErrorKind::InvalidInput, format!("a name of {} bytes is too long", self.name.len()))
        })?;
        to.extend([FLAGS, method].map(u16::to_le_bytes).concat());
        to.extend([DATE, self.crc, IN_EXTRA, IN_EXTRA].map(u32::to_le_bytes).concat());
        to.extend([name, extra].map(u16::to_le_bytes).concat());
        Ok(())
    }
}

/// The extra field of these 64-bit numbers.
fn extra_64(numbers: &[u64]) -> Vec<u8> {
    let mut field = [EXTRA_64, 8 * numbers.len() as u16].map(u16::to_le_bytes).concat();
    numbers.iter().for_each(|number| field.extend(number.to_le_bytes()));
    field
}
