//! The CPU backend of Firesteel: every primitive on every dtype, with nothing to install.
//!
//! A family of operations has a file of its own, named as everywhere in Firesteel.
#[macro_use]
mod value;
#[macro_use]
mod wide;

mod arg_reduce;
mod attention;
mod bytes;
mod canvas;
mod chain;
mod conv;
mod create;
mod custom;
mod direct;
mod dots;
mod elementwise;
mod fft;
mod filter;
mod fused;
mod gemm;
mod gemv;
mod halves;
mod index;
mod join;
mod loss;
mod math;
mod matmul;
mod memory;
mod micro;
mod norm;
mod number;
mod panels;
mod parallel;
mod pool;
mod random;
mod real;
mod recurrent;
mod reduce;
mod require;
mod scan;
mod simd;
mod softmax;
mod sort;
mod stream;
mod taps;
#[cfg(test)]
mod testing;
#[cfg(target_arch = "x86_64")]
mod tiles;
mod topk;
mod turn;
mod update;
mod view;
mod windows;
mod winograd;

pub use parallel::{num_threads, set_num_threads};
pub use value::CpuValue;

use firesteel_core::{
    Backend, Device, Generator, MemoryStats, Meta, Metas, Op, Outputs, Result, TensorData, Update,
};
use smallvec::smallvec;
use std::future::{Future, ready};

/// The processor. All handles are one device, which shares one memory pool.
///
/// ```
/// use firesteel_core::{Backend, Tensor};
/// use firesteel_cpu::Cpu;
/// let x = Tensor::new([1.0, 2.0], &Cpu::default())?;
/// assert_eq!((&x * &x)?.to_vec::<f32>()?, [1., 4.]);
/// # Ok::<(), firesteel_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu;

static GENERATOR: Generator = Generator::new(0);

impl Cpu {
    /// Whether there is one: always.
    pub fn is_available() -> bool {
        true
    }

    /// How many there are: one, with all its cores.
    pub fn device_count() -> usize {
        1
    }

    /// Lets the pool hold no more than this many bytes; what would need more is an error.
    pub fn set_memory_limit(&self, bytes: usize) {
        memory::set_limit(bytes);
    }

    /// Starts the peak of [`memory`](Backend::memory) from what is in use now.
    pub fn reset_peak_memory(&self) {
        memory::reset_peak();
    }
}

impl Backend for Cpu {
    type Value = CpuValue;

    fn device(&self) -> Device {
        Device { kind: "cpu", index: 0 }
    }
    fn meta(v: &CpuValue) -> &Meta {
        &v.meta
    }
    fn upload(&self, data: TensorData) -> Result<CpuValue> {
        create::upload(data)
    }
    fn download(&self, v: &CpuValue) -> impl Future<Output = Result<TensorData>> + Send {
        ready(create::download(v))
    }
    fn memory(&self) -> MemoryStats {
        memory::stats()
    }
    fn empty_cache(&self) {
        memory::empty_cache();
    }
    fn synchronize(&self) -> Result<()> {
        Ok(())
    }
    fn generator(&self) -> &Generator {
        &GENERATOR
    }

    fn fuses(&self, op: &Op<&Meta>) -> bool {
        match op {
            Op::Fused(fused, xs) => fused::has_kernel(fused, xs),
            Op::Custom(custom, _) => custom.kernel("cpu").is_some(),
            _ => true,
        }
    }

    fn eval(&self, op: Op<&CpuValue>, out: &Metas) -> Result<Outputs<CpuValue>> {
        let meta = &out[0];
        let y = match op {
            Op::Full(value, ..) => CpuValue::same(meta.clone(), value),
            Op::Arange { start, step, .. } => create::arange(start, step, meta)?,
            Op::Random(kind, stream, ..) => random::random(kind, stream, meta)?,

            Op::Reshape(x, shape) => view::reshape(x, &shape)?,
            Op::Permute(x, axes) => x.view(x.layout.permute(&axes)),
            Op::Broadcast(x, shape) => x.view(x.layout.broadcast(&shape)),
            Op::Slice(x, spans) => x.view(x.layout.slice(&spans)),
            Op::Windows { x, axis, size, step } => x.view(x.layout.windows(axis, size, step)),

            ref op @ (Op::Unary(..) | Op::Binary(..) | Op::Compare(..) | Op::Select(..)) => {
                elementwise::elementwise(op, meta)?
            }
            Op::Cast(x, dtype) => elementwise::cast(x, dtype)?,

            Op::Reduce(kind, x, axes) => reduce::reduce(kind, x, &axes, meta)?,
            Op::ArgReduce(kind, x, axis) => arg_reduce::arg_reduce(kind, x, axis, meta)?,
            Op::Scan(kind, x, axis) => scan::scan(kind, x, axis)?,
            Op::Recurrence { a, b, axis } => scan::recurrence(a, b, axis)?,
            Op::Sort { x, axis, descending } => return sort::sort(x, axis, descending),
            Op::SearchSorted { sorted, values, right } => sort::search_sorted(sorted, values, right)?,

            Op::MatMul(a, b) => matmul::matmul(a, b, meta)?,
            Op::Conv(conv, x, w) => conv::conv(&conv, x, w, meta)?,
            Op::ConvInputGrad { conv, g, w, .. } => conv::input_grad(&conv, g, w, meta)?,
            Op::ConvWeightGrad { conv, g, x, .. } => conv::weight_grad(&conv, g, x, meta)?,

            Op::Gather { x, index, axis } => index::gather(x, index, axis)?,
            Op::Scatter { kind, into, index, x, axis } => index::scatter(kind, into, index, x, axis)?,
            Op::IndexSelect { x, index, axis } => index::index_select(x, index, axis, meta)?,
            Op::IndexPut { kind, into, index, x, axis } => index::index_put(kind, into, index, x, axis)?,
            Op::WrapIndex(index, len) => index::wrap_index(index, len)?,
            Op::Require(x, requirement) => require::require(x, requirement)?,

            Op::Concat(xs, axis) => join::concat(&xs, axis, meta)?,
            Op::Pad(x, padding, value) => join::pad(x, &padding, value, meta)?,
            Op::Fold { x, axis, step, .. } => join::fold(x, axis, step, meta)?,
            Op::Write { into, x, spans } => join::write(into, x, &spans)?,

            Op::Fused(fused, xs) => return fused::fused(&fused, &xs, out),
            Op::Custom(op, xs) => return custom::custom(&*op, &xs, out),
        };
        Ok(smallvec![y])
    }

    fn update(&self, updates: Vec<Update<'_, CpuValue>>) -> Result<()> {
        update::update(self, updates)
    }
}
