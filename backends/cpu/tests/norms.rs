//! Normalisations, and the way back through them, against their decompositions.
mod common;

use common::{FLOATS, Result, check, normal};
use firesteel_core::{Axes, DType, Fused, Meta, NormAxes, Op, Shape, Tensor, infer};
use firesteel_cpu::Cpu;

#[test]
fn norms() -> Result {
    let eps = 1e-5;
    for dtype in FLOATS {
        for shape in
            [vec![6], vec![3, 4], vec![2, 3, 65], vec![300, 200], vec![2, 0, 3], vec![0, 4], vec![4, 3, 5, 7]]
        {
            let x = ((normal(&shape, dtype, 1)? * 2.0)? + 1.0)?;
            for dims in 1..=shape.len() {
                let tail = &shape[shape.len() - dims..];
                let (w, b) = (normal(tail, dtype, 2)?, normal(tail, dtype, 3)?);
                for operands in [vec![], vec![w.clone()], vec![w, b]] {
                    let operands = [vec![x.clone()], operands].concat();
                    check(&Fused::LayerNorm { dims, eps }, &operands)?;
                    check(&Fused::RmsNorm { dims, eps }, &operands[..operands.len().min(2)])?;
                    norm_grad(&operands[..operands.len().min(2)], dims)?;
                }
            }
            if shape.len() > 1 {
                let (w, b) = (normal(&[shape[1]], dtype, 2)?, normal(&[shape[1]], dtype, 3)?);
                for operands in [vec![], vec![w.clone()], vec![w, b]] {
                    check(&Fused::BatchNorm { eps }, &[vec![x.clone()], operands].concat())?;
                }
            }
        }
    }
    Ok(())
}

/// The way back through a normalisation of `x`, by a weight if there is one.
fn norm_grad(operands: &[Tensor<Cpu>], dims: usize) -> Result {
    let (x, shape) = (&operands[0], operands[0].shape());
    let (rank, dtype) = (x.rank(), x.dtype());
    let axes: Axes = (rank - dims..rank).collect();
    let statistic = |seed| normal(&x.meta().reduced(&axes), dtype, seed);
    let (mean, r, g) = (statistic(4)?, statistic(5)?, normal(shape, dtype, 6)?);
    let kept: Shape = (0..rank).map(|axis| if axes.contains(&axis) { shape[axis] } else { 1 }).collect();
    let weight = operands.get(1).map(|weight| weight.reshape(&kept[..])).transpose()?;
    for (centred, affine) in [(true, true), (true, false), (false, true), (false, false)] {
        let mean = centred.then(|| mean.clone());
        let xs = [Some(x.clone()), mean, Some(r.clone()), Some(g.clone()), weight.clone()];
        let affine = affine.then(|| axes.clone());
        let grad = Fused::NormGrad(NormAxes { axes: axes.clone(), centred, affine }.into());
        check(&grad, &xs.into_iter().flatten().collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Channels in groups: few and many, small and odd, none, and beyond what a sum takes at once.
const GROUPED: [(&[usize], usize); 13] = [
    (&[2, 6, 5, 7], 3),
    (&[2, 6, 5, 7], 1),
    (&[2, 6, 5, 7], 6),
    (&[3, 4], 2),
    (&[70, 12], 4),
    (&[70, 12], 12),
    (&[1, 1, 1], 1),
    (&[1, 4, 1, 1], 2),
    (&[4, 6, 47, 61], 2),
    (&[1, 3, 2500], 3),
    (&[0, 4, 3], 2),
    (&[2, 4, 0], 2),
    (&[2, 0, 3], 2),
];

#[test]
fn group_norm() -> Result {
    for dtype in FLOATS {
        for (shape, groups) in GROUPED {
            let x = ((normal(shape, dtype, 1)? * 2.0)? + 1.0)?;
            let (w, b) = (normal(&shape[1..2], dtype, 2)?, normal(&shape[1..2], dtype, 3)?);
            let operands = [x, w, b];
            for n in 1..=operands.len() {
                check(&Fused::GroupNorm { groups, eps: 1e-5 }, &operands[..n])?;
            }
            grouped_grad(&operands[..2], groups)?;
        }
    }
    Ok(())
}

/// The way back through a norm of channels in groups, as its rule asks for it and where less is wanted.
fn grouped_grad(operands: &[Tensor<Cpu>], groups: usize) -> Result {
    let seen @ [n, groups, inside, _] = operands[0].meta().grouped(groups);
    let x = operands[0].reshape(seen)?;
    let statistic = |seed| normal(&[n, groups, 1, 1], x.dtype(), seed);
    let (mean, r, g) = (statistic(4)?, statistic(5)?, normal(x.shape(), x.dtype(), 6)?);
    let weight = operands[1].reshape([1, groups, inside, 1])?;
    let axes = |axes: &[usize]| Axes::from_slice(axes);
    for affine in [None, Some(axes(&[1, 2])), Some(axes(&[2])), Some(axes(&[1])), Some(axes(&[1, 2, 3]))] {
        for centred in [true, false] {
            let norm = NormAxes { axes: axes(&[2, 3]), centred, affine: affine.clone() };
            let xs = [Some(&x), centred.then_some(&mean), Some(&r), Some(&g), Some(&weight)];
            let xs: Vec<_> = xs.into_iter().flatten().cloned().collect();
            check(&Fused::NormGrad(norm.clone().into()), &xs)?;
            check(&Fused::NormGrad(norm.into()), &xs[..xs.len() - 1])?;
        }
    }
    Ok(())
}

#[test]
fn group_norm_of_a_huge_mean() -> Result {
    let x = (normal(&[2, 4, 300], DType::F64, 1)? + 1e5)?;
    let y = |x: &Tensor<Cpu>| x.to(DType::F32)?.group_norm(2, None, None, 1e-5)?.to_vec::<f32>();
    // what is rounded away of the numbers themselves is no fault of the norm's
    let (far, near) = (y(&x)?, y(&(x.to(DType::F32)?.to(DType::F64)? - 1e5)?)?);
    assert!(far.iter().zip(&near).all(|(a, b)| (a - b).abs() < 1e-2), "{far:?}, not {near:?}");
    Ok(())
}

#[test]
fn group_norm_in_any_number_of_threads() -> Result {
    let run = |threads| {
        firesteel_cpu::set_num_threads(threads)?;
        let (x, w) = (normal(&[5, 12, 45, 47], DType::F32, 1)?, normal(&[12], DType::F32, 2)?);
        let norm = Fused::GroupNorm { groups: 4, eps: 1e-5 };
        let results = Tensor::apply(Op::Fused(norm, [&x, &w].into_iter().collect()))?;
        let [y, mean, r] = &results[..] else { panic!("three results") };
        let seen = x.meta().grouped(4);
        let (x, g, w) = (x.reshape(seen)?, y.reshape(seen)?, w.reshape([1, 4, 3, 1])?);
        let axes = |axes: &[usize]| Axes::from_slice(axes);
        let norm = NormAxes { axes: axes(&[2, 3]), centred: true, affine: Some(axes(&[1, 2])) };
        let operands = [&x, mean, r, &g, &w].into_iter().collect();
        let back = Tensor::apply(Op::Fused(Fused::NormGrad(norm.into()), operands))?;
        results.iter().chain(&back).map(|y| y.to_vec::<f32>()).collect::<Result<Vec<_>>>()
    };
    let one = run(1)?;
    assert!(one == run(2)? && one == run(7)?);
    Ok(())
}

#[test]
fn group_norm_refuses_what_does_not_fit() {
    let meta = |shape: &[usize]| Meta::new(Shape::from(shape), DType::F32);
    let (x, w) = (meta(&[2, 6, 5]), meta(&[6]));
    let half = Meta::new([6], DType::F16);
    let refused = |groups, xs: &[&Meta], why: &str| {
        let error = infer(Op::Fused(Fused::GroupNorm { groups, eps: 1e-5 }, xs.iter().copied().collect()));
        let error = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(error.contains(why), "{error:?} does not say {why:?}");
    };
    refused(0, &[&x], "6 channels do not fall into 0 groups");
    refused(4, &[&x], "6 channels do not fall into 4 groups");
    refused(usize::MAX, &[&meta(&[2, 0, 3])], "too large");
    refused(2, &[&x, &meta(&[5])], "has to be float32 [6]");
    refused(2, &[&x, &w, &meta(&[6, 1])], "has to be float32 [6]");
    refused(2, &[&x, &half], "has to be float32 [6]");
    refused(2, &[&x, &w, &w, &w], "4 operands");
    refused(2, &[], "takes an operand");
    refused(1, &[&meta(&[6])], "needs (n, c, ..)");
    refused(1, &[&meta(&[])], "needs (n, c, ..)");
    refused(2, &[&Meta::new([2, 6], DType::I32)], "needs real numbers");
}
