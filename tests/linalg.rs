//! Decompositions put together again, their derivatives against differences, and what they refuse.
#![cfg(feature = "linalg")]

use firesteel::{GradCheck, QrMode, Tolerance, Tolerances, Triangle, gradcheck, gradgradcheck, prelude::*};

/// Numbers without a pattern, the same in every run.
fn matrices<const R: usize>(shape: [usize; R]) -> Result<Tensor<Cpu>> {
    let numbers = (0..shape.iter().product()).map(|i: usize| (0.7 * (i * i + 1) as f64).sin()).collect();
    Tensor::from_vec::<f64>(numbers, shape, &Cpu)
}

fn symmetric(n: usize) -> Result<Tensor<Cpu>> {
    let a = matrices([n, n])?;
    &a + a.mt()?
}

/// `A Aᵀ + I`.
fn positive(n: usize) -> Result<Tensor<Cpu>> {
    let a = matrices([n, n])?;
    a.matmul(&a.mt()?)? + Tensor::eye(n, (DType::F64, &Cpu))?
}

#[track_caller]
fn close(a: &Tensor<Cpu>, b: &Tensor<Cpu>) -> Result<()> {
    assert!(a.allclose(b, Tolerance { rtol: 1e-9, atol: 1e-9, equal_nan: false })?, "{a} is not {b}");
    Ok(())
}

#[test]
fn factors_make_the_matrix() -> Result<()> {
    for [m, n] in [[1, 1], [5, 3], [3, 5], [40, 40], [33, 70], [70, 33]] {
        let a = matrices([2, m, n])?;
        for mode in [QrMode::Reduced, QrMode::Complete] {
            let (q, r) = a.qr(mode)?;
            close(&q.matmul(&r)?, &a)?;
            close(&q.mt()?.matmul(&q)?, &Tensor::eye(q.size(-1)?, (DType::F64, &Cpu))?)?;
            close(&r.tril(-1)?, &r.zeros_like()?)?;
        }
        let (packed, tau) = a.geqrf()?;
        close(&packed.householder_product(&tau)?.narrow(-1, 0, m.min(n))?, &a.qr(QrMode::Reduced)?.0)?;
        let (p, l, u) = a.lu()?;
        close(&p.matmul(&l)?.matmul(&u)?, &a)?;
        for full in [false, true] {
            let (u, s, vt) = a.svd(full)?;
            let k = m.min(n);
            close(&u.narrow(-1, 0, k)?.mul(s.unsqueeze(-2)?)?.matmul(&vt.narrow(-2, 0, k)?)?, &a)?;
            assert!(u.size(-1)? == if full { m } else { k } && vt.size(-2)? == if full { n } else { k });
        }
        let inverse = a.pinv(Tolerances::default())?;
        close(&a.matmul(&inverse)?.matmul(&a)?, &a)?;
    }
    let a = symmetric(30)?;
    let (w, v) = a.eigh(Triangle::Lower)?;
    close(&a.matmul(&v)?, &v.mul(&w)?)?;
    let a = positive(30)?;
    let l = a.cholesky(Triangle::Lower)?;
    close(&l.matmul(&l.mt()?)?, &a)?;
    close(&a.cholesky(Triangle::Upper)?, &l.mt()?)?;
    Ok(())
}

#[test]
fn symmetric_matrices_are_solved_by_pivots_of_size_two_as_well() -> Result<()> {
    for n in 1..12 {
        // zeros on the diagonal ask for blocks
        let a = symmetric(n)?;
        let a = (&a - a.diagonal(0, 0, 1)?.diag(0)?)?;
        let a = if n == 1 { a.full_like(2.)? } else { a };
        let (ld, pivots, info) = a.ldl_factor_ex()?;
        assert_eq!(info.item::<i32>()?, 0);
        assert!(
            n < 2 || pivots.to_vec::<i32>()?.iter().any(|&pivot| pivot < 0),
            "a block of size two, {pivots}"
        );
        let b = matrices([n, 2])?;
        close(&a.matmul(&ld.ldl_solve(&pivots, &b)?)?, &b)?;
    }
    Ok(())
}

#[test]
fn solutions_solve() -> Result<()> {
    let (a, b) = (matrices([3, 20, 20])?, matrices([3, 20, 4])?);
    close(&a.matmul(&a.solve(&b)?)?, &b)?;
    close(&a.matmul(&a.inv()?)?, &Tensor::eye(20, (DType::F64, &Cpu))?.expand([3, 20, 20])?)?;
    let factored = a.lu_factor()?;
    close(&a.matmul(&factored.lu.lu_solve(&factored.pivots, &b, false)?)?, &b)?;
    close(&a.mt()?.matmul(&factored.lu.lu_solve(&factored.pivots, &b, true)?)?, &b)?;
    let (sign, log) = a.slogdet()?;
    close(&sign.mul(log.exp()?)?, &a.det()?)?;
    close(&a.mul(0.1)?.matrix_exp()?.matmul(&a.mul(-0.1)?.matrix_exp()?)?, &a.matrix_power(0)?)?;
    Ok(())
}

#[test]
fn derivatives_agree_with_differences() -> Result<()> {
    let (tall, square, wide) = (matrices([5, 3])?, matrices([4, 4])?, matrices([3, 5])?);
    let options = GradCheck::default();
    macro_rules! holds {
        ($($f:expr, $xs:expr;)*) => {$({
            let xs = $xs;
            gradcheck($f, &xs, options)?;
            gradgradcheck($f, &xs, options)?;
        })*};
    }
    holds! {
        |x| x[0].add(x[0].mt()?)?.cholesky(Triangle::Lower), [positive(4)?];
        |x| x[0].solve(&x[1]), [square.clone(), matrices([4, 2])?];
        |x| x[0].solve_triangular(&x[1], Triangle::Upper, false), [square.clone(), matrices([4, 2])?];
        |x| x[0].solve_triangular(&x[1], Triangle::Lower, true), [square.clone(), matrices([4, 2])?];
        |x| x[0].det(), [square.clone()];
        |x| Ok(x[0].slogdet()?.1), [square.clone()];
        |x| x[0].matrix_exp(), [square.clone()];
        |x| x[0].matrix_power(-2), [square.clone()];
        |x| x[0].svdvals(), [tall.clone()];
        |x| x[0].add(x[0].mt()?)?.eigvalsh(Triangle::Lower), [square.clone()];
        |x| x[0].eigvals(), [square.clone()];
        // what is not changed by the phases of vectors
        |x| { let v = x[0].eig()?.1; v.square()?.sum(-1) }, [square.clone()];
        |x| { let (w, v) = x[0].eig()?; w.square()?.sum(-1)?.unsqueeze(-2)?.mul(v.square()?.sum(-1)?) }, [matrices([2, 3, 3])?];
        // the projector on two eigenvectors does not know their signs
        |x| { let v = x[0].add(x[0].mt()?)?.eigh(Triangle::Lower)?.1.narrow(-1, 0, 2)?; v.matmul(&v.mt()?) }, [square.clone()];
    }
    for a in [&tall, &square, &wide] {
        holds! {
            |x| Ok(x[0].qr(QrMode::Reduced)?.0), [a.clone()];
            |x| Ok(x[0].qr(QrMode::Reduced)?.1), [a.clone()];
            |x| Ok(x[0].lu_factor()?.lu), [a.clone()];
            |x| x[0].pinv(Tolerances::default()), [a.clone()];
            |x| { let (u, _, vt) = x[0].svd(false)?; u.matmul(&vt) }, [a.clone()];
        }
    }
    let tau = matrices([3])?;
    holds! { |x| x[0].householder_product(&x[1]), [tall.clone(), tau.clone()]; }
    holds! { |x| x[0].ormqr(&x[1], &x[2], true), [tall.clone(), tau.clone(), matrices([5, 2])?]; }
    Ok(())
}

#[test]
fn equal_singular_values_have_a_gradient_that_is_finite() -> Result<()> {
    let device = Autodiff::new(Cpu);
    let a = Tensor::lift(&device, Tensor::eye(3, (DType::F64, &Cpu))?).requires_grad()?;
    for y in [a.svdvals()?, a.eigvalsh(Triangle::Lower)?] {
        close(y.sum(..)?.backward()?.get(&a)?, &Tensor::eye(3, (DType::F64, &Cpu))?)?;
    }
    Ok(())
}

#[test]
fn what_cannot_be_is_an_error() -> Result<()> {
    let wide = matrices([2, 3])?;
    let (vector, whole) = (matrices([3])?, Tensor::ones([2, 2], (DType::I64, &Cpu))?);
    let singular = Tensor::zeros([2, 2], (DType::F64, &Cpu))?;
    let nan = singular.full_like(f64::NAN)?;
    for a in [&wide, &vector, &whole] {
        assert!(a.inv().is_err() && a.det().is_err() && a.cholesky(Triangle::Lower).is_err());
        assert!(a.eigh(Triangle::Lower).is_err() && a.eig().is_err() && a.matrix_power(2).is_err());
        assert!(a.matrix_exp().is_err() && a.ldl_factor_ex().is_err() && a.solve(&wide).is_err());
    }
    for a in [&vector, &whole] {
        assert!(a.svd(true).is_err() && a.qr(QrMode::Reduced).is_err() && a.lu().is_err());
        assert!(a.pinv(Tolerances::default()).is_err() && a.lstsq(a, None).is_err());
    }
    let message = singular.inv().unwrap_err().to_string();
    assert!(message.contains("singular"), "{message}");
    let message = singular.cholesky(Triangle::Lower).unwrap_err().to_string();
    assert!(message.contains("positive definite"), "{message}");
    assert!(nan.svd(false).is_err() && nan.eigh(Triangle::Lower).is_err() && nan.eig().is_err());
    let pivots = Tensor::new([9, 9], (DType::I32, &Cpu))?;
    assert!(singular.lu_unpack(&pivots).is_err() && singular.ldl_solve(&pivots, &singular).is_err());
    for shape in [[0, 0], [0, 3], [3, 0]] {
        let none = Tensor::zeros(shape, (DType::F64, &Cpu))?;
        assert_eq!(none.svd(true)?.0.shape(), &[shape[0], shape[0]]);
        assert_eq!(none.qr(QrMode::Complete)?.0.shape(), &[shape[0], shape[0]]);
        assert_eq!(none.pinv(Tolerances::default())?.shape(), &[shape[1], shape[0]]);
    }
    Ok(())
}
