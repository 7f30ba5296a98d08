//! Operations with parts of their own: their results are those of their decompositions.
use super::{axis, conv, float, index, one, recurrent};
use crate::{DType, Divisor, Error, Fused, Meta, Metas, NormAxes, Op, Pool, Program, Result, Shape};
use smallvec::smallvec;

pub fn fused(fused: &Fused, xs: &[&Meta]) -> Result<Metas> {
    let name = fused.name();
    match fused {
        Fused::Linear => conv::linear(xs),
        Fused::LinearThen(program) => {
            let (layer, beside) = Fused::layer_and_beside(program, xs)?;
            let y = conv::linear(layer)?;
            let operands: Vec<&Meta> = y.iter().chain(beside.iter().copied()).collect();
            match chain(name, &operands, program)? {
                out if out.len() == 1 && out[0].dtype == y[0].dtype => Ok(out),
                _ => Err(Error::internal(name, "its program has to have one result, of the layer's dtype")),
            }
        }
        Fused::IntMm => {
            let [a, b] = operands(name, xs)?;
            conv::int_mm(name, a, b)
        }
        Fused::Softmax(along) | Fused::LogSoftmax(along) => {
            let [x] = operands(name, xs)?;
            float(name, x)?;
            axis(name, x, *along)?;
            one(&x.shape, x.dtype)
        }
        Fused::LayerNorm { dims, .. } => {
            let (x, statistics) = trailing_norm(name, xs, *dims, 3)?;
            Ok(smallvec![x.clone(), statistics.clone(), statistics])
        }
        Fused::RmsNorm { dims, .. } => {
            let (x, statistics) = trailing_norm(name, xs, *dims, 2)?;
            Ok(smallvec![x.clone(), statistics])
        }
        Fused::BatchNorm { .. } => {
            let (x, _) = channel_norm(name, xs)?;
            let others = (0..x.shape.rank()).filter(|&a| a != 1).collect();
            let statistics = Meta::new(x.reduced(&others), x.dtype);
            Ok(smallvec![x.clone(), statistics.clone(), statistics])
        }
        Fused::GroupNorm { groups, .. } => {
            let (x, channels) = channel_norm(name, xs)?;
            if *groups == 0 || !channels.is_multiple_of(*groups) {
                let why = format!("{channels} channels do not fall into {groups} groups");
                return Err(Error::value(name, why));
            }
            let statistics = Meta::new([x.shape[0], *groups, 1, 1], x.dtype);
            Ok(smallvec![x.clone(), statistics.clone(), statistics])
        }
        Fused::NormGrad(norm) => norm_grad(name, xs, norm),
        Fused::Attention { .. } => attention(name, xs),
        Fused::CrossEntropy { .. } => cross_entropy(name, xs),
        Fused::MaxPool(pool) => {
            let [x] = operands(name, xs)?;
            let shape = pooled(name, pool, x)?;
            Ok(smallvec![Meta::new(&shape, x.dtype), Meta::new(shape, DType::I64)])
        }
        Fused::AvgPool(pool, divisor) => {
            let [x] = operands(name, xs)?;
            float(name, x)?;
            if *divisor == Divisor::Fixed(0) {
                return Err(Error::value(name, "the divisor must not be 0"));
            }
            one(pooled(name, pool, x)?, x.dtype)
        }
        Fused::TopK { k, axis: along, .. } => {
            let [x] = operands(name, xs)?;
            axis(name, x, *along)?;
            if *k > x.shape[*along] {
                let why = format!("there are no {k} elements along dim {along} of {}", x.shape);
                return Err(Error::value(name, why));
            }
            let shape = x.shape.with(*along, *k);
            Ok(smallvec![Meta::new(&shape, x.dtype), Meta::new(shape, DType::I64)])
        }
        Fused::Lstm { gates } => recurrent::all_steps(name, xs, recurrent::LSTM, *gates),
        Fused::LstmGrad => recurrent::way_back(name, xs, recurrent::LSTM),
        Fused::Gru { gates } => recurrent::all_steps(name, xs, recurrent::GRU, *gates),
        Fused::GruGrad => recurrent::way_back(name, xs, recurrent::GRU),
        Fused::Fft { .. } => {
            let [x] = operands(name, xs)?;
            float(name, x)?;
            match x.shape[..] {
                [_, n, 2] if n > 0 => one(&x.shape, x.dtype),
                _ => Err(Error::shape(name, format!("takes (rows, n, 2) with n above 0, not {}", x.shape))),
            }
        }
        Fused::Rfft { .. } => {
            let [x] = operands(name, xs)?;
            float(name, x)?;
            match x.shape[..] {
                [rows, n] if n > 0 => one([rows, n / 2 + 1, 2], x.dtype),
                _ => Err(Error::shape(name, format!("takes (rows, n) with n above 0, not {}", x.shape))),
            }
        }
        Fused::Irfft { n, .. } => {
            let [x] = operands(name, xs)?;
            float(name, x)?;
            match x.shape[..] {
                [rows, half, 2] if *n > 0 && half == n / 2 + 1 => one([rows, *n], x.dtype),
                _ => {
                    let why = format!("takes (rows, {}, 2) for {n} numbers, not {}", n / 2 + 1, x.shape);
                    Err(Error::shape(name, why))
                }
            }
        }
        Fused::Chain(program) => chain(name, xs, program),
    }
}

/// A program that goes element by element.
fn chain(name: &'static str, xs: &[&Meta], program: &Program) -> Result<Metas> {
    if let Some(x) = xs.iter().find(|x| x.shape != xs[0].shape) {
        return Err(Error::shape(name, format!("{} and {} differ", xs[0].shape, x.shape)));
    }
    if let Some(op) = program.code.iter().find(|op| !is_elementwise(op)) {
        return Err(Error::internal(name, format!("{} is not element-wise", op.name())));
    }
    let out = program.infer(xs)?;
    match out.first() {
        Some(first) if out.iter().chain(xs.iter().copied()).all(|x| x.shape == first.shape) => Ok(out),
        _ => Err(Error::internal(name, "its operands and results have to have one shape")),
    }
}

/// Whether each element of the result is made of those at its place.
fn is_elementwise<T>(op: &Op<T>) -> bool {
    matches!(
        op,
        Op::Full(..) | Op::Unary(..) | Op::Binary(..) | Op::Compare(..) | Op::Select(..) | Op::Cast(..)
    )
}

fn operands<'a, const N: usize>(name: &'static str, xs: &[&'a Meta]) -> Result<[&'a Meta; N]> {
    <[&Meta; N]>::try_from(xs)
        .map_err(|_| Error::internal(name, format!("takes {N} operands, not {}", xs.len())))
}

/// Checks a normalisation over the last axes; gives the operand and what its statistics look like.
fn trailing_norm<'a>(
    name: &'static str,
    xs: &[&'a Meta],
    dims: usize,
    most: usize,
) -> Result<(&'a Meta, Meta)> {
    let [x, affine @ ..] = xs else {
        return Err(Error::internal(name, "takes an operand"));
    };
    float(name, x)?;
    if dims == 0 || dims > x.shape.rank() || xs.len() > most {
        return Err(Error::shape(name, format!("cannot normalise {dims} dims of {}", x.shape)));
    }
    let split = x.shape.rank() - dims;
    for a in affine {
        if a.shape[..] != x.shape[split..] || a.dtype != x.dtype {
            return Err(Error::shape(
                name,
                format!("the weight or bias {a} does not fit {x} over {dims} dims"),
            ));
        }
    }
    Ok((x, Meta::new(x.reduced(&(split..x.shape.rank()).collect()), x.dtype)))
}

/// Checks what scales each channel after a normalisation; gives the operand and how many channels it has.
fn channel_norm<'a>(name: &'static str, xs: &[&'a Meta]) -> Result<(&'a Meta, usize)> {
    let [x, affine @ ..] = xs else {
        return Err(Error::internal(name, "takes an operand"));
    };
    float(name, x)?;
    let [_, channels, ..] = x.shape[..] else {
        return Err(Error::shape(name, format!("needs (n, c, ..), not {}", x.shape)));
    };
    if affine.len() > 2 {
        return Err(Error::internal(name, format!("does not take {} operands", xs.len())));
    }
    for a in affine {
        if a.shape != [channels] || a.dtype != x.dtype {
            let why =
                format!("the weight or bias {a} has to be {} [{channels}], as {x} has channels", x.dtype);
            return Err(Error::shape(name, why));
        }
    }
    Ok((x, channels))
}

fn norm_grad(name: &'static str, xs: &[&Meta], norm: &NormAxes) -> Result<Metas> {
    let NormAxes { axes, centred, affine } = norm;
    let (x, statistics, g, weight) = match (centred, xs) {
        (true, [x, mean, r, g, weight @ ..]) => (x, vec![mean, r], g, weight),
        (false, [x, r, g, weight @ ..]) => (x, vec![r], g, weight),
        _ => return Err(Error::internal(name, format!("does not take {} operands", xs.len()))),
    };
    float(name, x)?;
    for axes in [axes].into_iter().chain(affine) {
        axes.iter().try_for_each(|&along| axis(name, x, along))?;
        if !axes.is_sorted_by(|a, b| a < b) {
            return Err(Error::shape(name, format!("the axes {axes:?} are not in order, each once")));
        }
    }
    let rows = Meta::new(x.reduced(axes), x.dtype);
    let varies = |w: &Meta| w.dtype == x.dtype && w.shape.broadcast(&x.shape).as_ref() == Some(&x.shape);
    let fits = statistics.iter().all(|s| ***s == rows)
        && weight.iter().all(|w| w.shape.rank() == x.shape.rank() && varies(w));
    if !fits || g != x || weight.len() > 1 {
        return Err(Error::shape(name, format!("the operands do not fit {x}: {xs:?}")));
    }
    let mut out: Metas = smallvec![(*x).clone()];
    if let Some(along) = affine {
        let others = (0..x.shape.rank()).filter(|a| !along.contains(a)).collect();
        let varying = Meta::new(x.reduced(&others), x.dtype);
        out.extend([varying.clone(), varying]);
    }
    Ok(out)
}

fn attention(name: &'static str, xs: &[&Meta]) -> Result<Metas> {
    let (q, k, v, mask) = match xs {
        [q, k, v] => (q, k, v, None),
        [q, k, v, mask] => (q, k, v, Some(mask)),
        _ => return Err(Error::internal(name, "takes three or four operands")),
    };
    float(name, q)?;
    let bad = || Err(Error::shape(name, format!("q {q}, k {k} and v {v} do not fit")));
    let ([lead @ .., n, d], [lead_k @ .., m, d_k], [lead_v @ .., m_v, e]) =
        (&q.shape[..], &k.shape[..], &v.shape[..])
    else {
        return bad();
    };
    if lead != lead_k || lead != lead_v || d != d_k || m != m_v || q.dtype != k.dtype || q.dtype != v.dtype {
        return bad();
    }
    let with = |tail: [usize; 2]| lead.iter().copied().chain(tail).collect::<Shape>();
    let mask_fits =
        |mask: &Meta| mask.shape == with([*n, *m]) && [DType::Bool, q.dtype].contains(&mask.dtype);
    if let Some(mask) = mask.filter(|mask| !mask_fits(mask)) {
        return Err(Error::shape(
            name,
            format!("the mask {mask} has to be bool or {} {}", q.dtype, with([*n, *m])),
        ));
    }
    Ok(smallvec![Meta::new(with([*n, *e]), q.dtype), Meta::new(with([*n, 1]), q.dtype)])
}

fn cross_entropy(name: &'static str, xs: &[&Meta]) -> Result<Metas> {
    let [logits, target] = operands(name, xs)?;
    float(name, logits)?;
    index::integer(name, target)?;
    let fits = logits.shape.rank() >= 2 && {
        let mut rows = logits.shape.clone();
        rows.remove(1);
        rows == target.shape
    };
    if !fits {
        return Err(Error::shape(
            name,
            format!("targets {} do not fit logits {}", target.shape, logits.shape),
        ));
    }
    Ok(smallvec![Meta::new(&target.shape, logits.dtype), Meta::new(&target.shape, logits.dtype)])
}

/// The shape of a pool's result. A window may hang over the end, but starts inside the padded tensor.
fn pooled(name: &'static str, pool: &Pool, x: &Meta) -> Result<Shape> {
    let axes = pool.kernel.len();
    let parts = [&pool.stride, &pool.padding, &pool.dilation, &pool.output];
    if parts.iter().any(|p| p.len() != axes) || x.shape.rank() < axes {
        return Err(Error::shape(name, format!("a window over {axes} dims does not fit {}", x.shape)));
    }
    let lead = x.shape.rank() - axes;
    let mut shape = x.shape.clone();
    for axis in 0..axes {
        let (size, kernel, padding) = (x.shape[lead + axis], pool.kernel[axis], pool.padding[axis]);
        let (stride, dilation, output) = (pool.stride[axis], pool.dilation[axis], pool.output[axis]);
        if kernel == 0 || stride == 0 || dilation == 0 {
            return Err(Error::value(name, "kernel, stride and dilation have to be at least 1"));
        }
        let reach = (kernel - 1).saturating_mul(dilation).saturating_add(1);
        if padding > reach / 2 {
            let why = format!("the padding {padding} is more than half of what a window of {kernel} spans");
            return Err(Error::value(name, why));
        }
        let last_start = output.saturating_sub(1).checked_mul(stride);
        if output > 0 && last_start.is_none_or(|start| start >= size.saturating_add(padding)) {
            let why =
                format!("{output} windows of {kernel}, {stride} apart, do not start in a dim of size {size}");
            return Err(Error::shape(name, why));
        }
        shape[lead + axis] = output;
    }
    Ok(shape)
}
