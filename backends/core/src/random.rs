//! Random numbers from a counter: Philox 4x32-10, the same on every machine.
//! Salmon et al., [Parallel random numbers: as easy as 1, 2, 3](https://doi.org/10.1145/2063384.2063405), 2011.
use std::sync::atomic::{AtomicU64, Ordering};

/// Where a random tensor starts in the one sequence that its seed determines, in blocks of four words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stream {
    /// Which sequence.
    pub seed: u64,
    /// The first block.
    pub offset: u64,
}

impl Stream {
    /// The four words of a block, counted from the stream's start.
    #[inline(always)]
    pub fn block(self, index: u64) -> [u32; 4] {
        let ([k0, k1], [lo, hi]) = (halves(self.seed), halves(self.offset.wrapping_add(index)));
        philox([lo, hi, 0, 0], [k0, k1])
    }
}

#[inline(always)]
fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

#[inline(always)]
fn philox([mut a, mut b, mut c, mut d]: [u32; 4], [mut k0, mut k1]: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let p = u64::from(a) * 0xD251_1F53;
        let q = u64::from(c) * 0xCD9E_8D57;
        [a, b, c, d] = [(q >> 32) as u32 ^ b ^ k0, q as u32, (p >> 32) as u32 ^ d ^ k1, p as u32];
        k0 = k0.wrapping_add(0x9E37_79B9);
        k1 = k1.wrapping_add(0xBB67_AE85);
    }
    [a, b, c, d]
}

/// A device's source of streams: a seed, and how far its sequence is used up.
///
/// ```
/// use firesteel_core::Generator;
/// let generator = Generator::new(7);
/// let first = generator.reserve(10);
/// assert_ne!(first, generator.reserve(10));
/// generator.manual_seed(7);
/// assert_eq!(first, generator.reserve(10));
/// ```
#[derive(Debug)]
pub struct Generator {
    seed: AtomicU64,
    offset: AtomicU64,
}

impl Generator {
    /// A generator at the start of the sequence of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed: AtomicU64::new(seed), offset: AtomicU64::new(0) }
    }

    /// Starts the sequence of `seed` from its beginning, as `torch.manual_seed` does.
    pub fn manual_seed(&self, seed: u64) {
        self.set_state(Stream { seed, offset: 0 });
    }

    /// Where the generator stands, to be saved with a checkpoint.
    pub fn state(&self) -> Stream {
        Stream { seed: self.seed.load(Ordering::SeqCst), offset: self.offset.load(Ordering::SeqCst) }
    }

    /// Puts the generator where it stood.
    pub fn set_state(&self, state: Stream) {
        self.seed.store(state.seed, Ordering::SeqCst);
        self.offset.store(state.offset, Ordering::SeqCst);
    }

    /// A stream for `numel` random numbers of any distribution, which no other call gets: a block of four
    /// words makes at least one number.
    pub fn reserve(&self, numel: usize) -> Stream {
        let offset = self.offset.fetch_add(numel as u64, Ordering::SeqCst);
        Stream { seed: self.seed.load(Ordering::SeqCst), offset }
    }
}

/// How the words of a stream become numbers: the one definition that every machine follows.
pub mod recipe {
    use crate::DType;

    /// Element `i` of a 32-bit draw is word `i % 4` of block `i / 4`; 24 bits of it, in `[0, 1)`.
    #[inline]
    pub fn uniform32(word: u32) -> f32 {
        (word >> 8) as f32 * (1.0 / 16_777_216.0)
    }

    /// The bits of a word that a number in `[0, 1)` of this dtype is made of. Half precision takes as many as it has
    /// digits, 11 or 8, as PyTorch does: more would be rounded, and to 1 at times.
    ///
    /// ```
    /// use firesteel_core::{DType, recipe};
    /// assert_eq!(recipe::uniform32(u32::MAX & recipe::kept(DType::F16)), 1.0 - 1.0 / 2048.0);
    /// ```
    #[inline]
    pub fn kept(dtype: DType) -> u32 {
        match dtype {
            DType::F16 => !0 << 21,
            DType::BF16 => !0 << 24,
            DType::F64 | DType::F32 => !0,
            DType::I64 | DType::I32 | DType::I8 | DType::U32 | DType::U8 | DType::Bool => !0,
        }
    }

    /// Element `i` of a 64-bit draw is the pair `i % 2` of block `i / 2`; 53 bits of it, in `[0, 1)`.
    #[inline]
    pub fn uniform64(lo: u32, hi: u32) -> f64 {
        (bits64(lo, hi) >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// Two words as one.
    #[inline]
    pub fn bits64(lo: u32, hi: u32) -> u64 {
        u64::from(hi) << 32 | u64::from(lo)
    }

    /// Box and Muller: two even numbers in `[0, 1)` to two normal ones,
    /// `√(-2 ln (1 - u)) · (cos 2πv, sin 2πv)`. Elements `2i` and `2i + 1` come from draws `2i` and `2i + 1`.
    #[inline]
    pub fn normal(u: f64, v: f64) -> [f64; 2] {
        let radius = (-2. * (1. - u).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * v).sin_cos();
        [radius * cos, radius * sin]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_published_vectors() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
    }
}
