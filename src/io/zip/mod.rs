//! The container of `.pth` and `.npz` files: [zip](https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) with
//! its 64-bit extension, entries stored or deflated.
mod read;
mod write;

pub(super) use read::Archive;
pub(super) use write::{Method, Writer};

/// What begins an entry, the directory's record of an entry, and the ends of the directory.
const ENTRY: u32 = 0x0403_4b50;
const RECORD: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const END_64: u32 = 0x0606_4b50;
const LOCATOR_64: u32 = 0x0706_4b50;
/// What stands in a 32-bit field whose value is in the extra field with this number.
const IN_EXTRA: u32 = u32::MAX;
const EXTRA_64: u16 = 1;
/// How entries are packed.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Limits;

    fn archive(method: Method) -> Vec<u8> {
        let mut writer = Writer::new(vec![]);
        writer.add("a/one", &[b"first, ", b"and last"], method).unwrap();
        writer.add("empty", &[], method).unwrap();
        writer.add("zeros", &[&[0; 100_000]], method).unwrap();
        writer.finish().unwrap()
    }

    fn read(bytes: &[u8], memory: u64) -> crate::Result<Vec<(String, Vec<u8>)>> {
        let mut budget = Limits { memory: Some(memory) }.budget("zip", bytes.len());
        let archive = Archive::read("zip", bytes)?;
        let names = archive.names().map(str::to_owned).collect::<Vec<_>>();
        names
            .into_iter()
            .map(|name| {
                let bytes = archive.get(&name, &mut budget)?.into_owned();
                Ok((name, bytes))
            })
            .collect()
    }

    #[test]
    fn comes_back_as_it_was() {
        for method in [Method::Stored, Method::Deflated] {
            let bytes = archive(method);
            let entries = read(&bytes, 1 << 20).unwrap();
            let expected = [("a/one", &b"first, and last"[..]), ("empty", b""), ("zeros", &[0; 100_000])];
            let expected: Vec<_> = expected.map(|(n, b)| (n.to_owned(), b.to_vec())).into();
            assert_eq!(entries, expected);
            assert_eq!(bytes.len() < 2000, method == Method::Deflated);
        }
    }

    #[test]
    fn what_is_stored_is_aligned() {
        let bytes = archive(Method::Stored);
        let at = bytes.windows(5).position(|w| w == b"first").unwrap();
        assert_eq!(at % 64, 0);
    }

    #[test]
    fn truncated_bent_and_bursting_archives_are_errors() {
        let bytes = archive(Method::Deflated);
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len], 1 << 20).is_err(), "{len} bytes");
        }
        assert!(read(&bytes, 99_999).is_err(), "more than it may take");
        let mut bent = archive(Method::Stored);
        let at = bent.windows(5).position(|w| w == b"first").unwrap();
        bent[at] ^= 1;
        let error = read(&bent, 1 << 20).unwrap_err();
        assert!(error.to_string().contains("checksum"), "{error}");
    }

    #[test]
    fn entries_that_share_bytes_are_an_error() {
        let mut writer = Writer::new(vec![]);
        writer.add("one", &[&[7; 5000]], Method::Stored).unwrap();
        writer.add("two", &[&[7; 5000]], Method::Stored).unwrap();
        let mut bytes = writer.finish().unwrap();
        // the second begins with the first and ends as it did, as the entries of bombs do
        let two = bytes.windows(3).rposition(|w| w == b"two").unwrap();
        let field = &mut bytes[two + 3 + 4..];
        for (at, number) in [9000u64, 9000, 0].into_iter().enumerate() {
            field[8 * at..][..8].copy_from_slice(&number.to_le_bytes());
        }
        let error = read(&bytes, 1 << 20).unwrap_err();
        assert!(error.to_string().contains("do not fit"), "{error}");
    }
}
