use crate::{
    Cpu, CpuValue,
    testing::{numbers, value},
};
use firesteel_core::{
    Backend, Binary, Change, DType, Expr, Meta, Op, Operand, Result, Scalar, Shape, Span, Tensor, Update,
};
use smallvec::smallvec;

/// Where a value's elements begin in the machine's memory.
fn place(x: &CpuValue) -> usize {
    bits!(x.meta.dtype, T => x.memory::<T>().as_ptr().addr())
}

fn update(target: &mut CpuValue, op: Op<Operand<&CpuValue>>) -> Result<()> {
    let op = op.map(|x| x);
    Cpu.update(vec![Update { targets: smallvec![target], op }])
}

fn add(target: &mut CpuValue, x: &CpuValue) {
    let op = Op::Binary(Binary::Add, Operand::Target(0), Operand::Value(x));
    update(target, op).unwrap();
}

#[test]
fn what_nobody_else_holds_is_written_where_it_lies() {
    let mut x = value(DType::F32, [3], &[1., 2., 3.]);
    let before = place(&x);
    add(&mut x, &value(DType::F32, [3], &[10., 20., 30.]));
    assert_eq!((numbers(&x), place(&x)), (vec![11., 22., 33.], before));

    let op = Op::Binary(Binary::Mul, Operand::Target(0), Operand::Target(0));
    update(&mut x, op).unwrap();
    assert_eq!((numbers(&x), place(&x)), (vec![121., 484., 1089.], before));
}

#[test]
fn what_somebody_else_holds_stays_as_it_is() {
    let mut x = value(DType::F32, [3], &[1., 2., 3.]);
    let other = x.clone();
    add(&mut x, &other);
    assert_eq!((numbers(&x), numbers(&other)), (vec![2., 4., 6.], vec![1., 2., 3.]));
    assert_ne!(place(&x), place(&other));
}

#[test]
fn numbers_and_views_are_replaced() {
    let mut same = CpuValue::same(Meta::new([2], DType::F32), Scalar::Float(1.));
    add(&mut same, &value(DType::F32, [2], &[1., 2.]));
    assert_eq!(numbers(&same), [2., 3.]);

    let rows = value(DType::F32, [2, 2], &[1., 2., 3., 4.]);
    let mut columns = rows.view(rows.layout.permute(&[1, 0]));
    drop(rows);
    add(&mut columns, &value(DType::F32, [2, 2], &[10., 20., 30., 40.]));
    assert_eq!(numbers(&columns), [11., 23., 32., 44.]);
}

#[test]
fn several_targets_are_replaced_by_formulas_of_what_they_were() {
    for dtype in [DType::F32, DType::F64, DType::BF16] {
        let many = 3000;
        let tensor = |x: f64| Tensor::from_value(Cpu, value(dtype, [many], &vec![x; many]));
        let (mut x, mut y, g) = (tensor(1.), tensor(2.), tensor(4.));
        let before = [place(x.value()), place(y.value())];
        Expr::update([&mut x, &mut y], |[x, y]| [y.clone() + &g, x * 0.5 + y]).unwrap();
        assert_eq!(x.to_vec::<f64>().unwrap(), vec![6.; many]);
        assert_eq!(y.to_vec::<f64>().unwrap(), vec![2.5; many]);
        assert_eq!([place(x.value()), place(y.value())], before);
    }
}

#[test]
fn a_part_is_written_where_it_lies() {
    let mut cache = value(DType::F32, [2, 3], &[0.; 6]);
    let before = place(&cache);
    let spans = || [Span::all(2), Span { start: 1, step: 1, len: 1 }].into_iter().collect();
    let new = value(DType::F32, [2, 1], &[1., 2.]);
    let op = || Op::Write { into: Operand::Target(0), x: Operand::Value(&new), spans: spans() };
    update(&mut cache, op()).unwrap();
    assert_eq!((numbers(&cache), place(&cache)), (vec![0., 1., 0., 0., 2., 0.], before));

    let kept = cache.clone();
    let new = value(DType::F32, [2, 1], &[7., 8.]);
    let op = Op::Write { into: Operand::Target(0), x: Operand::Value(&new), spans: spans() };
    update(&mut cache, op).unwrap();
    assert_eq!(numbers(&kept), [0., 1., 0., 0., 2., 0.]);
    assert_eq!(numbers(&cache), [0., 7., 0., 0., 8., 0.]);
}

#[test]
fn what_fails_leaves_the_target_as_it_was() {
    let mut x = value(DType::I64, [2], &[6., 6.]);
    let zero = value(DType::I64, [2], &[2., 0.]);
    let op = Op::Binary(Binary::Div, Operand::Target(0), Operand::Value(&zero));
    assert!(update(&mut x, op).is_err());
    assert_eq!(numbers(&x), [6., 6.]);

    let wide = value(DType::I64, Shape::from([3]), &[1., 2., 3.]);
    let op = Op::Binary(Binary::Add, Operand::Target(0), Operand::Value(&wide));
    assert!(update(&mut x, op).is_err());
}

/// `x - 2 g` of two targets, and what nobody else holds stays where it lies.
#[test]
fn many_tensors_change_at_once() {
    let sizes = [0, 1, 5, 2047, 2048, 2049, 5000, 200_000, 5, 1];
    for dtype in [DType::F32, DType::F64, DType::BF16] {
        let tensor = |n: usize, x: f64| Tensor::from_value(Cpu, value(dtype, [n], &vec![x; n]));
        let mut all: Vec<_> = sizes.map(|n| [tensor(n, 1.), tensor(n, 8.), tensor(n, 3.)]).into();
        // one that somebody else holds is replaced, and stays as it is there
        let held = all[2][0].clone();
        let before: Vec<_> = all.iter().map(|[x, y, _]| [place(x.value()), place(y.value())]).collect();
        let changes = all.iter_mut().map(|[x, y, g]| Change::new([x, y], [&*g]));
        Expr::update_each(changes, |all| {
            let [x, y, g] = [0, 1, 2].map(|i| all[i].clone());
            vec![x - g.clone() * 2.0, y.clone() * 0.5 + g]
        })
        .unwrap();
        for (i, (n, [x, y, _])) in sizes.into_iter().zip(&all).enumerate() {
            assert_eq!(x.to_vec::<f64>().unwrap(), vec![-5.; n], "{dtype} {n}");
            assert_eq!(y.to_vec::<f64>().unwrap(), vec![7.; n], "{dtype} {n}");
            let stays = [place(x.value()), place(y.value())] == before[i];
            assert_eq!(stays, i != 2, "{dtype} {n}");
        }
        assert_eq!(held.to_vec::<f64>().unwrap(), vec![1.; sizes[2]]);
    }
}

#[test]
fn tensors_that_do_not_fit_are_errors_and_dtypes_stay() {
    let tensor = |n: usize| Tensor::from_value(Cpu, value(DType::F32, [n], &vec![1.; n]));
    let (mut x, mut y, g) = (tensor(3), tensor(2), tensor(3));
    let minus = |all: &[Expr<Cpu>]| vec![all[0].clone() - all[1].clone()];
    let wrong = Expr::update_each([Change::new([&mut x], [&g]), Change::new([&mut y], [&g])], minus);
    assert!(wrong.unwrap_err().to_string().contains("do not broadcast"));
    let one = tensor(1);
    let wrong = Expr::update_each([Change::new([&mut x], [&one])], minus);
    assert!(wrong.unwrap_err().to_string().contains("another shape"));
    let wrong = Expr::update_each([Change::new([&mut x], [&g])], |_| vec![]);
    assert!(wrong.unwrap_err().to_string().contains("cannot be replaced by 0 formulas"));
    let whole = Tensor::from_value(Cpu, value(DType::I64, [3], &[1.; 3]));
    // a comparison is a number where it replaces one
    Expr::update_each([Change::new([&mut x], [&whole])], |all| vec![all[1].lt(2.0)]).unwrap();
    assert_eq!(x.dtype(), DType::F32);
    assert_eq!([x.to_vec::<f64>().unwrap(), y.to_vec().unwrap()], [vec![1.; 3], vec![1.; 2]]);
}
