//! Normalisations: `y = (x - mean) / √(var + eps) · weight + bias`.
use crate::{WgpuValue, chain, create, device::Gpu, kernel::Kernel, reduce, team::Team, view};
use firesteel_core::{Axes, Binary, DType, Meta, Metas, Op, Outputs, Reduce, Result, Scalar, Unary};
use smallvec::{SmallVec, smallvec};

/// Groups of four that a member of a team keeps in registers, at most.
const KEPT: usize = 8;

/// `(y, mean, 1/σ)`, or `(y, 1/rms)` where it is not centred, over the last `dims` axes.
pub(crate) fn trailing(
    gpu: &'static Gpu,
    xs: &[&WgpuValue],
    dims: usize,
    eps: f64,
    is_centred: bool,
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let shape = &xs[0].meta.shape;
    let n = shape[shape.rank() - dims..].iter().product();
    by_rows(gpu, xs, [1, n, 1], eps, is_centred, out)
}

/// `(y, mean, 1/σ)` of each group of channels of each example of `x [n, c, ..]`.
pub(crate) fn group_norm(
    gpu: &'static Gpu,
    xs: &[&WgpuValue],
    groups: usize,
    eps: f64,
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let [_, groups, inside, size] = xs[0].meta.grouped(groups);
    by_rows(gpu, xs, [groups, inside, size], eps, true, out)
}

/// Rows that have `inside` channels of `size` elements each; after so many groups come those with the same channels.
fn by_rows(
    gpu: &'static Gpu,
    xs: &[&WgpuValue],
    [groups, inside, size]: [usize; 3],
    eps: f64,
    is_centred: bool,
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let dtype = out[0].dtype;
    let xs = xs.iter().map(|x| view::contiguous(gpu, x)).collect::<Result<SmallVec<[_; 3]>>>()?;
    let ys = out.iter().map(|meta| create::output(gpu, meta)).collect::<Result<Outputs<_>>>()?;
    let n = inside * size;
    let rows = xs[0].meta.numel() / n;
    let team = Team::new(gpu, n, true, dtype);
    let kept = n.div_ceil(4 * team.size);
    let wide = n.is_multiple_of(4);
    let mut kernel = Kernel::new(gpu, "norm");
    kernel.read_at("x", &xs[0], wide).alias("T", dtype);
    for (name, x) in ["weight", "bias"].into_iter().zip(&xs[1..]) {
        kernel.read(name, x);
    }
    if wide {
        kernel.write4("y", &ys[0]);
    } else {
        kernel.write1("y", &ys[0]);
    }
    let statistics = if is_centred { &["mean", "scale"][..] } else { &["scale"] };
    for (name, y) in statistics.iter().zip(&ys[1..]) {
        kernel.write1(name, y);
    }
    kernel.constant("WIDE", wide.into()).constant("IS_CENTRED", is_centred.into());
    kernel.constant("IS_KEPT", (kept <= KEPT).into()).constant("KEPT", kept.clamp(1, KEPT) as u32);
    kernel.param("n", n).param("rows", rows).param("x_offset", xs[0].layout.offset);
    kernel.number("eps", Scalar::Float(eps), dtype);
    // how many neighbours have one weight; of none, all elements of a row have their own, the same in each row
    let sharing = if groups * size == 1 {
        0
    } else if size.is_multiple_of(4) {
        4
    } else {
        1
    };
    kernel.constant("SHARING", sharing);
    if sharing > 0 {
        kernel.param("groups", groups).param("inside", inside).param("size", size);
    }
    let teams = team.declare(&mut kernel, rows);
    kernel.run(teams, || {
        let affine = |name: &str, is_there: bool, none: &str| {
            let (one, four) = match (is_there, sharing) {
                (false, _) => (format!("T({none})"), format!("vec4<T>(T({none}))")),
                (true, 0) => (format!("{name}(i)"), format!("{name}4(i / 4u)")),
                (true, sharing) => {
                    let at = |i: u32| format!("{name}(row % p.groups * p.inside + (i + {i}u) / p.size)");
                    let four = (0..4 / sharing).map(at).collect::<Vec<_>>().join(", ");
                    (at(0), format!("vec4<T>({four})"))
                }
            };
            format!(
                "fn {name}_of(row: u32, i: u32) -> T {{ return {one}; }}\n\
                 fn {name}_of4(row: u32, i: u32) -> vec4<T> {{ return {four}; }}\n"
            )
        };
        let store = match wide {
            true => "fn store4(g: u32, v: vec4<T>) { y_set4(g, v); }\nfn store1(i: u32, v: T) {}\n",
            false => "fn store4(g: u32, v: vec4<T>) {}\nfn store1(i: u32, v: T) { y_set(i, v); }\n",
        };
        let mean = if is_centred { "mean_set(i, mean); " } else { "" };
        [
            &team.shader(include_str!("../shaders/norm.wgsl"), &["sum"], dtype),
            store,
            &affine("weight", xs.len() > 1, "1"),
            &affine("bias", xs.len() > 2, "0"),
            &format!("fn store_statistics(i: u32, mean: T, scale: T) {{ {mean}scale_set(i, scale); }}\n"),
        ]
        .concat()
    })?;
    Ok(ys)
}

/// `(y, mean, 1/σ)` of each channel of `x [n, c, ..]`: the mean, then the variance, then `y` in one pass over `x` each.
pub(crate) fn batch_norm(
    gpu: &'static Gpu,
    xs: &[&WgpuValue],
    eps: f64,
    out: &Metas,
) -> Result<Outputs<WgpuValue>> {
    let (x, affine) = (xs[0], &xs[1..]);
    let (shape, dtype) = (&x.meta.shape, x.meta.dtype);
    let wide = if dtype.is_half() { DType::F32 } else { dtype };
    let axes: Axes = (0..shape.rank()).filter(|&a| a != 1).collect();
    let statistics = Meta::new(&out[1].shape, wide);
    let mean = reduce::reduce(gpu, Reduce::Mean, x, &axes, &statistics)?;
    let variance = reduce::variance(gpu, x, &mean, &axes)?;

    let scalar = |value: f64| Op::Full(Scalar::Float(value), statistics.shape.clone(), wide);
    let rsqrt = [scalar(eps), Op::Binary(Binary::Add, 0, 1), Op::Unary(Unary::Rsqrt, 2)];
    let rstd = one(chain::run(gpu, &rsqrt, &[3], &[&variance], &[&statistics])?)?;

    // the operands in F32 where they are halves, then ((x - mean) rstd) weight + bias
    let seen = |v: &WgpuValue| v.view(v.layout.broadcast(shape));
    let channels = |v: &WgpuValue| view::reshape(gpu, v, &out[1].shape).map(|v| seen(&v));
    let mut inputs: SmallVec<[WgpuValue; 5]> = smallvec![x.clone(), seen(&mean), seen(&rstd)];
    for v in affine {
        inputs.push(channels(v)?);
    }
    let count = inputs.len();
    let mut code: Vec<Op<usize>> = (0..count).map(|i| Op::Cast(i, wide)).collect();
    let next = |code: &Vec<Op<usize>>| count + code.len() - 1;
    code.push(Op::Binary(Binary::Sub, count, count + 1));
    for (kind, operand) in [Binary::Mul, Binary::Mul, Binary::Add].into_iter().zip(count + 2..2 * count) {
        code.push(Op::Binary(kind, next(&code), operand));
    }
    code.push(Op::Cast(next(&code), dtype));
    let inputs: SmallVec<[&WgpuValue; 5]> = inputs.iter().collect();
    let y = one(chain::run(gpu, &code, &[next(&code)], &inputs, &[&out[0]])?)?;
    let rounded = |v: WgpuValue, meta: &Meta| chain::single(gpu, Op::Cast(&v, meta.dtype), meta);
    if dtype == wide {
        return Ok(smallvec![y, mean, rstd]);
    }
    Ok(smallvec![y, rounded(mean, &out[1])?, rounded(rstd, &out[2])?])
}

fn one(results: Outputs<WgpuValue>) -> Result<WgpuValue> {
    let missing = || firesteel_core::Error::internal("batch_norm", "a part without a result");
    results.into_iter().next().ok_or_else(missing)
}
