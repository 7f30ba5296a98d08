//! What each fused operation means: the formula that a backend without a kernel runs, and that is
//! differentiated where there is no rule.
mod attention;
mod fft;
mod loss;
mod matmul;
mod norm;
mod pool;
mod recurrent;
mod softmax;
mod sort;

pub(crate) use pool::avg_pool;

use crate::{Backend, DType, Error, Fused, Op, Outputs, Result, Tensor, Trace};
use smallvec::smallvec;

/// Runs the parts of a fused or custom operation.
pub fn decompose<B: Backend>(b: &B, op: Op<&B::Value>) -> Result<Outputs<B::Value>> {
    let tensors = |xs: smallvec::SmallVec<[&B::Value; 4]>| -> Vec<Tensor<B>> {
        xs.into_iter().map(|x| Tensor::from_value(b.clone(), x.clone())).collect()
    };
    let results = match op {
        Op::Fused(fused, xs) => parts(b, &fused, &tensors(xs))?,
        Op::Custom(op, xs) => {
            let xs = tensors(xs);
            let trace = Trace::default();
            let symbols = xs.iter().map(|x| trace.input(x.meta())).collect::<Result<Vec<_>>>()?;
            let results = op.decompose(&symbols)?;
            let program = trace.finish(&results.iter().collect::<Vec<_>>())?;
            program.call(b, &xs.iter().collect::<Vec<_>>())?
        }
        op => return Err(Error::internal(op.name(), "is a primitive and has no parts")),
    };
    Ok(results.into_iter().map(Tensor::into_value).collect())
}

fn parts<B: Backend>(b: &B, fused: &Fused, xs: &[Tensor<B>]) -> Result<Outputs<Tensor<B>>> {
    match (fused, xs) {
        (Fused::Linear, [x, w, rest @ ..]) => matmul::linear(x, w, rest.first()),
        (Fused::LinearThen(program), xs) => {
            let (layer, beside) = Fused::layer_and_beside(program, xs)?;
            let y = Tensor::one(Op::Fused(Fused::Linear, layer.iter().collect()))?;
            let operands = [&y].into_iter().chain(beside).collect();
            Tensor::apply(Op::Fused(Fused::Chain(program.clone()), operands))
        }
        (Fused::IntMm, [a, b]) => matmul::int_mm(a, b),
        (Fused::Softmax(axis), [x]) => softmax::softmax(x, *axis),
        (Fused::LogSoftmax(axis), [x]) => softmax::log_softmax(x, *axis),
        (Fused::LayerNorm { dims, eps }, [x, rest @ ..]) => norm::layer_norm(x, rest, *dims, *eps),
        (Fused::RmsNorm { dims, eps }, [x, rest @ ..]) => norm::rms_norm(x, rest, *dims, *eps),
        (Fused::BatchNorm { eps }, [x, rest @ ..]) => norm::batch_norm(x, rest, *eps),
        (Fused::GroupNorm { groups, eps }, [x, rest @ ..]) => norm::group_norm(x, rest, *groups, *eps),
        (Fused::NormGrad(norm), xs) => norm::norm_grad(xs, norm),
        (Fused::Attention { scale, causal }, [q, k, v, rest @ ..]) => {
            attention::attention(q, k, v, rest.first(), *scale, *causal)
        }
        (Fused::CrossEntropy { ignore_index }, [x, target]) => loss::cross_entropy(x, target, *ignore_index),
        (Fused::MaxPool(pool), [x]) => pool::max_pool(x, pool),
        (Fused::AvgPool(pool, divisor), [x]) => pool::avg_pool(x, pool, *divisor),
        (Fused::TopK { k, axis, largest }, [x]) => sort::topk(x, *k, *axis, *largest),
        (Fused::Lstm { gates }, [x, w, u, h, c, rest @ ..]) => {
            recurrent::lstm(x, [w, u], rest.first(), [h, c], *gates)
        }
        (Fused::LstmGrad, [u, c0, c, gates, dy, dc, rest @ ..]) => {
            recurrent::lstm_grad(u, [c0, c, gates], [dy, dc], rest.first())
        }
        (Fused::Gru { gates }, [x, w, u, h, biases @ ..]) => recurrent::gru(x, [w, u], biases, h, *gates),
        (Fused::GruGrad, [u, h, y, gates, dy, rest @ ..]) => {
            recurrent::gru_grad(u, [h, y, gates], dy, rest.first())
        }
        (Fused::Fft { way, scale }, [x]) => fft::fft(x, *way, *scale),
        (Fused::Rfft { way, scale }, [x]) => fft::rfft(x, *way, *scale),
        (Fused::Irfft { way, n, scale }, [x]) => fft::irfft(x, *way, *n, *scale),
        (Fused::Chain(program), xs) => program.call(b, &xs.iter().collect::<Vec<_>>()),
        (fused, xs) => Err(Error::internal(fused.name(), format!("does not take {} operands", xs.len()))),
    }
}

/// One result.
fn one<B: Backend>(y: Tensor<B>) -> Result<Outputs<Tensor<B>>> {
    Ok(smallvec![y])
}

/// Half precision is computed with in F32.
fn full<B: Backend>(x: &Tensor<B>) -> Result<Tensor<B>> {
    if x.dtype().is_half() { x.to(DType::F32) } else { Ok(x.clone()) }
}

/// Results in the dtype of the operand.
fn rounded<B: Backend, const N: usize>(x: &Tensor<B>, results: [Tensor<B>; N]) -> Result<Outputs<Tensor<B>>> {
    results.into_iter().map(|y| y.to(x.dtype())).collect()
}
