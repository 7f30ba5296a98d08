//! How much memory a file may take.
use crate::{Error, Result};

/// Bounds for reading a file that one did not make oneself. A few bytes can ask for terabytes: zeros compress a
/// thousandfold, a stride of zero repeats one number, and a list may hold the same list many times.
///
/// ```
/// use firesteel::io::{Limits, pth};
/// let bytes = pth::to_bytes(&vec![1.0; 1000].into_iter().collect())?;
/// assert!(pth::value_from_bytes(&bytes, Limits::default()).is_ok());
/// let error = pth::value_from_bytes(&bytes, Limits { memory: Some(100) }).unwrap_err();
/// assert!(error.to_string().contains("Limits::memory"));
/// # Ok::<(), firesteel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes that what is read may take; unless it is set, 1 GiB and eight times the file's length.
    pub memory: Option<u64>,
}

impl Limits {
    /// What may be spent on a file of `len` bytes.
    pub(super) fn budget(self, format: &'static str, len: usize) -> Budget {
        let usual = (1u64 << 30).saturating_add((len as u64).saturating_mul(8));
        let limit = self.memory.unwrap_or(usual);
        Budget { format, limit, left: limit }
    }
}

/// What may still be spent.
#[derive(Debug)]
pub(super) struct Budget {
    format: &'static str,
    limit: u64,
    left: u64,
}

impl Budget {
    /// Spends `bytes`, before they are set aside.
    pub fn charge(&mut self, bytes: impl TryInto<u64>) -> Result<()> {
        match bytes.try_into().ok().and_then(|bytes| self.left.checked_sub(bytes)) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                let why = format!(
                    "the file unfolds to more than the {} bytes that it may take: if it can be trusted, read it \
                     with a larger Limits::memory",
                    self.limit
                );
                Err(Error::memory(self.format, why))
            }
        }
    }
}
