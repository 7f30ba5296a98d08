//! Archives that nobody vouches for.
use super::{DEFLATED, END, END_64, ENTRY, EXTRA_64, IN_EXTRA, LOCATOR_64, RECORD, STORED};
use crate::{
    Error, Result,
    io::{cursor::Cursor, limits::Budget},
};
use flate2::{Crc, read::DeflateDecoder};
use std::{borrow::Cow, collections::BTreeMap, io::Read};

/// The entries of an archive by name. Their bytes are unpacked and checked when they are asked for.
#[derive(Debug)]
pub struct Archive<'a> {
    format: &'static str,
    bytes: &'a [u8],
    entries: BTreeMap<&'a str, Entry>,
}

/// What the directory says of an entry.
#[derive(Clone, Copy, Debug)]
struct Entry {
    method: u16,
    crc: u32,
    packed: u64,
    size: u64,
    start: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory of an archive that holds a file of this format.
    pub fn read(format: &'static str, bytes: &'a [u8]) -> Result<Self> {
        let mut entries = BTreeMap::new();
        let mut packed = 0u64;
        let (mut directory, count) = directory(format, bytes)?;
        for _ in 0..count {
            let (name, entry) = Entry::read(format, &mut directory)?;
            packed = packed.saturating_add(entry.packed);
            if entries.insert(name, entry).is_some() {
                return Err(Error::format(format, format!("the archive holds {name:?} twice")));
            }
        }
        // bombs of a small file have entries that share their bytes
        if packed > bytes.len() as u64 {
            let why = format!("entries of {packed} bytes do not fit in an archive of {}", bytes.len());
            return Err(Error::format(format, why));
        }
        Ok(Self { format, bytes, entries })
    }

    /// The names of the entries, in their alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.entries.keys().copied()
    }

    /// Whether there is an entry with this name.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The bytes of an entry, within what may be spent on unpacking it.
    pub fn get(&self, name: &str, budget: &mut Budget) -> Result<Cow<'a, [u8]>> {
        let broken = |why: &str| Error::format(self.format, format!("{name:?} in the archive {why}"));
        let entry = self.entries.get(name).ok_or_else(|| broken("is missing"))?;
        let packed = self.packed(entry)?;
        let bytes: Cow<[u8]> = match entry.method {
            STORED => packed.into(),
            DEFLATED => {
                budget.charge(entry.size)?;
                let mut bytes = vec![];
                // one byte more would show that the size was a lie
                let mut unpacked = DeflateDecoder::new(packed).take(entry.size.saturating_add(1));
                unpacked.read_to_end(&mut bytes).map_err(|e| broken(&format!("is broken: {e}")))?;
                bytes.into()
            }
            method => return Err(broken(&format!("is packed by method {method}: only 0 and 8 are read"))),
        };
        if bytes.len() as u64 != entry.size {
            return Err(broken(&format!("has {} bytes, not the {} promised", bytes.len(), entry.size)));
        }
        let mut crc = Crc::new();
        crc.update(&bytes);
        if crc.sum() != entry.crc {
            return Err(broken("is damaged: its checksum differs"));
        }
        Ok(bytes)
    }

    /// An entry's bytes as they lie in the archive, after its own header.
    fn packed(&self, entry: &Entry) -> Result<&'a [u8]> {
        let mut cursor = Cursor::new(self.format, self.bytes);
        cursor.take(entry.start)?;
        let signature = cursor.u32()?;
        if signature != ENTRY {
            return Err(Error::format(self.format, "the archive's directory points to no entry"));
        }
        // what stands here stands in the directory too, but for the lengths of two fields
        cursor.take(22usize)?;
        let (name, extra) = (cursor.u16()?, cursor.u16()?);
        cursor.take(name)?;
        cursor.take(extra)?;
        cursor.take(entry.packed)
    }
}

/// The start of the directory, and how many records it has.
fn directory<'a>(format: &'static str, bytes: &'a [u8]) -> Result<(Cursor<'a>, u64)> {
    // the end's record is 22 bytes long, and a comment of up to 64 KiB may follow
    let from = bytes.len().saturating_sub(22 + usize::from(u16::MAX));
    let tail = bytes.get(from..).unwrap_or_default();
    let Some(end) = tail.windows(4).rposition(|window| window == END.to_le_bytes()) else {
        return Err(Error::format(format, "the archive has no directory: was the file cut off?"));
    };
    let end = from + end;
    let mut cursor = Cursor::new(format, bytes);
    cursor.take(end + 10)?;
    let (count, _size, start, comment) = (cursor.u16()?, cursor.u32()?, cursor.u32()?, cursor.u16()?);
    cursor.take(comment)?;
    let (count, start) = match end_64(format, bytes, end)? {
        Some(large) => large,
        None => (count.into(), start.into()),
    };
    let mut cursor = Cursor::new(format, bytes);
    cursor.take(start)?;
    Ok((cursor, count))
}

/// What the 64-bit end of the directory says, where there is one before the end at `end`: how many records there are,
/// and where they begin.
fn end_64(format: &'static str, bytes: &[u8], end: usize) -> Result<Option<(u64, u64)>> {
    let Some(locator) = end.checked_sub(20) else {
        return Ok(None);
    };
    let mut cursor = Cursor::new(format, bytes);
    cursor.take(locator)?;
    if cursor.u32()? != LOCATOR_64 {
        return Ok(None);
    }
    let (_disk, at) = (cursor.u32()?, cursor.u64()?);
    let mut cursor = Cursor::new(format, bytes);
    cursor.take(at)?;
    if cursor.u32()? != END_64 {
        return Err(Error::format(format, "the archive's directory has no 64-bit end where it should be"));
    }
    cursor.take(28usize)?;
    let (count, _size, start) = (cursor.u64()?, cursor.u64()?, cursor.u64()?);
    Ok(Some((count, start)))
}

impl Entry {
    /// The next record of the directory.
    fn read<'a>(format: &'static str, directory: &mut Cursor<'a>) -> Result<(&'a str, Self)> {
        let broken = |why: &str| Error::format(format, format!("the archive's directory {why}"));
        if directory.u32()? != RECORD {
            return Err(broken("is broken"));
        }
        let (_versions, flags, method) = (directory.u32()?, directory.u16()?, directory.u16()?);
        let (_time, crc) = (directory.u32()?, directory.u32()?);
        let (packed, size) = (directory.u32()?, directory.u32()?);
        let (name, extra, comment) = (directory.u16()?, directory.u16()?, directory.u16()?);
        let (_disk_and_attributes, start) = (directory.take(8usize)?, directory.u32()?);
        let name =
            std::str::from_utf8(directory.take(name)?).map_err(|_| broken("has a name that is no text"))?;
        let mut large = extra_64(format, directory.take(extra)?)?;
        directory.take(comment)?;
        if flags & 1 != 0 {
            return Err(broken(&format!("says that {name:?} is encrypted, which is not read")));
        }
        // the 64-bit field holds those values, in this order, whose own field is too narrow
        let mut wide = |narrow: u32| match narrow {
            IN_EXTRA => large.u64(),
            narrow => Ok(narrow.into()),
        };
        let (size, packed, start) = (wide(size)?, wide(packed)?, wide(start)?);
        Ok((name, Self { method, crc, packed, size, start }))
    }
}

/// The 64-bit field among the extra fields of a record; nothing where it is missing.
fn extra_64<'a>(format: &'static str, extra: &'a [u8]) -> Result<Cursor<'a>> {
    let mut fields = Cursor::new(format, extra);
    // less than a field's header is padding
    while extra.len() - fields.position() >= 4 {
        let (number, len) = (fields.u16()?, fields.u16()?);
        let field = fields.take(len)?;
        if number == EXTRA_64 {
            return Ok(Cursor::new(format, field));
        }
    }
    Ok(Cursor::new(format, &[]))
}
