//! Files from the network, which are there whole and as they should be, or not at all.
use crate::{Error, Result, io::write_atomic};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::{self, Read, Write},
    panic::Location,
    path::Path,
    time::Duration,
};

/// How errors name it.
const DOWNLOAD: &str = "download";

/// A file on the network, and what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remote<'a> {
    /// Where it is.
    pub url: &'a str,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: &'a str,
}

/// Fetches a file, unless it is there already and has the right checksum. It takes its name when all of it has arrived
/// and is right. `progress` is told how many bytes there are so far.
///
/// ```no_run
/// use firesteel::data::{Remote, download};
/// let labels = Remote {
///     url: "https://ossci-datasets.s3.amazonaws.com/mnist/t10k-labels-idx1-ubyte.gz",
///     bytes: 4542,
///     sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
/// };
/// download(labels, "data/t10k-labels-idx1-ubyte.gz", |bytes| eprintln!("{bytes} bytes"))?;
/// # Ok::<(), firesteel::Error>(())
/// ```
#[track_caller]
pub fn download(remote: Remote, path: impl AsRef<Path>, progress: impl FnMut(u64)) -> Result<()> {
    let (here, path) = (Location::caller(), path.as_ref());
    if is_there(remote, path) {
        return Ok(());
    }
    fetch(remote, path, progress).map_err(|e| {
        let Remote { url, sha256, .. } = remote;
        let path = path.display();
        let why = format!(
            "cannot fetch {url}: {}: put it at {path} by other means (its SHA-256 is {sha256})",
            e.message()
        );
        Error::new(e.kind(), DOWNLOAD, why).because(e).at(here)
    })
}

/// Whether the file is there, and is right.
fn is_there(remote: Remote, path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    copy(remote, file, &mut io::sink(), |_| ()).is_ok()
}

fn fetch(remote: Remote, path: &Path, progress: impl FnMut(u64)) -> Result<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(30)))
        .timeout_recv_response(Some(Duration::from_secs(60)))
        .build()
        .into();
    let response = agent.get(remote.url).call().map_err(|e| Error::io(DOWNLOAD, e.to_string()).because(e))?;
    let body = response.into_body().into_reader();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::io(DOWNLOAD, format!("cannot make {}: {e}", folder.display())).because(e))?;
    }
    write_atomic(path, |file| copy(remote, body, file, progress))
}

/// Copies what is read, which has to be what was promised.
fn copy(
    remote: Remote,
    mut from: impl Read,
    to: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> io::Result<()> {
    let wrong = |why: String| Err(io::Error::new(io::ErrorKind::InvalidData, why));
    let (mut hash, mut copied, mut buffer) = (Sha256::new(), 0u64, vec![0; 1 << 16]);
    loop {
        let read = from.read(&mut buffer)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
        to.write_all(bytes)?;
        copied += read as u64;
        if copied > remote.bytes {
            return wrong(format!("it has more than its {} bytes", remote.bytes));
        }
        progress(copied);
    }
    if copied < remote.bytes {
        return wrong(format!("it ends after {copied} of {} bytes", remote.bytes));
    }
    let found: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found.eq_ignore_ascii_case(remote.sha256) { Ok(()) } else { wrong(format!("its SHA-256 is {found}")) }
}
