//! Kernels for operations that have parts.
use crate::{
    CpuValue, attention,
    chain::{self, Epilogue},
    elementwise,
    fft::{self, Planned},
    halves, loss, matmul, norm,
    panels::Lanes,
    pool,
    recurrent::{gru, lstm},
    softmax, topk,
    value::Output,
    wide::wide,
};
use firesteel_core::{DType, Error, Fused, Meta, Metas, Outputs, Program, Result};
use smallvec::smallvec;

/// Whether there is a kernel; else the operation is decomposed, and so is what there is nothing of.
pub(crate) fn has_kernel(fused: &Fused, xs: &[&Meta]) -> bool {
    let some = xs.iter().all(|x| x.numel() > 0);
    match fused {
        Fused::Linear
        | Fused::LinearThen(_)
        | Fused::Softmax(_)
        | Fused::LogSoftmax(_)
        | Fused::LayerNorm { .. }
        | Fused::RmsNorm { .. }
        | Fused::BatchNorm { .. }
        | Fused::GroupNorm { .. }
        | Fused::Attention { .. }
        | Fused::CrossEntropy { .. }
        | Fused::Lstm { .. }
        | Fused::LstmGrad
        | Fused::Gru { .. }
        | Fused::GruGrad
        | Fused::AvgPool(..) => some,
        // it keeps places in 32 bits
        Fused::MaxPool(_) => some && xs.iter().all(|x| x.numel() < u32::MAX as usize),
        Fused::NormGrad(norm) => some && norm::has_kernel(norm, xs),
        Fused::Fft { .. } | Fused::Rfft { .. } | Fused::Irfft { .. } => true,
        Fused::Chain(_) | Fused::TopK { .. } | Fused::IntMm => true,
    }
}

pub(crate) fn fused(fused: &Fused, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    if let Fused::Chain(program) = fused {
        return chain::chain(program, xs, out);
    }
    if let &Fused::TopK { k, axis, largest } = fused {
        return topk::topk(xs[0], k, axis, largest, out);
    }
    if let Fused::IntMm = fused {
        return matmul::matmul(xs[0], xs[1], &out[0]).map(|y| smallvec![y]);
    }
    if let Fused::LinearThen(program) = fused {
        return linear_then(program, xs, out);
    }
    if let Fused::Linear = fused
        && let Some(y) = halves::linear(xs, &out[0])?
    {
        return Ok(smallvec![y]);
    }
    match (fused, xs[0].meta.dtype) {
        (_, dtype) if wide(dtype) != dtype => widened(fused, xs, out),
        (Fused::MaxPool(pool), _) => pool::max_pool(xs[0], pool, out),
        (Fused::Linear, _) => matmul::linear(xs, &out[0]).map(|y| smallvec![y]),
        (_, DType::F64) => of_reals::<f64>(fused, xs, out),
        (_, DType::F32) => of_reals::<f32>(fused, xs, out),
        _ => Err(without_kernel(fused)),
    }
}

/// Bytes of a layer's result that it pays to run a formula on while parts of them are in a cache; less is in one anyway, and
/// looking at it earlier pushes the weights out.
const LARGE: usize = 4 << 20;

/// A layer, and a formula where its result lies, or after it.
fn linear_then(program: &Program, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    let (layer, beside) = Fused::layer_and_beside(program, xs)?;
    if out[0].dtype == DType::F32
        && out[0].bytes() >= LARGE
        && let Some(epilogue) = Epilogue::new(program, beside, &out[0])?
    {
        return matmul::linear_then(layer, &epilogue, &out[0]).map(|y| smallvec![y]);
    }
    let ys = self::fused(&Fused::Linear, layer, out)?;
    chain::chain(program, &ys.iter().chain(beside.iter().copied()).collect::<Vec<_>>(), out)
}

fn of_reals<T: Lanes + Planned>(fused: &Fused, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    let one = |y: Result<CpuValue>| y.map(|y| smallvec![y]);
    match (fused, xs) {
        (Fused::Softmax(axis), [x]) => one(softmax::softmax::<T>(x, *axis, &out[0])),
        (Fused::LogSoftmax(axis), [x]) => one(softmax::log_softmax::<T>(x, *axis, &out[0])),
        (Fused::LayerNorm { dims, eps }, _) => norm::layer_norm::<T>(xs, *dims, *eps, out),
        (Fused::RmsNorm { dims, eps }, _) => norm::rms_norm::<T>(xs, *dims, *eps, out),
        (Fused::BatchNorm { eps }, _) => norm::batch_norm::<T>(xs, *eps, out),
        (Fused::GroupNorm { groups, eps }, _) => norm::group_norm::<T>(xs, *groups, *eps, out),
        (Fused::NormGrad(norm), _) => norm::norm_grad::<T>(xs, norm, out),
        (Fused::Attention { scale, causal }, _) => attention::attention::<T>(xs, *scale, *causal, out),
        (Fused::CrossEntropy { ignore_index }, [x, target]) => {
            loss::cross_entropy::<T>(x, target, *ignore_index, out)
        }
        (Fused::AvgPool(pool, divisor), [x]) => one(pool::avg_pool::<T>(x, pool, *divisor, &out[0])),
        (Fused::Lstm { gates }, [x, w, u, h, c, rest @ ..]) => {
            lstm::forward::<T>(x, [w, u], rest.first().copied(), [h, c], *gates)
        }
        (Fused::LstmGrad, [u, c0, c, gates, dy, dc, rest @ ..]) => {
            lstm::backward::<T>(u, [c0, c, gates], [dy, dc], rest.first().copied())
        }
        (Fused::Gru { gates }, [x, w, u, h, biases @ ..]) => gru::forward::<T>(x, [w, u], biases, h, *gates),
        (Fused::GruGrad, [u, h, y, gates, dy, rest @ ..]) => {
            gru::backward::<T>(u, [h, y, gates], dy, rest.first().copied())
        }
        // nothing is planned for no rows, however long they are
        (Fused::Fft { .. } | Fused::Rfft { .. } | Fused::Irfft { .. }, _) if out[0].numel() == 0 => {
            one(Ok(Output::<T>::new(0)?.finish(&out[0].shape, out[0].dtype)))
        }
        (Fused::Fft { way, scale }, [x]) => one(fft::fft::<T>(x, *way, *scale, &out[0])),
        (Fused::Rfft { way, scale }, [x]) => one(fft::rfft::<T>(x, *way, *scale, &out[0])),
        (Fused::Irfft { way, scale, .. }, [x]) => one(fft::irfft::<T>(x, *way, *scale, &out[0])),
        _ => Err(without_kernel(fused)),
    }
}

/// Narrow dtypes are computed in wide ones, and rounded once.
fn widened(fused: &Fused, xs: &[&CpuValue], out: &Metas) -> Result<Outputs<CpuValue>> {
    let xs = xs.iter().map(|x| elementwise::cast(x, wide(x.meta.dtype))).collect::<Result<Vec<_>>>()?;
    let metas = out.iter().map(|y| Meta::new(&y.shape, wide(y.dtype))).collect();
    let ys = self::fused(fused, &xs.iter().collect::<Vec<_>>(), &metas)?;
    ys.iter().zip(out).map(|(y, out)| elementwise::cast(y, out.dtype)).collect()
}

fn without_kernel(fused: &Fused) -> Error {
    Error::internal(fused.name(), "has no kernel here: it is decomposed")
}
