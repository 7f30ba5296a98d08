//! Special points of the functions of tensors, where a formula is easily wrong.
use firesteel::{DiffOptions, Order, Replacement, RoundingMode, SearchOptions, manual_seed, prelude::*};
use std::f64::consts::LN_2;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

fn tensor<const N: usize>(numbers: [f64; N]) -> Result<Tensor<Cpu>> {
    Tensor::new(numbers, (DType::F64, &Cpu))
}

/// Equal, and NaN where the other is.
#[track_caller]
fn same(found: &Tensor<Cpu>, wanted: &[f64]) {
    let found = found.to_vec::<f64>().unwrap_or_default();
    let close = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-12;
    assert!(
        found.len() == wanted.len() && found.iter().zip(wanted).all(close),
        "{found:?} is not {wanted:?}"
    );
}

#[test]
fn quotients_rounded_down() -> Result<()> {
    let (a, b) = (tensor([7., -7., -1., 1., 0., -6.])?, tensor([2., 2., INF, 0., -3., 3.])?);
    same(&a.floor_divide(&b)?, &[3., -4., -1., INF, 0., -2.]);
    let (a, b) = (a.long()?, Tensor::new([2, 2, 5, -1, -3, 3], &Cpu)?);
    assert_eq!(a.floor_divide(&b)?.to_vec::<i64>()?, [3, -4, -1, -1, 0, -2]);
    assert_eq!(a.div_rounded(&b, RoundingMode::Trunc)?.to_vec::<i64>()?, [3, -3, 0, -1, 0, -2]);
    Ok(())
}

#[test]
fn functions_at_their_edges() -> Result<()> {
    same(&tensor([0., 0., 0., 2., NAN])?.xlogy(&tensor([0., INF, NAN, 1., 1.])?)?, &[0., 0., NAN, 0., NAN]);
    same(&tensor([INF, -INF, 0.])?.logaddexp(&tensor([INF, -INF, 0.])?)?, &[INF, -INF, LN_2]);
    same(&tensor([NAN, 1., NAN])?.fmax(&tensor([1., NAN, NAN])?)?, &[1., 1., NAN]);
    same(&tensor([1., NAN, 5.])?.clamp(2., NAN)?, &[NAN, NAN, NAN]);
    same(&tensor([1., 5.])?.clamp(3., 2.)?, &[2., 2.]);
    same(&tensor([1e200, INF, 0.])?.hypot(&tensor([1e200, 1., 0.])?)?, &[2f64.sqrt() * 1e200, INF, 0.]);
    same(&tensor([NAN, INF, -INF])?.nan_to_num(Default::default())?, &[0., f64::MAX, -f64::MAX]);
    assert!(Tensor::new([2], &Cpu)?.pow(-1).is_err());
    Ok(())
}

#[test]
fn reductions_of_little_and_of_nan() -> Result<()> {
    let none = tensor([])?;
    same(&none.sum(..)?, &[0.]);
    same(&none.prod(..)?, &[1.]);
    same(&none.mean(..)?, &[NAN]);
    same(&none.logsumexp(..)?, &[-INF]);
    assert!(none.amax(..).is_err() && none.argmax(..).is_err());
    assert!(none.all(..)?.item::<bool>()? && !none.any(..)?.item::<bool>()?);
    let x = tensor([3., NAN, 1., NAN])?;
    same(&x.median()?, &[NAN]);
    same(&x.nanmedian()?, &[1.]);
    same(&x.nanmean(..)?, &[2.]);
    assert_eq!(x.median_dim(0)?.1.item::<i64>()?, 1);
    same(&tensor([-INF, -INF])?.logsumexp(0)?, &[-INF]);
    same(&tensor([INF, 1.])?.logsumexp(0)?, &[INF]);
    same(&tensor([2.])?.var(.., 1)?, &[NAN]);
    for (p, norm) in
        [(0., 2.), (1., 7.), (2., 5.), (INF, 4.), (-INF, 0.), (0.5, 13.928203230275509), (-1., 0.)]
    {
        same(&tensor([3., -4., 0.])?.norm(p, ..)?, &[norm]);
    }
    Ok(())
}

#[test]
fn a_tensor_without_dims_is_taken_to_have_one() -> Result<()> {
    let x = Tensor::new(3.0, &Cpu)?;
    assert_eq!(x.max_dim(-1)?.1.item::<i64>()?, 0);
    assert_eq!(x.argmax(keepdim(0))?.rank(), 0);
    assert_eq!(x.sort(0, Order::Ascending)?.0.item::<f32>()?, 3.);
    assert_eq!(x.cumsum(0)?.item::<f32>()?, 3.);
    assert_eq!(x.topk(1, 0, Order::Descending)?.0.item::<f32>()?, 3.);
    assert!(x.max_dim(1).is_err() && x.diff(DiffOptions::default()).is_err());
    Ok(())
}

#[test]
fn ranges() -> Result<()> {
    let cpu = &Cpu;
    let down = std::ops::Range { start: 5, end: 0 };
    assert_eq!(Tensor::arange_step(down, -2, cpu)?.to_vec::<i64>()?, [5, 3, 1]);
    assert_eq!(Tensor::arange_step(0..5, 2, cpu)?.to_vec::<i64>()?, [0, 2, 4]);
    assert_eq!(Tensor::arange(5..5, cpu)?.numel(), 0);
    for step in [0, -1] {
        assert!(Tensor::arange_step(0..5, step, cpu).is_err());
    }
    assert!(Tensor::arange(0.0..NAN, cpu).is_err() && Tensor::arange(i64::MIN..i64::MAX, cpu).is_err());
    assert_eq!(Tensor::linspace(1, 2, 1, cpu)?.to_vec::<f32>()?, [1.]);
    assert_eq!(Tensor::linspace(1, 2, 0, cpu)?.numel(), 0);
    assert_eq!(Tensor::linspace(0, 10, 4, (DType::I64, cpu))?.to_vec::<i64>()?, [0, 3, 6, 10]);
    assert_eq!(Tensor::tril_indices(usize::MAX, 0, 0, cpu)?.numel(), 0);
    assert_eq!(Tensor::triu_indices(usize::MAX, 3, 1, cpu)?.to_vec::<i64>()?, [0, 0, 1, 1, 2, 2]);
    assert!(Tensor::tril_indices(usize::MAX, 3, 0, cpu).is_err());
    Ok(())
}

#[test]
fn places_in_what_is_sorted() -> Result<()> {
    let x = tensor([5., 1., 3.])?;
    let sorter = x.argsort(0, Order::Ascending)?;
    let options = SearchOptions { sorter: Some(&sorter), ..Default::default() };
    assert_eq!(x.searchsorted(4.0, options)?.item::<i64>()?, 2);
    assert!(x.searchsorted(&tensor([1., 2.])?, SearchOptions::default())?.dtype() == DType::I64);
    assert_eq!(tensor([NAN, 1.])?.isin(&tensor([NAN, 1.])?)?.to_vec::<bool>()?, [false, true]);
    Ok(())
}

#[test]
fn draws_repeat_from_a_seed_and_keep_to_their_range() -> Result<()> {
    let cpu = &Cpu;
    let draw = || -> Result<Vec<i64>> { Tensor::randint(-3..4, [1000], cpu)?.to_vec() };
    manual_seed(cpu, 3);
    let first = draw()?;
    manual_seed(cpu, 3);
    assert!(first.iter().all(|x| (-3..4).contains(x)) && (-3..4).all(|x| first.contains(&x)));
    assert!(Tensor::randint(4..4, [1], cpu).is_err());
    assert!(Tensor::randint(0..300, [1], (DType::U8, cpu)).is_err());
    let mut order = Tensor::randperm(100, cpu)?.to_vec::<i64>()?;
    order.sort_unstable();
    assert!(order.into_iter().eq(0..100));
    let weights = Tensor::new([[0., 3., 1., 0.], [0., 0., 1., 2.]], cpu)?;
    for replacement in [Replacement::With, Replacement::Without] {
        let drawn = weights.multinomial(2, replacement)?.to_vec::<i64>()?;
        assert!(
            drawn[..2].iter().all(|i| [1, 2].contains(i)) && drawn[2..].iter().all(|i| [2, 3].contains(i))
        );
    }
    assert!(weights.multinomial(5, Replacement::Without).is_err());
    for bad in [[1., -1.], [1., f64::NAN], [1., f64::INFINITY], [0., 0.]] {
        let bad = Tensor::new(bad, cpu)?;
        assert!(
            bad.multinomial(1, Replacement::With).is_err()
                && bad.multinomial(1, Replacement::Without).is_err()
        );
    }
    for bad in [-0.1, 1.1, f64::NAN] {
        let message = Tensor::new([0.5, bad], cpu)?.bernoulli().unwrap_err().to_string();
        assert!(message.contains("[0, 1]"), "{message}");
    }
    Ok(())
}
