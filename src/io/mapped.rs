//! Files as bytes, without reading them.
use crate::{Error, Result};
use memmap2::Mmap;
use std::{fs::File, path::Path};

/// The bytes of a file, which the system reads from the disk as they are looked at.
pub(super) fn map(format: &'static str, path: &Path) -> Result<Mmap> {
    let opened = File::open(path).and_then(|file| {
        // SAFETY: a map is sound as long as nobody shortens or rewrites the file under it. No program can rule that
        // out for files of others; files of ours are replaced by renaming (`write_atomic`), which leaves maps of
        // the old one as they were, and the documentation of all readers says so.
        unsafe { Mmap::map(&file) }
    });
    opened.map_err(|e| Error::io(format, format!("cannot read {}: {e}", path.display())).because(e))
}
