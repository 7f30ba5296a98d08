//! The gradient table. A rule owns its operands and results, moves into its closures what the formula
//! reads, and lets the rest go.
use super::{
    attention, conv, elementwise, fft,
    graph::{Each, Rule},
    index, join, loss, matmul, norm, pool, recurrent, reduce, scan, softmax, sort, view,
};
use firesteel_core::{Backend, Error, Fused, Meta, Op, Operands, Outputs, Result, Tensor};
use smallvec::smallvec;

/// How to go back through `ys = op`, of whose operands some want a gradient.
pub(super) fn rule<B: Backend>(op: Op<Tensor<B>>, ys: Outputs<Tensor<B>>, wants: &[bool]) -> Result<Rule<B>> {
    let name = op.name();
    let mut results = ys.into_iter();
    let mut y = || results.next().ok_or_else(|| Error::internal(name, "gave fewer results than it has"));
    Ok(match op {
        Op::Full(..) | Op::Arange { .. } | Op::Random(..) => Rule::Nothing,

        Op::Reshape(x, _) => view::reshape(&x),
        Op::Permute(_, axes) => view::permute(&axes),
        Op::Broadcast(x, _) => view::broadcast(&x),
        Op::Slice(x, spans) => view::slice(&x, spans),
        Op::Windows { x, axis, step, .. } => view::windows(&x, axis, step),

        Op::Unary(kind, x) => elementwise::unary(kind, x, y()?),
        Op::Binary(kind, a, b) => elementwise::binary(kind, a, b, y()?),
        Op::Compare(..) => Rule::Nothing,
        Op::Select(c, _, _) => elementwise::select(c),
        Op::Cast(x, _) => elementwise::cast(&x),

        Op::Reduce(kind, x, axes) => reduce::reduce(kind, x, y()?, axes),
        Op::ArgReduce(..) => Rule::Nothing,
        Op::Scan(kind, x, axis) => scan::scan(kind, x, y()?, axis),
        Op::Recurrence { a, axis, .. } => scan::recurrence(a, y()?, axis, wants),
        Op::Sort { x, axis, .. } => {
            y()?;
            sort::ordered(&x, y()?, axis)
        }
        Op::SearchSorted { .. } => Rule::Nothing,

        Op::MatMul(a, b) => matmul::matmul(a, b),
        Op::Conv(conv, x, w) => conv::conv(conv, x, w),
        Op::ConvInputGrad { conv, g, w, .. } => conv::input_grad(conv, g, w),
        Op::ConvWeightGrad { conv, g, x, .. } => conv::weight_grad(conv, g, x),

        Op::Gather { x, index, axis } => index::read(index::Place::each(index, axis), &x),
        Op::Scatter { kind, into, index, x, axis } => {
            index::write(kind, index::Place::each(index, axis), into, x, y()?)
        }
        Op::IndexSelect { x, index, axis } => index::read(index::Place::slices(index, axis), &x),
        Op::IndexPut { kind, into, index, x, axis } => {
            index::write(kind, index::Place::slices(index, axis), into, x, y()?)
        }
        Op::WrapIndex(..) | Op::Require(..) => Rule::Nothing,

        Op::Concat(xs, axis) => join::concat(&xs, axis),
        Op::Pad(x, padding, _) => join::pad(&x, &padding),
        Op::Fold { x, axis, step, .. } => join::fold(&x, axis, step),
        Op::Write { x, spans, .. } => join::write(&x, spans),

        Op::Fused(fused, xs) => return fused_rule(fused, xs, results.collect(), wants),
        Op::Custom(op, _) => return Err(Error::internal(op.name(), "has a written gradient")),
    })
}

/// Rules for operations with parts, where a closed formula is cheaper than that of the parts.
fn fused_rule<B: Backend>(
    fused: Fused,
    xs: Operands<Tensor<B>>,
    ys: Outputs<Tensor<B>>,
    wants: &[bool],
) -> Result<Rule<B>> {
    let name = fused.name();
    let wrong = || Error::internal(name, "was recorded with operands or results that it does not have");
    let mut xs = xs.into_iter();
    let mut ys = ys.into_iter();
    let mut x = || xs.next().ok_or_else(wrong);
    let mut y = || ys.next().ok_or_else(wrong);
    Ok(match fused {
        Fused::Linear => matmul::linear(x()?, x()?),
        Fused::IntMm => Rule::Nothing,
        Fused::Softmax(axis) => softmax::softmax(y()?, axis),
        Fused::LogSoftmax(axis) => softmax::log_softmax(y()?, axis),
        Fused::LayerNorm { dims, .. } => {
            y()?;
            norm::layer_norm(x()?, x().ok(), y()?, y()?, dims, wants)
        }
        Fused::RmsNorm { dims, .. } => {
            y()?;
            norm::rms_norm(x()?, x().ok(), y()?, dims, wants)
        }
        Fused::BatchNorm { .. } => {
            y()?;
            norm::batch_norm(x()?, x().ok(), y()?, y()?, wants)
        }
        Fused::GroupNorm { .. } => {
            y()?;
            norm::group_norm(x()?, x().ok(), y()?, y()?, wants)
        }
        Fused::Attention { scale, causal } => {
            let operands = attention::Attention { q: x()?, k: x()?, v: x()?, mask: x().ok(), scale, causal };
            attention::attention(operands, y()?, y()?, wants)
        }
        Fused::CrossEntropy { ignore_index } => {
            y()?;
            loss::cross_entropy(x()?, x()?, y()?, ignore_index)
        }
        Fused::MaxPool(pool) => {
            y()?;
            pool::max_pool(&x()?, y()?, pool.kernel.len())
        }
        Fused::AvgPool(pool, divisor) => pool::avg_pool(&x()?, *pool, divisor),
        Fused::TopK { axis, .. } => {
            y()?;
            sort::ordered(&x()?, y()?, axis)
        }
        Fused::Lstm { .. } => {
            recurrent::lstm(recurrent::Steps { operands: xs.collect(), results: ys.collect() }, wants)
        }
        Fused::Gru { .. } => {
            recurrent::gru(recurrent::Steps { operands: xs.collect(), results: ys.collect() }, wants)
        }
        Fused::Fft { way, scale } => fft::fft(way, scale),
        Fused::Rfft { way, scale } => fft::rfft(x()?.shape()[1], way, scale),
        Fused::Irfft { way, n, scale } => fft::irfft(n, way, scale),
        Fused::Chain(_) | Fused::LinearThen(_) | Fused::LstmGrad | Fused::GruGrad | Fused::NormGrad(_) => {
            return Err(Error::internal(name, "has a gradient that is written, or that of its parts"));
        }
    })
}

/// The gradient of one operand.
pub(super) fn one<B: Backend>(
    f: impl Fn(&Tensor<B>) -> Result<Tensor<B>> + Send + Sync + 'static,
) -> Rule<B> {
    Rule::Each(smallvec![Some(Box::new(f) as Each<B>)])
}

/// The gradients of two operands.
pub(super) fn two<B: Backend>(
    f: impl Fn(&Tensor<B>) -> Result<Tensor<B>> + Send + Sync + 'static,
    h: impl Fn(&Tensor<B>) -> Result<Tensor<B>> + Send + Sync + 'static,
) -> Rule<B> {
    Rule::Each(smallvec![Some(Box::new(f) as Each<B>), Some(Box::new(h) as Each<B>)])
}

/// The gradient passed on as it is.
pub(super) fn same<B: Backend>(g: &Tensor<B>) -> Result<Tensor<B>> {
    Ok(g.clone())
}

/// A gradient that is zero everywhere.
pub(super) fn none<B: Backend>(g: &Tensor<B>) -> Result<Tensor<B>> {
    g.zeros_like()
}

/// Zeros that look like `meta`, where `g` lives.
pub(super) fn zeros<B: Backend>(g: &Tensor<B>, meta: &Meta) -> Result<Tensor<B>> {
    Tensor::zeros(&meta.shape, (meta.dtype, g.backend()))
}

/// The sum of what there is.
pub(super) fn sum<B: Backend>(a: Option<Tensor<B>>, b: Option<Tensor<B>>) -> Result<Option<Tensor<B>>> {
    match (a, b) {
        (Some(a), Some(b)) => (a + b).map(Some),
        (a, b) => Ok(a.or(b)),
    }
}

/// A product of matrices.
pub(super) fn product<B: Backend>(a: &Tensor<B>, b: &Tensor<B>) -> Result<Tensor<B>> {
    Tensor::one(Op::MatMul(a, b))
}
