//! Products: matrices and convolutions.
use super::{one, reduce};
use crate::{Axes, Conv, DType, Error, Meta, Metas, Result, Shape};

pub fn matmul(a: &Meta, b: &Meta) -> Result<Metas> {
    let shape = product("matmul", a, b)?;
    if a.dtype != b.dtype || a.dtype == DType::Bool {
        return Err(Error::dtype("matmul", format!("cannot multiply {} by {}", a.dtype, b.dtype)));
    }
    one(shape, a.dtype)
}

/// A product of I8 in I32.
pub fn int_mm(name: &'static str, a: &Meta, b: &Meta) -> Result<Metas> {
    let shape = product(name, a, b)?;
    if [a.dtype, b.dtype] != [DType::I8; 2] {
        let why = format!("cannot multiply {} by {}: both have to be i8", a.dtype, b.dtype);
        return Err(Error::dtype(name, why));
    }
    one(shape, DType::I32)
}

/// The shape of a product of matrices, or of batches of them.
fn product(name: &'static str, a: &Meta, b: &Meta) -> Result<Shape> {
    let bad =
        |why: String| Err(Error::shape(name, format!("cannot multiply {} by {}: {why}", a.shape, b.shape)));
    let ([batch @ .., m, k], [others @ .., k2, n]) = (&a.shape[..], &b.shape[..]) else {
        return bad("both need two dims or more".into());
    };
    if k != k2 {
        return bad(format!("the inner sizes {k} and {k2} differ"));
    }
    if batch != others {
        return bad("their leading sizes differ".into());
    }
    Ok(batch.iter().chain([m, n]).copied().collect())
}

pub fn conv(conv: &Conv, x: &Meta, w: &Meta) -> Result<Metas> {
    let (spatial, kernel) = (check(conv, "conv", x, w)?, &w.shape[2..]);
    if x.shape[1] != w.shape[1].saturating_mul(conv.groups) {
        let why = format!(
            "the weight {} in {} groups wants {} channels, and the input {} has {}",
            w.shape,
            conv.groups,
            w.shape[1].saturating_mul(conv.groups),
            x.shape,
            x.shape[1]
        );
        return Err(Error::shape("conv", why));
    }
    let mut shape = Shape::from([x.shape[0], w.shape[0]]);
    for (axis, (&size, &window)) in spatial.iter().zip(kernel).enumerate() {
        shape.push(conv.output("conv", axis, size, window)?);
    }
    one(shape, x.dtype)
}

pub fn input_grad(conv: &Conv, g: &Meta, w: &Meta, size: &Axes) -> Result<Metas> {
    let (spatial, kernel) = (check(conv, "conv_transpose", g, w)?, &w.shape[2..]);
    if g.shape[1] != w.shape[0] {
        let why = format!("the weight {} does not fit the {} channels of {}", w.shape, g.shape[1], g.shape);
        return Err(Error::shape("conv_transpose", why));
    }
    consistent(conv, "conv_transpose", size, kernel, spatial)?;
    let mut shape = Shape::from([g.shape[0], w.shape[1].saturating_mul(conv.groups)]);
    size.iter().for_each(|&n| shape.push(n));
    one(shape, g.dtype)
}

pub fn weight_grad(conv: &Conv, g: &Meta, x: &Meta, size: &Axes) -> Result<Metas> {
    let spatial = check(conv, "conv_weight_grad", x, g)?;
    if g.shape[0] != x.shape[0]
        || !g.shape[1].is_multiple_of(conv.groups)
        || !x.shape[1].is_multiple_of(conv.groups)
    {
        let why = format!("{} and {} do not fit in {} groups", g.shape, x.shape, conv.groups);
        return Err(Error::shape("conv_weight_grad", why));
    }
    consistent(conv, "conv_weight_grad", spatial, size, &g.shape[2..])?;
    let mut shape = Shape::from([g.shape[1], x.shape[1] / conv.groups]);
    size.iter().for_each(|&n| shape.push(n));
    one(shape, x.dtype)
}

/// Whether a convolution of `input` by `kernel` really has this `output`.
fn consistent(
    conv: &Conv,
    name: &'static str,
    input: &[usize],
    kernel: &[usize],
    output: &[usize],
) -> Result<()> {
    let bad = || Err(Error::shape(name, format!("{input:?} by {kernel:?} does not give {output:?}")));
    if input.len() != output.len() || kernel.len() != output.len() {
        return bad();
    }
    for (axis, &want) in output.iter().enumerate() {
        if conv.output(name, axis, input[axis], kernel[axis])? != want {
            return bad();
        }
    }
    Ok(())
}

/// What holds for all three: ranks, options and dtypes fit. Gives the spatial sizes of `x`.
fn check<'a>(conv: &Conv, name: &'static str, x: &'a Meta, w: &Meta) -> Result<&'a [usize]> {
    let axes = conv.stride.len();
    let fits = [x.shape.rank(), w.shape.rank()].iter().all(|&rank| rank == axes + 2);
    if !fits || conv.padding.len() != axes || conv.dilation.len() != axes {
        let why = format!("{} and {} do not fit a convolution over {axes} dims", x.shape, w.shape);
        return Err(Error::shape(name, why));
    }
    if x.dtype != w.dtype || x.dtype == DType::Bool {
        return Err(Error::dtype(name, format!("cannot convolve {} and {}", x.dtype, w.dtype)));
    }
    if conv.groups == 0 || !w.shape[0].is_multiple_of(conv.groups) && name != "conv_weight_grad" {
        let why = format!("{} channels do not fall into {} groups", w.shape[0], conv.groups);
        return Err(Error::value(name, why));
    }
    if conv.stride.contains(&0) || conv.dilation.contains(&0) {
        return Err(Error::value(name, "stride and dilation have to be at least 1"));
    }
    Ok(&x.shape[2..])
}

impl Conv {
    /// How many windows fit along a spatial axis: `⌊(size + 2p - d (k - 1) - 1) / s⌋ + 1`.
    pub fn output(&self, name: &'static str, axis: usize, size: usize, kernel: usize) -> Result<usize> {
        let padded = self.padding[axis].checked_mul(2).and_then(|p| p.checked_add(size));
        let reach = kernel.checked_sub(1).and_then(|k| k.checked_mul(self.dilation[axis]));
        match (padded, reach) {
            (Some(padded), Some(reach)) if padded > reach => Ok((padded - reach - 1) / self.stride[axis] + 1),
            _ => {
                let why = format!("a window of {kernel} does not fit a padded dim of size {size}");
                Err(Error::shape(name, why))
            }
        }
    }
}

/// Kept beside the products, as a linear layer is one: `(x [.., k], w [n, k], b? [n])`.
pub fn linear(xs: &[&Meta]) -> Result<Metas> {
    let (x, w, b) = match xs {
        [x, w] => (x, w, None),
        [x, w, b] => (x, w, Some(b)),
        _ => return Err(Error::internal("linear", "takes two or three operands")),
    };
    let bad = |why: String| Err(Error::shape("linear", why));
    let ([lead @ .., k], [n, k2]) = (&x.shape[..], &w.shape[..]) else {
        return bad(format!("cannot apply the weight {} to {}", w.shape, x.shape));
    };
    if k != k2 {
        return bad(format!("the weight {} wants {k2} features, and the input {} has {k}", w.shape, x.shape));
    }
    if b.is_some_and(|b| b.shape != [*n]) {
        return bad(format!("the bias has to have shape [{n}]"));
    }
    if w.dtype != x.dtype || b.is_some_and(|b| b.dtype != x.dtype) {
        return Err(Error::dtype("linear", format!("the input is {} and the weight {}", x.dtype, w.dtype)));
    }
    reduce::not_bool("linear", x)?;
    one(lead.iter().chain([n]).copied().collect::<Shape>(), x.dtype)
}
