//! From nothing, and from and to host memory.
use crate::{
    CpuValue, parallel,
    value::{Native, Output},
    view,
};
use firesteel_core::{
    Data, Distribution, Element, Error, Meta, Result, Scalar, Stream, TensorData, recipe, with_dtype,
};
use half::{bf16, f16};

pub(crate) fn upload(data: TensorData) -> Result<CpuValue> {
    let meta = data.meta();
    bits!(meta.dtype, T => {
        let mut y = Output::<T>::new(meta.numel())?;
        bytemuck::cast_slice_mut::<T, u8>(y.slice()).copy_from_slice(data.data().bytes());
        Ok(y.finish(meta.shape, meta.dtype))
    })
}

pub(crate) fn download(x: &CpuValue) -> Result<TensorData> {
    let x = view::contiguous(x)?;
    let bytes: &[u8] = bits!(x.meta.dtype, T => bytemuck::cast_slice(x.rows::<T>().unwrap_or_default()));
    let data = Data::from_bytes(x.meta.dtype, bytes);
    TensorData::new(&x.meta.shape, data.ok_or_else(|| Error::internal("download", "a half element"))?)
}

pub(crate) fn arange(start: Scalar, step: Scalar, out: &Meta) -> Result<CpuValue> {
    with_dtype!(out.dtype, T => {
        let values: Vec<T> = match (start, step) {
            (Scalar::Int(start), Scalar::Int(step)) => (0..out.numel() as i64)
                .map(|i| T::from_i64(start.wrapping_add(step.wrapping_mul(i))))
                .collect(),
            _ => {
                let (start, step) = (start.to_f64(), step.to_f64());
                (0..out.numel()).map(|i| T::from_f64(start + i as f64 * step)).collect()
            }
        };
        upload(TensorData::new(&out.shape, T::wrap(values))?)
    })
}

/// A type that random numbers can be made of.
trait Draw: Native {
    /// Words that one of them takes.
    const WORDS: usize;
    fn uniform(words: &[u32]) -> Self;
    fn normal(u: &[u32], v: &[u32]) -> [Self; 2];
    fn bits(words: &[u32]) -> Self;
}

macro_rules! draw {
    (narrow $($t:ty)*) => {$(
        impl Draw for $t {
            const WORDS: usize = 1;
            fn uniform(words: &[u32]) -> Self { Element::from_f64(recipe::uniform32(words[0]).into()) }
            fn normal(u: &[u32], v: &[u32]) -> [Self; 2] {
                recipe::normal(recipe::uniform32(u[0]).into(), recipe::uniform32(v[0]).into()).map(Element::from_f64)
            }
            fn bits(words: &[u32]) -> Self { Element::from_i64(words[0].into()) }
        }
    )*};
    (wide $($t:ty)*) => {$(
        impl Draw for $t {
            const WORDS: usize = 2;
            fn uniform(words: &[u32]) -> Self { Element::from_f64(recipe::uniform64(words[0], words[1])) }
            fn normal(u: &[u32], v: &[u32]) -> [Self; 2] {
                let uniform = |words: &[u32]| recipe::uniform64(words[0], words[1]);
                recipe::normal(uniform(u), uniform(v)).map(Element::from_f64)
            }
            fn bits(words: &[u32]) -> Self {
                Element::from_i64(recipe::bits64(words[0], words[1]).cast_signed())
            }
        }
    )*};
}

draw! { narrow f32 bf16 f16 i32 i8 u32 u8 }
draw! { wide f64 i64 }

pub(crate) fn random(kind: Distribution, stream: Stream, out: &Meta) -> Result<CpuValue> {
    native!(out.dtype, T => {
        let mut y = Output::<T>::new(out.numel())?;
        // pieces start at whole blocks, and so at whole pairs
        parallel::pieces(y.slice(), 4, parallel::GRAIN, |start, y| draw(kind, stream, start * 4, y));
        Ok(y.finish(&out.shape, out.dtype))
    })
}

/// The numbers from the one with number `start`, which is a multiple of four.
fn draw<T: Draw>(kind: Distribution, stream: Stream, start: usize, y: &mut [T]) {
    let words = |block: u64| stream.block(block);
    for (i, y) in y.chunks_mut(4).enumerate() {
        let first = ((start / 4 + i) * T::WORDS) as u64;
        let mut drawn = [0; 8];
        for (block, words_of) in drawn.chunks_mut(4).take(T::WORDS).enumerate() {
            words_of.copy_from_slice(&words(first + block as u64));
        }
        let word = |n: usize| &drawn[n * T::WORDS..(n + 1) * T::WORDS];
        for (n, y) in y.iter_mut().enumerate() {
            *y = match kind {
                Distribution::Uniform => T::uniform(word(n)),
                Distribution::Bits => T::bits(word(n)),
                Distribution::Normal => T::normal(word(n / 2 * 2), word(n / 2 * 2 + 1))[n % 2],
            };
        }
    }
}
