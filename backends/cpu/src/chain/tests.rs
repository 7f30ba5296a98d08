//! Programs without a pattern are what their lines are, one by one, to the bit.
use crate::{
    Cpu, CpuValue,
    testing::{numbers, value},
};
use firesteel_core::{
    Backend, Binary, Compare, DType, Fused, Meta, Op, Operand, Program, Scalar, Shape, Unary, Update,
};
use smallvec::SmallVec;
use std::sync::Arc;

/// Numbers without a pattern.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A program over three inputs, rich in products of one number for all and in choices, with two results.
fn program(dice: &mut Dice, shape: &Shape, dtype: DType) -> Program {
    let (inputs, lines) = (3, 2 + dice.below(14));
    let mut masks = vec![];
    let mut values: Vec<usize> = (0..inputs).collect();
    let mut code = vec![];
    for line in 0..lines {
        let number = inputs + line;
        // what is new is read most
        let recent = |dice: &mut Dice| {
            let from = if dice.below(2) == 0 { values.len().saturating_sub(3) } else { 0 };
            values[from + dice.below(values.len() - from)]
        };
        let (a, b) = (recent(dice), recent(dice));
        let op = match dice.below(13) {
            0 => Op::Full(Scalar::Float(dice.of(&[-1.5, 0.25, 1., 3.])), shape.clone(), dtype),
            1 => Op::Unary(dice.of(&[Unary::Sqrt, Unary::Exp, Unary::Tanh, Unary::Erf]), a),
            2 => Op::Unary(dice.of(&[Unary::Relu, Unary::Neg, Unary::Abs, Unary::Sigmoid]), a),
            3 | 4 => Op::Binary(dice.of(&[Binary::Add, Binary::Sub, Binary::Div]), a, b),
            5 => Op::Binary(dice.of(&[Binary::Maximum, Binary::Minimum, Binary::Pow]), a, b),
            6 | 7 if !masks.is_empty() => Op::Select(masks[masks.len() - 1], a, b),
            8 if !masks.is_empty() => Op::Select(dice.of(&masks), a, b),
            9 | 10 => Op::Compare(dice.of(Compare::ALL), a, b),
            _ => Op::Binary(Binary::Mul, a, b),
        };
        let is_mask = matches!(op, Op::Compare(..));
        (if is_mask { &mut masks } else { &mut values }).push(number);
        code.push(op);
    }
    let results = vec![values[values.len() - 1], dice.of(&values)];
    Program { inputs, code, results }
}

/// The results, line by line.
fn apart(program: &Program, inputs: &[CpuValue]) -> Vec<CpuValue> {
    let results = program.replay(&Cpu, inputs.iter().cloned().map(Some).collect()).unwrap();
    results.into_iter().collect()
}

fn same(got: &CpuValue, want: &CpuValue, what: &str) {
    assert_eq!(got.meta, want.meta, "{what}");
    for (i, (got, want)) in numbers(got).iter().zip(numbers(want)).enumerate() {
        assert!(
            got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(),
            "{what}: {got}, not {want} at {i}"
        );
    }
}

#[test]
fn a_program_is_what_its_lines_are() {
    let mut dice = Dice(1);
    for turn in 0..1000 {
        let dtype = if turn % 4 == 3 { DType::F64 } else { DType::F32 };
        let (m, n) = (dice.of(&[1, 3]), dice.of(&[1, 2, 100, 383, 384, 385, 1000, 3072, 5000]));
        let shape = Shape::from([m, n]);
        let filled = |dice: &mut Dice, shape: [usize; 2]| {
            let data = (0..shape[0] * shape[1]).map(|_| dice.below(4001) as f64 / 1024. - 1.95);
            value(dtype, shape, &data.collect::<Vec<_>>())
        };
        let seen = |x: CpuValue| x.view(x.layout.broadcast(&shape));
        let input = |dice: &mut Dice| match dice.below(8) {
            0 | 1 => CpuValue::same(Meta::new(&shape, dtype), Scalar::Float(0.75)),
            2 => seen(filled(dice, [1, n])),
            3 => seen(filled(dice, [m, 1])),
            4 => {
                let turned = filled(dice, [n, m]);
                turned.view(turned.layout.permute(&[1, 0]))
            }
            _ => filled(dice, [m, n]),
        };
        let inputs: Vec<CpuValue> = (0..3).map(|_| input(&mut dice)).collect();
        let program = program(&mut dice, &shape, dtype);
        let want = apart(&program, &inputs);
        let chain = Op::Fused(Fused::Chain(Arc::new(program.clone())), inputs.iter().collect());
        let what = format!("turn {turn}, {m} x {n} {dtype} of {program:?}");
        for (got, want) in Cpu.run(chain).unwrap().iter().zip(&want) {
            same(got, want, &what);
        }

        // the same where the first two inputs are replaced
        let own = |x: &CpuValue| value(dtype, [m, n], &numbers(x));
        let mut targets = [own(&inputs[0]), own(&inputs[1])];
        let operands = [Operand::Target(0), Operand::Target(1), Operand::Value(&inputs[2])];
        let op = Op::Fused(Fused::Chain(Arc::new(program)), operands.into_iter().collect());
        let lent: SmallVec<[_; 4]> = targets.iter_mut().collect();
        Cpu.update(vec![Update { targets: lent, op }]).unwrap();
        for (got, want) in targets.iter().zip(&want) {
            same(got, want, &what);
        }
    }
}
