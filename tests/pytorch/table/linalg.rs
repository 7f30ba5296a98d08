//! Linear algebra.
use super::Outputs;
use crate::pytorch::args::{Args, Operand};
use crate::pytorch::cases::Value;
use firesteel::{
    Backend, DType, Dims, Error, MatrixNorm, QrMode, Result, Shape, Tensor, Tolerances, Triangle,
};

table! {
    /// By its older names.
    factors(a) {
        each geqrf logdet matrix_exp: ();
        "cholesky_inverse" => a.tensor(0)?.cholesky_inverse(triangle(a)?)?,
        "cholesky_solve" => a.tensor(0)?.cholesky_solve(&a.tensor(1)?, triangle(a)?)?,
        "lu" => {
            let found = a.tensor(0)?.lu_factor()?;
            // with pivots, of which ours always are some
            a.ignore(1);
            match a.bool(2)? {
                true => vec![found.lu, found.pivots, found.info],
                false => vec![found.lu, found.pivots],
            }
        },
        "lu_solve" => a.tensor(1)?.lu_solve(&a.tensor(2)?, &a.tensor(0)?, false)?,
        "lu_unpack" => a.tensor(0)?.lu_unpack(&a.tensor(1)?)?,
        "ormqr" => {
            let (x, tau, c) = (a.tensor(0)?, a.tensor(1)?, a.tensor(2)?);
            let transposed = a.bool("transpose")?;
            match a.bool("left")? {
                true => x.ormqr(&tau, &c, transposed)?,
                false => x.ormqr(&tau, &c.mt()?, !transposed)?.mt()?,
            }
        },
        "pinverse" => a.tensor(0)?.pinv(Tolerances::default())?,
        "svd" => {
            let (u, s, vt) = a.tensor(0)?.svd(!a.bool("some")?)?;
            (u, s, vt.mt()?)
        },
        "triangular_solve" => {
            let matrix = a.tensor(1)?;
            (matrix.solve_triangular(&a.tensor(0)?, Triangle::Upper, false)?, matrix)
        },
    }
}

table! {
    /// By its names.
    linalg(a) in "linalg." {
        each cond det eig eigvals inv inv_ex slogdet svdvals: ();
        each cholesky cholesky_ex: (triangle(a)?);
        each eigh eigvalsh: (if a.opt_str("UPLO")? == Some("U") { Triangle::Upper } else { Triangle::Lower });
        each householder_product solve solve_ex: (&a.tensor(1)?);
        each matrix_power: (a.int(1)?);
        each qr: (QrMode::default());
        each svd: (a.bool("full_matrices")?);
        each tensorinv: (a.size("ind")?);
        each vander: (a.opt_size("N")?);
        "ldl_factor" => {
            a.ignore("hermitian");
            let (factors, pivots, _) = a.tensor(0)?.ldl_factor_ex()?;
            (factors, pivots)
        },
        "ldl_factor_ex" => {
            a.ignore("hermitian");
            a.tensor(0)?.ldl_factor_ex()?
        },
        "ldl_solve" => {
            a.ignore("hermitian");
            a.tensor(0)?.ldl_solve(&a.tensor(1)?, &a.tensor(2)?)?
        },
        "lstsq" => lstsq(a)?,
        "lu" => {
            a.ignore("pivot");
            a.tensor(0)?.lu()?
        },
        "lu_factor" => {
            a.ignore("pivot");
            let found = a.tensor(0)?.lu_factor()?;
            (found.lu, found.pivots)
        },
        "lu_factor_ex" => {
            a.ignore("pivot");
            let found = a.tensor(0)?.lu_factor()?;
            vec![found.lu, found.pivots, found.info]
        },
        "lu_solve" => {
            let (lu, pivots, b) = (a.tensor(0)?, a.tensor(1)?, a.tensor(2)?);
            let transposed = a.bool("adjoint")?;
            match a.bool("left")? {
                true => lu.lu_solve(&pivots, &b, transposed)?,
                false => lu.lu_solve(&pivots, &b.mt()?, !transposed)?.mt()?,
            }
        },
        "matrix_rank" => {
            let (atol, rtol) = (tolerance(a, "atol")?, tolerance(a, "rtol")?);
            a.tensor(0)?.matrix_rank(tolerances(a, &atol, &rtol)?)?
        },
        "pinv" => {
            let (atol, rtol) = (tolerance(a, "atol")?, tolerance(a, "rtol")?);
            let x = if a.variant() == "singular" { a.tensor(0)?.matmul(&a.tensor(1)?.mt()?)? } else { a.tensor(0)? };
            x.pinv(tolerances(a, &atol, &rtol)?)?
        },
        "solve_triangular" => {
            let (x, b, unit) = (a.tensor(0)?, a.tensor(1)?, a.bool("unitriangular")?);
            let upper = a.bool("upper")?;
            match a.bool("left")? {
                true => x.solve_triangular(&b, triangle_of(upper), unit)?,
                false => x.mt()?.solve_triangular(&b.mt()?, triangle_of(!upper), unit)?.mt()?,
            }
        },
        "tensorsolve" => {
            let dims: Vec<_> = a.opt_ints("dims")?.unwrap_or_default().into_iter().map(|dim| dim as isize).collect();
            a.tensor(0)?.tensorsolve(&a.tensor(1)?, &dims)?
        },
    }
}

table! {
    /// How large matrices are.
    norms(a) in "linalg." {
        "matrix_norm" => {
            let dims = Dims { keepdim: a.bool_or((3, "keepdim"), false)?, ..a.opt_ints((2, "dim"))?.unwrap_or(vec![-2, -1]).into() };
            a.tensor(0)?.matrix_norm(matrix_norm(a)?, dims)?
        },
        "norm" => {
            let x = a.tensor(0)?;
            let dims = a.opt_ints("dim")?;
            let matrices = dims.as_ref().map_or(x.rank() == 2, |dims| dims.len() == 2);
            let keepdim = a.bool_or("keepdim", false)?;
            let dims = Dims { keepdim, ..dims.map_or_else(|| (..).into(), Dims::from) };
            match a.has((1, "ord")) {
                true if matrices => x.matrix_norm(matrix_norm(a)?, dims)?,
                true => x.norm(a.float((1, "ord"))?, dims)?,
                false => {
                    a.ignore((1, "ord"));
                    x.norm(2, dims)?
                }
            }
        },
    }
}

fn triangle<T: Clone>(a: &Args<T>) -> Result<Triangle> {
    Ok(triangle_of(a.bool_or("upper", false)?))
}

fn triangle_of(upper: bool) -> Triangle {
    if upper { Triangle::Upper } else { Triangle::Lower }
}

fn matrix_norm<T: Clone>(a: &Args<T>) -> Result<MatrixNorm> {
    let odd = || Error::value("matrix_norm", "there is no such norm");
    match a.value((1, "ord")) {
        Some((_, Value::Str(name))) if name == "nuc" => Ok(MatrixNorm::Nuclear),
        None | Some((_, Value::Str(_))) => Ok(MatrixNorm::Frobenius),
        Some(_) => Ok(match a.float((1, "ord"))? {
            1. => MatrixNorm::One,
            -1. => MatrixNorm::MinusOne,
            2. => MatrixNorm::Two,
            -2. => MatrixNorm::MinusTwo,
            f64::INFINITY => MatrixNorm::Infinity,
            f64::NEG_INFINITY => MatrixNorm::MinusInfinity,
            _ => return Err(odd()),
        }),
    }
}

/// A tolerance as a tensor.
fn tolerance<B: Backend>(a: &Args<Tensor<B>>, name: &'static str) -> Result<Option<Tensor<B>>> {
    Ok(match a.opt_operand(name)? {
        Some(Operand::Tensor(tolerance)) => Some(tolerance),
        Some(Operand::Scalar(number)) => Some(a.tensor(0)?.new_full((), number)?),
        None => None,
    })
}

fn tolerances<'t, B: Backend>(
    a: &Args<Tensor<B>>,
    atol: &'t Option<Tensor<B>>,
    rtol: &'t Option<Tensor<B>>,
) -> Result<Tolerances<'t, B>> {
    Ok(Tolerances { atol: atol.as_ref(), rtol: rtol.as_ref(), hermitian: a.bool_or("hermitian", false)? })
}

/// Each of LAPACK's drivers gives another part of what ours does.
fn lstsq<B: Backend>(a: &Args<Tensor<B>>) -> Result<Outputs<B>> {
    let (x, driver) = (a.tensor(0)?, a.str("driver")?);
    let found = x.lstsq(&a.tensor(1)?, a.opt_float("rcond")?)?;
    let (tall, nothing) = (x.size(-2)? > x.size(-1)?, Shape::from(0));
    let residuals = if tall && driver != "gelsy" { found.residuals } else { x.new_empty(&nothing)? };
    if a.variant() == "grad_oriented" {
        return Ok((found.solution, residuals).into());
    }
    let rank = match driver {
        "gels" => Tensor::empty(&nothing, (DType::I64, x.backend()))?,
        _ => found.rank,
    };
    let values =
        if ["gelsd", "gelss"].contains(&driver) { found.singular_values } else { x.new_empty(&nothing)? };
    Ok(vec![found.solution, residuals, rank, values].into())
}
