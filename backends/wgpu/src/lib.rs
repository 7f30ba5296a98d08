//! The GPU backend of Firesteel, on anything that [`wgpu`] drives: Vulkan, Metal, DirectX 12 and WebGPU in a browser.
//!
//! A family of operations has a file of its own here, and its shader the same stem in `shaders/`. Kernels are
//! specialised by dtype and by how their operands lie, compiled once, recorded, and submitted in batches.
mod arg_reduce;
mod attention;
mod chain;
mod check;
mod conv;
mod counters;
mod create;
mod custom;
mod device;
mod each;
mod index;
mod join;
mod kernel;
mod loss;
mod matmul;
mod memory;
mod narrow;
mod norm;
mod pending;
mod pool;
mod queue;
mod radix;
mod reduce;
mod require;
mod scan;
mod scatter;
mod softmax;
mod sort;
mod source;
mod storage;
mod team;
mod update;
mod value;
mod view;

pub use counters::WgpuCounters;
pub use device::WgpuInfo;
pub use value::WgpuValue;
pub use wgpu;

use device::Gpu;
use firesteel_core::{
    Backend, Device, Error, Fused, Generator, MemoryStats, Meta, Metas, Op, Outputs, Result, TensorData,
    Update,
};
use smallvec::smallvec;
use std::{
    fmt,
    future::Future,
    hash::{Hash, Hasher},
};

/// A GPU. Handles are small, and two to one device are one device.
///
/// ```no_run
/// use firesteel_core::{Backend, Tensor};
/// use firesteel_wgpu::Wgpu;
/// let x = Tensor::new([1.0, 2.0], &Wgpu::best()?)?;
/// assert_eq!((&x * &x)?.to_vec::<f32>()?, [1., 4.]);
/// # Ok::<(), firesteel_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Wgpu(&'static Gpu);

impl fmt::Debug for Wgpu {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl PartialEq for Wgpu {
    fn eq(&self, other: &Self) -> bool {
        self.0.index == other.0.index
    }
}

impl Eq for Wgpu {}

impl Hash for Wgpu {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.index.hash(state);
    }
}

impl Wgpu {
    /// Lets the pool hold no more than this many bytes; what would need more is an error.
    pub fn set_memory_limit(&self, bytes: usize) {
        self.0.pool.set_limit(bytes);
    }

    /// What the device was asked to do since it was opened.
    pub fn counters(&self) -> WgpuCounters {
        self.settle();
        memory::lock(&self.0.recorder).counters
    }

    /// Starts the peak of [`memory`](Backend::memory) from what is in use now.
    pub fn reset_peak_memory(&self) {
        self.settle();
        self.0.pool.reset_peak();
    }
}

impl Backend for Wgpu {
    type Value = WgpuValue;

    fn device(&self) -> Device {
        Device { kind: "wgpu", index: self.0.index }
    }
    fn meta(v: &WgpuValue) -> &Meta {
        &v.meta
    }
    fn upload(&self, data: TensorData) -> Result<WgpuValue> {
        narrow::upload(self.0, data)
    }
    fn download(&self, v: &WgpuValue) -> impl Future<Output = Result<TensorData>> + Send {
        narrow::download(self.0, v)
    }
    fn memory(&self) -> MemoryStats {
        self.settle();
        self.0.pool.stats()
    }
    fn empty_cache(&self) {
        self.settle();
        self.0.empty_cache();
    }
    fn synchronize(&self) -> Result<()> {
        firesteel_core::block_on(self.0.read(None, 0)).map(|_| ())
    }
    fn generator(&self) -> &Generator {
        &self.0.generator
    }

    fn fuses(&self, op: &Op<&Meta>) -> bool {
        match op {
            Op::Fused(Fused::Chain(program), xs) => {
                chain::fits(self.0, program) && (self.0.has_int64() || !narrow::is_wide(program, xs))
            }
            Op::Fused(Fused::Linear, _) => true,
            Op::Fused(Fused::TopK { k, .. }, xs) => sort::has_top(*k, xs[0]),
            Op::Fused(Fused::Attention { .. }, xs) => attention::fits(self.0, xs),
            Op::Fused(Fused::MaxPool(pool) | Fused::AvgPool(pool, _), xs) => pool::fits(pool, xs[0]),
            Op::Fused(
                Fused::Softmax(_)
                | Fused::LogSoftmax(_)
                | Fused::LayerNorm { .. }
                | Fused::RmsNorm { .. }
                | Fused::BatchNorm { .. }
                | Fused::GroupNorm { .. }
                | Fused::CrossEntropy { .. },
                xs,
            ) => xs.iter().all(|x| x.numel() > 0),
            Op::Custom(custom, _) => custom.kernel("wgpu").is_some(),
            Op::Fused(..) => false,
            _ => true,
        }
    }

    fn eval(&self, op: Op<&WgpuValue>, out: &Metas) -> Result<Outputs<WgpuValue>> {
        if self.0.has_int64() { self.compute(op, out) } else { narrow::eval(self, op, out) }
    }

    fn update(&self, updates: Vec<Update<'_, WgpuValue>>) -> Result<()> {
        let update = if self.0.has_int64() { update::update } else { narrow::update };
        updates.into_iter().try_for_each(|each| update(self, each))
    }
}

impl Wgpu {
    /// Records what waits, before its memory and kernels are counted. What is wrong with it is an error of the next read.
    fn settle(&self) {
        if let Err(error) = self.0.flush() {
            self.0.report(error.to_string());
        }
    }

    /// Runs the kernels of an operation, in dtypes that the device has.
    fn compute(&self, op: Op<&WgpuValue>, out: &Metas) -> Result<Outputs<WgpuValue>> {
        let (gpu, meta) = (self.0, &out[0]);
        let y = match op {
            Op::Full(value, ..) => {
                storage::check("full", meta.dtype, gpu.features)?;
                WgpuValue::same(meta.clone(), value)
            }
            Op::Arange { start, step, .. } => create::arange(gpu, start, step, meta)?,
            Op::Random(kind, stream, ..) => create::random(gpu, kind, stream, meta)?,

            Op::Reshape(x, shape) => view::reshape(gpu, x, &shape)?,
            Op::Permute(x, axes) => x.view(x.layout.permute(&axes)),
            Op::Broadcast(x, shape) => x.view(x.layout.broadcast(&shape)),
            Op::Slice(x, spans) => x.view(x.layout.slice(&spans)),
            Op::Windows { x, axis, size, step } => x.view(x.layout.windows(axis, size, step)),

            op @ (Op::Unary(..) | Op::Binary(..) | Op::Compare(..) | Op::Select(..) | Op::Cast(..)) => {
                pending::single(gpu, op, meta)?
            }

            Op::Fused(Fused::Chain(program), xs) => return chain::chain(gpu, &program, &xs, out),
            Op::Fused(Fused::Softmax(axis), xs) => softmax::softmax(gpu, xs[0], axis, false, meta)?,
            Op::Fused(Fused::LogSoftmax(axis), xs) => softmax::softmax(gpu, xs[0], axis, true, meta)?,
            Op::Fused(Fused::LayerNorm { dims, eps }, xs) => {
                return norm::trailing(gpu, &xs, dims, eps, true, out);
            }
            Op::Fused(Fused::RmsNorm { dims, eps }, xs) => {
                return norm::trailing(gpu, &xs, dims, eps, false, out);
            }
            Op::Fused(Fused::BatchNorm { eps }, xs) => return norm::batch_norm(gpu, &xs, eps, out),
            Op::Fused(Fused::GroupNorm { groups, eps }, xs) => {
                return norm::group_norm(gpu, &xs, groups, eps, out);
            }
            Op::Fused(Fused::CrossEntropy { ignore_index }, xs) => {
                return loss::cross_entropy(gpu, xs[0], xs[1], ignore_index, out);
            }
            Op::Fused(Fused::MaxPool(pool), xs) => return pool::max_pool(gpu, xs[0], &pool, out),
            Op::Fused(Fused::AvgPool(pool, divisor), xs) => pool::avg_pool(gpu, xs[0], &pool, divisor, meta)?,
            Op::Fused(Fused::Attention { scale, causal }, xs) => {
                return attention::attention(gpu, &xs, scale, causal, out);
            }
            Op::Fused(Fused::TopK { k, axis, largest }, xs) => {
                return sort::top(gpu, xs[0], k, axis, largest, out);
            }
            Op::Fused(Fused::Linear, xs) => matmul::linear(gpu, &xs, meta)?,

            Op::Reduce(kind, x, axes) => reduce::reduce(gpu, kind, x, &axes, meta)?,
            Op::ArgReduce(kind, x, axis) => arg_reduce::arg_reduce(gpu, kind, x, axis, meta)?,

            Op::Scan(kind, x, axis) => scan::scan(gpu, kind, x, axis, meta)?,
            Op::Recurrence { a, b, axis } => scan::recurrence(gpu, a, b, axis, meta)?,
            Op::Sort { x, axis, descending } => return sort::sort(gpu, x, axis, descending),
            Op::SearchSorted { sorted, values, right } => {
                sort::search_sorted(gpu, sorted, values, right, meta)?
            }

            Op::MatMul(a, b) => matmul::matmul(gpu, a, b, meta)?,

            Op::Conv(conv, x, w) => conv::conv(gpu, &conv, x, w, meta)?,
            Op::ConvInputGrad { conv, g, w, .. } => conv::input_grad(gpu, &conv, g, w, meta)?,
            Op::ConvWeightGrad { conv, g, x, .. } => conv::weight_grad(gpu, &conv, g, x, meta)?,

            Op::Gather { x, index, axis } => index::gather(gpu, x, index, axis, meta)?,
            Op::IndexSelect { x, index, axis } => index::index_select(gpu, x, index, axis, meta)?,
            Op::Scatter { kind, into, index, x, axis } => scatter::scatter(gpu, kind, into, index, x, axis)?,
            Op::IndexPut { kind, into, index, x, axis } => {
                scatter::index_put(gpu, kind, into, index, x, axis)?
            }
            Op::WrapIndex(index, len) => index::wrap_index(gpu, index, len)?,
            Op::Require(x, requirement) => require::require(gpu, x, requirement)?,

            Op::Concat(xs, axis) => join::concat(gpu, &xs, axis, meta)?,
            Op::Pad(x, padding, value) => join::pad(gpu, x, &padding, value, meta)?,
            Op::Fold { x, axis, step, .. } => join::fold(gpu, x, axis, step, meta)?,
            Op::Write { into, x, spans } => join::write(gpu, into, x, &spans)?,

            Op::Custom(op, xs) => return custom::custom(gpu, &*op, &xs, out),

            op @ Op::Fused(..) => return Err(Error::unsupported(op.name(), "has no kernel for wgpu")),
        };
        Ok(smallvec![y])
    }
}
