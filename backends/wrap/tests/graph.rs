//! What the graph remembers, and what it refuses.
use firesteel::*;
use smallvec::smallvec;
use std::sync::{Arc, Mutex};

type Single = Autodiff<Cpu>;

fn device() -> Single {
    Autodiff::new(Cpu)
}

fn leaf(data: impl ToData) -> Result<Tensor<Single>> {
    Tensor::new(data, (DType::F64, &device()))?.requires_grad()
}

fn gradient(y: &Tensor<Single>, x: &Tensor<Single>) -> Result<Vec<f64>> {
    y.sum(..)?.backward()?.get(x)?.to_vec()
}

#[test]
fn the_first_lines_that_anyone_tries() -> Result<()> {
    let x = leaf(2.0)?;
    let y = (((&x * &x)? + (3.0 * &x)?)? + 1.0)?;
    assert_eq!(y.backward()?.get(&x)?.item::<f64>()?, 7.0);
    Ok(())
}

#[test]
fn third_order_of_the_fourth_power() -> Result<()> {
    let device = Autodiff::new(Autodiff::new(Autodiff::new(Cpu)));
    let x = Tensor::new(2.0, &device)?.requires_grad()?;
    let squared = (&x * &x)?;
    let eager = (&squared * &squared)?;
    let chain = (x.lazy() * &x * &x * &x).eval()?;
    for y in [eager, chain] {
        let first = y.backward()?.get(&x)?.clone();
        let second = first.backward()?.get(&x.lower())?.clone();
        let third = second.backward()?.get(&x.lower().lower())?.clone();
        let orders = [first.item::<f32>()?, second.item()?, third.item()?];
        assert_eq!(orders, [32.0, 48.0, 48.0]);
    }
    Ok(())
}

#[test]
fn a_graph_may_be_gone_through_several_times() -> Result<()> {
    let x = leaf([0.5, -1.0])?;
    let y = (x.tanh()? * x.exp()?)?;
    assert_eq!(gradient(&y, &x)?, gradient(&y, &x)?);
    Ok(())
}

#[test]
fn gradients_of_tensors_in_between_are_there_where_wanted() -> Result<()> {
    let x = leaf([1.0, 2.0])?;
    let h = (&x * 3.0)?;
    let y = (&h * &h)?.sum(..)?;
    let one = y.lower().ones_like()?;
    let all = backward_all(&[(&y, &one), (&y, &one)], &[&h])?;
    // two roots that are the same count twice
    assert_eq!(all.get(&h)?.to_vec::<f64>()?, [12., 24.]);
    assert_eq!(all.get(&x)?.to_vec::<f64>()?, [36., 72.]);
    assert!(y.backward()?.find(&h).is_none());
    Ok(())
}

#[test]
fn what_is_cut_off_has_no_gradient() -> Result<()> {
    let x = leaf([1.0, 2.0])?;
    let cut = (&x * x.detach())?;
    assert_eq!(gradient(&cut, &x)?, [1., 2.]);
    assert!(!x.detach().is_tracked() && x.is_tracked());
    let silent = no_grad(|| x.exp())?;
    assert!(!silent.is_tracked());
    let error = silent.sum(..)?.backward().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gradient);
    assert!(no_grad(|| enable_grad(|| x.exp()))?.is_tracked());
    assert!(is_grad_enabled());
    Ok(())
}

#[test]
fn integers_and_truth_have_no_gradient() -> Result<()> {
    let x = leaf([1.0, 2.0])?;
    assert!(!x.gt(1.5)?.is_tracked() && !x.to(DType::I64)?.is_tracked());
    let (values, places) = Tensor::two(Op::Sort { x: &x, axis: 0, descending: true })?;
    assert!(values.is_tracked() && !places.is_tracked());
    let index = Tensor::new([1, 2], &device())?;
    assert_eq!(index.requires_grad().unwrap_err().kind(), ErrorKind::DType);
    Ok(())
}

#[test]
fn kinks_are_as_in_pytorch() -> Result<()> {
    let zero = leaf([0.0])?;
    assert_eq!(gradient(&zero.abs()?, &zero)?, [0.]);
    assert_eq!(gradient(&zero.relu()?, &zero)?, [0.]);
    assert_eq!(gradient(&zero.sqrt()?, &zero)?, [f64::INFINITY]);
    assert_eq!(gradient(&zero.floor()?, &zero)?, [0.]);
    let tie = leaf([1.0, 3.0, 3.0])?;
    assert_eq!(gradient(&tie.amax(..)?, &tie)?, [0., 0.5, 0.5]);
    let (a, b) = (leaf([2.0, 5.0])?, leaf([2.0, 4.0])?);
    assert_eq!(gradient(&a.maximum(&b)?, &a)?, [0.5, 1.]);
    assert_eq!(gradient(&a.minimum(&b)?, &a)?, [0.5, 0.]);
    let (base, power) = (leaf([0.0, 2.0, 0.0])?, leaf([2.0, 0.0, 0.0])?);
    let y = Tensor::one(Op::Binary(Binary::Pow, &base, &power))?;
    assert_eq!(gradient(&y, &base)?, [0., 0., 0.]);
    assert_eq!(gradient(&y, &power)?, [0., 2f64.ln(), 0.]);
    Ok(())
}

#[test]
fn a_leaf_changes_only_where_nothing_is_recorded() -> Result<()> {
    let (mut x, by) = (leaf([1.0, 2.0])?, leaf([3.0, 4.0])?);
    let add =
        |x: &mut Tensor<Single>| x.update(Op::Binary(Binary::Add, Operand::Target(0), Operand::Value(&by)));
    let y = (&x * &x)?;
    assert_eq!(add(&mut x).unwrap_err().kind(), ErrorKind::Gradient);
    let place = Single::place(x.value());
    no_grad(|| add(&mut x))?;
    assert_eq!((Single::place(x.value()), x.to_vec::<f64>()?), (place, vec![4., 6.]));
    // what was computed before is differentiated where it was
    assert_eq!(gradient(&y, &x)?, [2., 4.]);
    // what is no leaf goes on with its history
    let mut h = (&x * 2.0)?;
    add(&mut h)?;
    assert_eq!((gradient(&h, &x)?, gradient(&h, &by)?), (vec![2., 2.], vec![1., 1.]));
    Ok(())
}

#[test]
fn a_gradient_that_does_not_exist_is_an_error() -> Result<()> {
    let (s, q) = (leaf([2.0])?, leaf([1.5])?);
    let error = Tensor::one(Op::Binary(Binary::Zeta, &s, &q)).unwrap_err();
    assert!(error.to_string().starts_with("zeta: has no gradient for an operand that wants one"), "{error}");
    assert!(Tensor::one(Op::Binary(Binary::Zeta, &s.detach(), &q))?.is_tracked());
    Ok(())
}

#[test]
fn ways_back_of_a_user_are_checked() -> Result<()> {
    let x = leaf([1.0, 2.0])?;
    let short = with_gradient(&[&x], |xs| Ok((xs[0].clone(), |_: &Tensor<Cpu>| Ok(vec![]))))?;
    assert!(short.sum(..)?.backward().unwrap_err().to_string().contains("0 gradients for 1 operands"));
    let wrong = register_hook(&x, |g| g.sum(..))?;
    let error = wrong.sum(..)?.backward().unwrap_err();
    assert!(error.to_string().contains("gives float64 [] for an operand float64 [2]"), "{error}");
    Ok(())
}

#[test]
fn hooks_see_and_change_gradients() -> Result<()> {
    let seen = Arc::new(Mutex::new(vec![]));
    let (x, notes) = (leaf([1.0, 2.0])?, seen.clone());
    let hooked = register_hook(&x, move |g| {
        notes.lock().unwrap().push(g.to_vec::<f64>()?);
        g * 10.0
    })?;
    assert_eq!(gradient(&(&hooked * &hooked)?, &x)?, [20., 40.]);
    assert_eq!(*seen.lock().unwrap(), [[2., 4.]]);
    Ok(())
}

#[test]
fn a_users_function_can_be_differentiated_twice() -> Result<()> {
    // e^x with its own way back, which reads the result
    let exp = |x: &Tensor<Autodiff<Single>>| {
        with_gradient(&[x], |xs| {
            let y = xs[0].exp()?;
            let kept = y.clone();
            Ok((y, move |g: &Tensor<Single>| Ok(vec![Some((g * &kept)?)])))
        })
    };
    let x = Tensor::new(0.5, (DType::F64, &Autodiff::new(device())))?.requires_grad()?;
    let first = exp(&x)?.backward()?.get(&x)?.clone();
    let second = first.backward()?.get(&x.lower())?.clone();
    assert_eq!([first.item::<f64>()?, second.item()?], [0.5f64.exp(); 2]);
    Ok(())
}

#[test]
fn a_checkpoint_changes_no_gradient() -> Result<()> {
    let (x, w) = (leaf([1.0, 2.0])?, leaf([3.0, -1.0])?);
    let captured = w.clone();
    let f = move |xs: &[Tensor<Single>]| {
        let state = xs[0].backend().generator().reserve(2);
        let noise = Tensor::make(
            xs[0].backend(),
            Op::Random(Distribution::Uniform, state, Shape::from([2]), DType::F64),
        )?;
        ((xs[0].exp()? * &captured)? * noise)?.tanh()
    };
    let generator = device();
    let generator = generator.generator();
    generator.manual_seed(3);
    let plain = f(std::slice::from_ref(&x))?;
    let after = generator.state();
    generator.manual_seed(3);
    let saved = checkpoint(&[&x], f)?;
    assert_eq!((plain.to_vec::<f64>()?, generator.state()), (saved.to_vec()?, after));
    for leaf in [&x, &w] {
        assert_eq!(gradient(&plain, leaf)?, gradient(&saved, leaf)?);
    }
    // running again does not use random numbers up
    assert_eq!(generator.state(), after);
    assert!(!no_grad(|| checkpoint(&[&x], |xs| xs[0].exp()))?.is_tracked());
    Ok(())
}

/// `x³`, with or without a gradient that it declares.
#[derive(Debug)]
struct Cube {
    declares: bool,
}

impl CustomOp for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }
    fn infer(&self, xs: &[&Meta]) -> Result<Metas> {
        Ok(smallvec![xs[0].clone()])
    }
    fn decompose(&self, xs: Symbols) -> Result<Outputs<Tensor<Trace>>> {
        Ok(smallvec![((&xs[0] * &xs[0])? * &xs[0])?])
    }
    fn gradient(&self, xs: Symbols, _: Symbols, gs: Symbols) -> Result<Option<SymbolicGradients>> {
        if !self.declares {
            return Ok(None);
        }
        Ok(Some(vec![Some(((&gs[0] * &xs[0])? * (&xs[0] * 3.0)?)?)]))
    }
}

#[test]
fn a_users_operation_has_its_gradient_or_that_of_its_parts() -> Result<()> {
    let xs = [Tensor::new([0.5, -1.5], (DType::F64, &Cpu))?];
    for declares in [true, false] {
        let cube: Op<usize> = Op::Custom(Arc::new(Cube { declares }), smallvec![0]);
        gradcheck(|xs| Tensor::one(cube.clone().map(|i| &xs[i])), &xs, GradCheck::default())?;
        gradgradcheck(|xs| Tensor::one(cube.clone().map(|i| &xs[i])), &xs, GradCheck::default())?;
    }
    Ok(())
}

#[test]
fn gradcheck_finds_what_is_wrong() -> Result<()> {
    let wrong = |xs: &[Tensor<Single>]| {
        with_gradient(&[&xs[0]], |xs| Ok((xs[0].exp()?, |g: &Tensor<Cpu>| Ok(vec![Some(g.clone())]))))
    };
    let x = Tensor::new([0.5, -1.5], (DType::F64, &Cpu))?;
    let error = gradcheck(wrong, &[x], GradCheck::default()).unwrap_err();
    assert!(error.to_string().contains("result 0 by element 0 of operand 0 is 1"), "{error}");
    Ok(())
}

#[test]
fn slices_add_up_where_they_lie() -> Result<()> {
    let (x, w) = (leaf([1.0, 2.0, 3.0, 4.0])?, leaf([1.0, 1.0, 1.0, 1.0])?);
    // what goes to both through a sum is one tensor, which the slices of `x` must not change for `w`
    let both = (&x + &w)?.sum(..)?;
    let parts = [
        (x.narrow(0, 0, 3)? * 10.0)?,
        (x.narrow(0, 2, 2)? * 100.0)?,
        (x.narrow(0, 1, 0)? * 1e9)?,
        (x.flip(0)?.narrow(0, 0, 2)? * 1000.0)?,
    ];
    let mut y = both;
    for part in &parts {
        y = (y + part.sum(..)?)?;
    }
    let gradients = y.backward()?;
    assert_eq!(gradients.get(&x)?.to_vec::<f64>()?, [11.0, 11.0, 1111.0, 1101.0]);
    assert_eq!(gradients.get(&w)?.to_vec::<f64>()?, [1.0; 4]);
    Ok(())
}

#[test]
fn slices_add_up_to_second_order() -> Result<()> {
    let device = Autodiff::new(Autodiff::new(Cpu));
    let x = Tensor::new([1.0, 2.0, 3.0], &device)?.requires_grad()?;
    // Σ xᵢ² xᵢ₊₁
    let y = ((x.narrow(0, 0, 2)?.square()? * x.narrow(0, 1, 2)?)?).sum(..)?;
    let first = y.backward()?.get(&x)?.clone();
    assert_eq!(first.to_vec::<f32>()?, [4.0, 13.0, 4.0]);
    let second = first.sum(..)?.backward()?.get(&x.lower())?.clone();
    assert_eq!(second.to_vec::<f32>()?, [6.0, 12.0, 4.0]);
    Ok(())
}
