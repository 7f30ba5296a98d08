//! Files that are there whole, or not at all.
use crate::{Error, Result};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Writes a file by way of a temporary one beside it, which takes its name when all is on the disk. Where
/// anything fails (a full disk), an older file of that name stays as it was.
///
/// ```
/// use std::io::Write;
/// let path = std::env::temp_dir().join("firesteel-write-atomic.txt");
/// firesteel::io::write_atomic(&path, |file| file.write_all(b"whole"))?;
/// assert_eq!(std::fs::read(&path)?, b"whole");
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn write_atomic(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> Result<()> {
    let path = path.as_ref();
    let temporary = beside(path);
    let done = write_to(&temporary, write).and_then(|()| rename(&temporary, path));
    done.map_err(|e| {
        // what is left of a failed attempt is of no use to anyone; the error says what failed
        let _ = fs::remove_file(&temporary);
        Error::io("write", format!("cannot write {}: {e}", path.display())).because(e)
    })
}

fn write_to(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create_new(path)?);
    write(&mut file)?;
    file.flush()?;
    file.get_ref().sync_all()
}

fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::rename(from, to)?;
    // on Unix the name is on the disk when the folder is; elsewhere folders cannot be opened
    if cfg!(unix) { File::open(folder(to))?.sync_all() } else { Ok(()) }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes what processes that were killed left of their attempts to write this file. Nobody may be writing it.
pub(super) fn remove_unfinished(path: &Path) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let found = entry.file_name();
        let found = found.to_string_lossy();
        let rest = found.strip_prefix(&*name).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".tmp"));
        if rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'-')) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// A name in the same folder that no other attempt has: that of the file, the process, and a count.
fn beside(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}-{}.tmp", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("firesteel-atomic-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("file");
        write_atomic(&path, |f| f.write_all(b"old")).unwrap();
        let full = |f: &mut BufWriter<File>| {
            f.write_all(b"half of the n")?;
            Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
        };
        assert!(write_atomic(&path, full).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(write_atomic(folder.join("no/such/folder"), |_| Ok(())).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
