//! The core of Firesteel in a hundred lines: an operation is data, a backend interprets operations, and
//! differentiation is an interpreter around another.
//!
//!     cargo run --release --example micrograd
use std::{cell::RefCell, rc::Rc};

/// Every primitive, with its operands in place. `T` is whatever flows through an interpreter.
#[derive(Clone, Copy, Debug)]
enum Op<T> {
    Number(f64),
    Add(T, T),
    Mul(T, T),
    Tanh(T),
}

impl<T> Op<T> {
    /// The same operation over other operands.
    fn map<U>(self, f: impl Fn(T) -> U) -> Op<U> {
        match self {
            Op::Number(x) => Op::Number(x),
            Op::Add(a, b) => Op::Add(f(a), f(b)),
            Op::Mul(a, b) => Op::Mul(f(a), f(b)),
            Op::Tanh(x) => Op::Tanh(f(x)),
        }
    }
}

/// An interpreter of operations.
trait Backend {
    type Value: Clone;
    fn eval(&self, op: Op<Self::Value>) -> Self::Value;
}

/// The machine: it computes.
struct Cpu;

impl Backend for Cpu {
    type Value = f64;
    fn eval(&self, op: Op<f64>) -> f64 {
        match op {
            Op::Number(x) => x,
            Op::Add(a, b) => a + b,
            Op::Mul(a, b) => a * b,
            Op::Tanh(x) => x.tanh(),
        }
    }
}

/// An interpreter around another: it has everything run there, and writes down how.
struct Autodiff<B: Backend> {
    inner: B,
    tape: RefCell<Vec<Record<B>>>,
}

/// An operation over earlier lines of the tape, and its result.
type Record<B> = (Op<usize>, <B as Backend>::Value);

impl<B: Backend> Backend for Rc<Autodiff<B>> {
    type Value = usize;
    fn eval(&self, op: Op<usize>) -> usize {
        let value = self.inner.eval(op.map(|line| self.value(line)));
        self.tape.borrow_mut().push((op, value));
        self.tape.borrow().len() - 1
    }
}

impl<B: Backend> Autodiff<B> {
    fn new(inner: B) -> Rc<Self> {
        Rc::new(Self { inner, tape: RefCell::default() })
    }

    fn value(&self, line: usize) -> B::Value {
        self.tape.borrow()[line].1.clone()
    }

    /// The gradients of `y` by every line before it. They are made of operations of the backend beneath: if that
    /// differentiates too, so can they be.
    fn backward(&self, y: usize) -> Vec<B::Value> {
        let run = |op| self.inner.eval(op);
        let zero = run(Op::Number(0.));
        let mut grads = vec![zero; y + 1];
        grads[y] = run(Op::Number(1.));
        for line in (0..=y).rev() {
            let g = grads[line].clone();
            let mut add = |to: usize, grad| grads[to] = run(Op::Add(grads[to].clone(), grad));
            match self.tape.borrow()[line].0 {
                Op::Number(_) => (),
                Op::Add(a, b) => {
                    add(a, g.clone());
                    add(b, g);
                }
                // d ab = g b, g a
                Op::Mul(a, b) => {
                    add(a, run(Op::Mul(g.clone(), self.value(b))));
                    add(b, run(Op::Mul(g, self.value(a))));
                }
                // d tanh x = g (1 - y²)
                Op::Tanh(x) => {
                    let (y, minus) = (self.value(line), run(Op::Number(-1.)));
                    let slope =
                        run(Op::Add(run(Op::Number(1.)), run(Op::Mul(minus, run(Op::Mul(y.clone(), y))))));
                    add(x, run(Op::Mul(g, slope)));
                }
            }
        }
        grads
    }
}

/// `tanh(x³)`, on any backend.
fn f<B: Backend>(b: &B, x: B::Value) -> B::Value {
    let cube = b.eval(Op::Mul(b.eval(Op::Mul(x.clone(), x.clone())), x));
    b.eval(Op::Tanh(cube))
}

fn main() {
    let inner = Autodiff::new(Cpu);
    let outer = Autodiff::new(inner.clone());
    let x = outer.eval(Op::Number(0.7));
    let y = f(&outer, x);
    let first = outer.backward(y)[x];
    let second = inner.backward(first)[outer.value(x)];
    println!("f(x)   = tanh(x³) at 0.7 = {:.6}", inner.value(outer.value(y)));
    println!("f'(x)  = {:.6}", inner.value(first));
    println!("f''(x) = {second:.6}");
    let (u, t) = (0.7f64.powi(3), 0.7f64.powi(3).tanh());
    let by_hand = (1. - t * t) * (6. * 0.7 - 18. * u * 0.7 * t);
    assert!((second - by_hand).abs() < 1e-9, "{second} is not {by_hand}");
}
