//! Random numbers: the words of a stream block by block in vector code, then the recipe on many at once.
use crate::{
    CpuValue,
    elementwise::Stored,
    math::{cos_bounded, ln, sin_bounded},
    parallel,
    simd::{dispatch, dispatch_v3},
    value::Output,
};
use firesteel_core::{Distribution, Element, Meta, Result, Stream, recipe};
use std::f32::consts::TAU;

/// Numbers that are made together; a multiple of those that a block of four words makes.
const BATCH: usize = 256;

/// Below this many numbers another thread is not worth it.
const GRAIN: usize = 8 * 1024;

pub(crate) fn random(kind: Distribution, stream: Stream, out: &Meta) -> Result<CpuValue> {
    let kept = if kind == Distribution::Uniform { recipe::kept(out.dtype) } else { !0 };
    native!(out.dtype, T => {
        let mut y = Output::<T>::new(out.numel())?;
        // pieces start at whole blocks, and so at whole pairs
        parallel::pieces(y.slice(), 4, GRAIN, |start, y| fill(kind, kept, stream, start * 4, y));
        Ok(y.finish(&out.shape, out.dtype))
    })
}

/// The numbers from the one with number `start`, which is a multiple of four, of the `kept` bits of each word.
fn fill<T: Stored<Number: Draw>>(kind: Distribution, kept: u32, stream: Stream, start: usize, y: &mut [T]) {
    let per_number = <T::Number as Draw>::WORDS;
    let (mut words, mut numbers) = ([0; 2 * BATCH], [T::Number::default(); BATCH]);
    for (batch, y) in y.chunks_mut(BATCH).enumerate() {
        let numbers = &mut numbers[..y.len().next_multiple_of(4)];
        let words = &mut words[..numbers.len() * per_number];
        let block = ((start + batch * BATCH) * per_number / 4) as u64;
        dispatch_v3!(|L| for (i, words) in words.as_chunks_mut::<4>().0.iter_mut().enumerate() {
            *words = stream.block(block + i as u64).map(|word| word & kept);
        });
        match kind {
            Distribution::Uniform => Draw::uniform(words, numbers),
            Distribution::Normal => Draw::normal(words, numbers),
            Distribution::Bits => Draw::bits(words, numbers),
        }
        T::narrow(&numbers[..y.len()], y);
    }
}

/// A type that random words become numbers of. Of the distributions [`infer`](firesteel_core::infer) lets
/// through only those that the type has.
trait Draw: Sized {
    /// Words that one number takes.
    const WORDS: usize;
    fn uniform(words: &[u32], y: &mut [Self]);
    fn normal(words: &[u32], y: &mut [Self]);
    fn bits(words: &[u32], y: &mut [Self]);
}

impl Draw for f32 {
    const WORDS: usize = 1;

    fn uniform(words: &[u32], y: &mut [f32]) {
        dispatch_v3!(|L| for (y, &word) in y.iter_mut().zip(words) {
            *y = recipe::uniform32(word);
        })
    }

    /// [`recipe::normal`] in F32, whose 24 bits hold the even numbers as they are.
    fn normal(words: &[u32], y: &mut [f32]) {
        dispatch!(|L| for ([y0, y1], &[u, v]) in pairs_mut(y).iter_mut().zip(pairs(words)) {
            let radius = (-2. * ln::<L>(1. - recipe::uniform32(u))).sqrt();
            let angle = TAU * recipe::uniform32(v);
            (*y0, *y1) = (radius * cos_bounded::<L>(angle), radius * sin_bounded::<L>(angle));
        })
    }

    fn bits(_: &[u32], _: &mut [f32]) {}
}

impl Draw for f64 {
    const WORDS: usize = 2;

    fn uniform(words: &[u32], y: &mut [f64]) {
        dispatch_v3!(|L| for (y, &[lo, hi]) in y.iter_mut().zip(pairs(words)) {
            *y = recipe::uniform64(lo, hi);
        })
    }

    fn normal(words: &[u32], y: &mut [f64]) {
        Self::uniform(words, y);
        for y in pairs_mut(y) {
            *y = recipe::normal(y[0], y[1]);
        }
    }

    fn bits(_: &[u32], _: &mut [f64]) {}
}

impl Draw for i64 {
    const WORDS: usize = 2;

    fn uniform(_: &[u32], _: &mut [i64]) {}

    fn normal(_: &[u32], _: &mut [i64]) {}

    fn bits(words: &[u32], y: &mut [i64]) {
        for (y, &[lo, hi]) in y.iter_mut().zip(pairs(words)) {
            *y = recipe::bits64(lo, hi).cast_signed();
        }
    }
}

macro_rules! narrow_integers {
    ($($t:ident)*) => {$(
        impl Draw for $t {
            const WORDS: usize = 1;

            fn uniform(_: &[u32], _: &mut [$t]) {}

            fn normal(_: &[u32], _: &mut [$t]) {}

            fn bits(words: &[u32], y: &mut [$t]) {
                for (y, &word) in y.iter_mut().zip(words) {
                    *y = Element::from_i64(word.into());
                }
            }
        }
    )*};
}

narrow_integers! { i32 i8 u32 u8 }

fn pairs<T>(x: &[T]) -> &[[T; 2]] {
    x.as_chunks().0
}

fn pairs_mut<T>(x: &mut [T]) -> &mut [[T; 2]] {
    x.as_chunks_mut().0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::numbers;
    use firesteel_core::DType;

    const STREAM: Stream = Stream { seed: 7, offset: 3 };

    fn draw(kind: Distribution, dtype: DType, n: usize) -> Vec<f64> {
        numbers(&random(kind, STREAM, &Meta::new([n], dtype)).unwrap())
    }

    /// Word `i` of the stream.
    fn word(i: usize) -> u32 {
        STREAM.block((i / 4) as u64)[i % 4]
    }

    #[test]
    fn numbers_follow_the_recipe() {
        for n in [1, 5, 1000, 50_001] {
            let uniform = |i| f64::from(recipe::uniform32(word(i)));
            assert_eq!(draw(Distribution::Uniform, DType::F32, n), (0..n).map(uniform).collect::<Vec<_>>());
            for (dtype, digits) in [(DType::F16, 11), (DType::BF16, 8)] {
                let coarse = |i| f64::from(word(i) >> (32 - digits)) / f64::from(1 << digits);
                assert_eq!(draw(Distribution::Uniform, dtype, n), (0..n).map(coarse).collect::<Vec<_>>());
            }
            let wide = |i| recipe::uniform64(word(2 * i), word(2 * i + 1));
            assert_eq!(draw(Distribution::Uniform, DType::F64, n), (0..n).map(wide).collect::<Vec<_>>());
            let bits = |i| f64::from(word(i));
            assert_eq!(draw(Distribution::Bits, DType::U32, n), (0..n).map(bits).collect::<Vec<_>>());
            let normal =
                |of: &dyn Fn(usize) -> f64, i: usize| recipe::normal(of(i / 2 * 2), of(i / 2 * 2 + 1))[i % 2];
            for (dtype, of, tolerance) in [
                (DType::F32, &uniform as &dyn Fn(usize) -> f64, 2e-6),
                (DType::BF16, &uniform, 2e-2),
                (DType::F64, &wide, 0.),
            ] {
                for (i, x) in draw(Distribution::Normal, dtype, n).into_iter().enumerate() {
                    let expected = normal(of, i);
                    assert!(
                        (x - expected).abs() <= tolerance,
                        "{dtype} number {i} of {n}: {x} is not {expected}"
                    );
                }
            }
        }
    }
}
