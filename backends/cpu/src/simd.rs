//! Loops compiled once for each instruction set, chosen when the program runs.
//!
//! A kernel is an ordinary loop of ordinary scalar code. [`dispatch!`] writes it out for the
//! baseline, for AVX2 with FMA and for AVX-512, lets LLVM vectorise each, and runs the widest that this
//! processor has:
//!
//! ```text
//! dispatch!(|L| for (y, x) in ys.iter_mut().zip(&xs) { *y = math::exp::<L>(*x) });
//! ```
//!
//! What the loop calls must be `#[inline(always)]`: a function that stays a call was compiled for the
//! baseline. [`pulp`] detects the instruction sets and carries a closure into each; `L` is what it lacks, a
//! type that tells scalar code whether a fused multiply-add is one instruction or a slow library call.

use crate::stream::CacheLine;
use pulp::{Simd, WithSimd};
use std::ops::{Add, Mul};
use std::sync::OnceLock;

/// A floating-point type that [`Level`] computes in.
pub trait Float: Copy + Add<Output = Self> + Mul<Output = Self> {
    /// `self * b + c`, rounded once.
    fn fused(self, b: Self, c: Self) -> Self;
}

impl Float for f32 {
    #[inline(always)]
    fn fused(self, b: f32, c: f32) -> f32 {
        self.mul_add(b, c)
    }
}

impl Float for f64 {
    #[inline(always)]
    fn fused(self, b: f64, c: f64) -> f64 {
        self.mul_add(b, c)
    }
}

/// An instruction set, as a type.
pub trait Level: Copy + 'static {
    /// Whether `f32::mul_add` is one instruction here.
    const FMA: bool;

    /// `a * b + c`, rounded once where the hardware does so, twice elsewhere.
    #[inline(always)]
    fn fma<T: Float>(a: T, b: T, c: T) -> T {
        if Self::FMA { a.fused(b, c) } else { a * b + c }
    }

    /// The polynomial in `x` with these coefficients, the highest power's first, by Horner's rule.
    #[inline(always)]
    fn poly<T: Float, const N: usize>(x: T, coefficients: [T; N]) -> T {
        let mut sum = coefficients[0];
        for c in &coefficients[1..] {
            sum = Self::fma(sum, x, *c);
        }
        sum
    }

    /// `y = x`, around the caches where there is a way.
    #[inline(always)]
    fn stream(x: CacheLine, y: &mut CacheLine) {
        *y = x;
    }
}

/// What every processor of the target has.
#[derive(Clone, Copy, Debug)]
pub struct Baseline;

/// x86-64-v3: AVX2 and FMA.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct V3;

/// x86-64-v4: AVX-512.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct V4;

impl Level for Baseline {
    const FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));
}

#[cfg(target_arch = "x86_64")]
impl Level for V3 {
    const FMA: bool = true;

    #[inline(always)]
    fn stream(x: CacheLine, y: &mut CacheLine) {
        use std::arch::x86_64::{__m256i, _mm256_loadu_si256, _mm256_stream_si256};
        let (x, y) = ((&raw const x).cast::<__m256i>(), (&raw mut *y).cast::<__m256i>());
        // SAFETY: both are two vectors long, `y` lies on a boundary of vectors, and what runs at this level was
        // dispatched to a processor that has AVX2.
        unsafe {
            _mm256_stream_si256(y, _mm256_loadu_si256(x));
            _mm256_stream_si256(y.add(1), _mm256_loadu_si256(x.add(1)));
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Level for V4 {
    const FMA: bool = true;

    #[inline(always)]
    fn stream(x: CacheLine, y: &mut CacheLine) {
        use std::arch::x86_64::{_mm512_loadu_si512, _mm512_stream_si512};
        // SAFETY: both are one vector, `y` lies on a boundary of such, and what runs at this level was dispatched to a
        // processor that has AVX-512.
        unsafe { _mm512_stream_si512((&raw mut *y).cast(), _mm512_loadu_si512((&raw const x).cast())) }
    }
}

/// An instruction set that this processor was seen to have.
#[derive(Clone, Copy, Debug)]
pub enum Isa {
    /// See [`Baseline`].
    Baseline,
    /// See [`V3`].
    #[cfg(target_arch = "x86_64")]
    V3(pulp::x86::V3),
    /// See [`V4`].
    #[cfg(target_arch = "x86_64")]
    V4(pulp::x86::V4),
}

/// The instruction sets that this processor has, the widest first. The last is the baseline.
pub fn available() -> impl Iterator<Item = Isa> {
    #[cfg(target_arch = "x86_64")]
    let wide = [pulp::x86::V4::try_new().map(Isa::V4), pulp::x86::V3::try_new().map(Isa::V3)];
    #[cfg(not(target_arch = "x86_64"))]
    let wide: [Option<Isa>; 0] = [];
    wide.into_iter().flatten().chain([Isa::Baseline])
}

/// The widest instruction set that this processor has, looked up once. The environment variable
/// `FIRESTEEL_SIMD`, one of `baseline`, `v3` and `v4`, lowers it: for tests, and to compare.
pub fn best() -> Isa {
    static BEST: OnceLock<Isa> = OnceLock::new();
    *BEST.get_or_init(|| {
        let limit = std::env::var("FIRESTEEL_SIMD").unwrap_or_default();
        available().find(|isa| isa.within(&limit)).unwrap_or(Isa::Baseline)
    })
}

/// Runs a kernel that names its vectors with the widest of them.
pub fn on_vectors<W: WithSimd>(work: W) -> W::Output {
    match best() {
        #[cfg(target_arch = "x86_64")]
        Isa::V4(isa) => Simd::vectorize(isa, work),
        #[cfg(target_arch = "x86_64")]
        Isa::V3(isa) => Simd::vectorize(isa, work),
        Isa::Baseline => Simd::vectorize(pulp::Scalar, work),
    }
}

#[cfg(target_arch = "x86_64")]
type V3Token = pulp::x86::V3;
#[cfg(not(target_arch = "x86_64"))]
type V3Token = std::convert::Infallible;

impl Isa {
    /// What shows that the processor has AVX2, where it has and may use it.
    #[inline(always)]
    pub fn at_most_v3(self) -> Option<V3Token> {
        match self {
            Isa::Baseline => None,
            #[cfg(target_arch = "x86_64")]
            Isa::V3(isa) => Some(isa),
            #[cfg(target_arch = "x86_64")]
            Isa::V4(isa) => Some(*isa),
        }
    }

    /// How many numbers in F32 a vector has.
    pub fn lanes(self) -> usize {
        match self {
            Isa::Baseline => 1,
            #[cfg(target_arch = "x86_64")]
            Isa::V3(_) => 8,
            #[cfg(target_arch = "x86_64")]
            Isa::V4(_) => 16,
        }
    }

    /// Whether a limit as [`best`] reads it allows this one. Any other text is no limit.
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))] // the baseline has no limit
    fn within(self, limit: &str) -> bool {
        match self {
            Isa::Baseline => true,
            #[cfg(target_arch = "x86_64")]
            Isa::V3(_) => limit != "baseline",
            #[cfg(target_arch = "x86_64")]
            Isa::V4(_) => limit != "baseline" && limit != "v3",
        }
    }
}

/// Runs an expression under the best instruction set: `dispatch!(|L| ..)`, where `L` is a type that is a
/// [`Level`]; or under one given: `dispatch!(isa, |L| ..)`. Its value is the expression's. A `return` or `?`
/// inside leaves the expression only.
macro_rules! dispatch {
    (|$level:ident| $body:expr) => {
        dispatch!($crate::simd::best(), |$level| $body)
    };
    ($isa:expr, |$level:ident| $body:expr) => {
        match $isa {
            #[cfg(target_arch = "x86_64")]
            $crate::simd::Isa::V4(isa) => {
                #[allow(dead_code)]
                type $level = $crate::simd::V4;
                isa.vectorize(
                    #[inline(always)]
                    || $body,
                )
            }
            #[cfg(target_arch = "x86_64")]
            $crate::simd::Isa::V3(isa) => {
                #[allow(dead_code)]
                type $level = $crate::simd::V3;
                isa.vectorize(
                    #[inline(always)]
                    || $body,
                )
            }
            $crate::simd::Isa::Baseline => {
                #[allow(dead_code)]
                type $level = $crate::simd::Baseline;
                $crate::simd::plain(
                    #[inline(always)]
                    || $body,
                )
            }
        }
    };
}

/// As [`dispatch!`], but AVX2 at most: for loops that AVX-512 makes no faster, since memory or the
/// adders set their pace. What is compiled less often is compiled sooner.
macro_rules! dispatch_v3 {
    (|$level:ident| $body:expr) => {
        match $crate::simd::best().at_most_v3() {
            #[cfg(target_arch = "x86_64")]
            Some(isa) => {
                #[allow(dead_code)]
                type $level = $crate::simd::V3;
                isa.vectorize(
                    #[inline(always)]
                    || $body,
                )
            }
            _ => {
                #[allow(dead_code)]
                type $level = $crate::simd::Baseline;
                $crate::simd::plain(
                    #[inline(always)]
                    || $body,
                )
            }
        }
    };
}

/// Calls the function: the macros' way to give every arm the same shape.
#[inline(always)]
pub fn plain<R>(f: impl FnOnce() -> R) -> R {
    f()
}

pub(crate) use {dispatch, dispatch_v3};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_computes_the_same_sum() {
        let xs: Vec<f32> = (0..1000).map(|i| i as f32).collect();
        for isa in available() {
            let sum: f32 = dispatch!(isa, |L| xs.iter().fold(0.0, |sum, x| L::fma(*x, 2.0, sum)));
            assert_eq!(sum, 999_000.0, "{isa:?}");
        }
    }

    #[test]
    fn a_limit_lowers_the_level() {
        assert!(available().all(|isa| isa.within("")));
        assert!(matches!(available().find(|isa| isa.within("baseline")), Some(Isa::Baseline)));
    }
}
