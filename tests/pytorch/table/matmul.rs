//! Products of vectors and matrices.
use super::borrow;
use crate::pytorch::args::Args;
use crate::pytorch::cases::Value;
use firesteel::{Factors, Result, Scalar, Tensor};

table! {
    /// Products, and sums with a product.
    matmul(a) {
        each addbmm addmm addmv addr baddbmm: (&a.tensor(1)?, &a.tensor(2)?, factors(a)?);
        each bmm dot kron matmul mm mv outer vdot: (&a.tensor(1)?);
        each cross: (&a.tensor(1)?, a.opt_dim("dim")?);
        each tensordot: (&a.tensor(1)?, contracted(a, 0)?, contracted(a, 1)?);
        "__rmatmul__" => a.tensor(1)?.matmul(&a.tensor(0)?)?,
        "einsum" => Tensor::einsum(a.str(1)?, &borrow(&a.tensors(0)?))?,
        "inner" => a.tensor(0)?.inner(&a.tensor(1)?)?,
        "linalg.multi_dot" => Tensor::multi_dot(&borrow(&a.tensors(0)?))?,
        "linalg.vecdot" => a.tensor(0)?.vecdot(&a.tensor(1)?, a.dim_or("dim", -1)?)?,
        "linalg.cross" => a.tensor(0)?.cross(&a.tensor(1)?, a.dim_or("dim", -1)?)?,
    }
}

fn factors<T: Clone>(a: &Args<T>) -> Result<Factors> {
    let one = Scalar::Int(1);
    Ok(Factors { beta: a.scalar_or("beta", one)?, alpha: a.scalar_or("alpha", one)? })
}

/// The dims of an operand of `tensordot` that are summed over: the last of the first and the first of the second
/// where only their number is given.
fn contracted<T: Clone>(a: &Args<T>, operand: usize) -> Result<Vec<i64>> {
    let ints = |items: &[Value]| {
        items.iter().filter_map(|v| if let Value::Int(i) = v { Some(*i) } else { None }).collect()
    };
    match a.value("dims") {
        Some((_, Value::Tuple(both))) => match both.get(operand) {
            Some(Value::List(dims)) => Ok(ints(dims)),
            _ => a.ints("dims"),
        },
        _ => {
            let count = a.int("dims")?;
            Ok(if operand == 0 { (-count..0).collect() } else { (0..count).collect() })
        }
    }
}
