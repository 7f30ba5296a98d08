//! Arguments that nobody should pass: those of a case, changed here and there by a seeded generator.
use crate::pytorch::cases::{Case, Raw, Tensor, Value};
use firesteel_core::{DType, Data, Element, with_dtype};

/// SplitMix64: small, and the same on every machine.
/// [Steele, Lea and Flood, 2014](https://doi.org/10.1145/2660193.2660195)
pub struct Rng(pub u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }
}

/// Ints at the edges of what ints, sizes and indices can be.
const INTS: [i64; 18] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    7,
    -9,
    64,
    100_000,
    i32::MAX as i64,
    u32::MAX as i64 + 1,
    1 << 40,
    -(1 << 40),
    1 << 62,
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
];

/// Floats at the edges.
const FLOATS: [f64; 13] = [
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    0.0,
    -0.0,
    1.0,
    -1.5,
    1e-320,
    1e300,
    -1e300,
    f64::MAX,
    1e19,
    -1e-9,
];

/// Sizes, two of which no memory holds: others would be legal views, over which a sum takes hours.
const SIZES: [usize; 6] = [0, 1, 2, 5, 1 << 63, usize::MAX];

/// Changes one to three of a case's arguments, and says how.
pub fn mutate(case: &mut Case, rng: &mut Rng) -> String {
    let changes = 1 + rng.below(3);
    let said: Vec<_> = (0..changes).map(|_| change(case, rng)).collect();
    said.join("; ")
}

fn change(case: &mut Case, rng: &mut Rng) -> String {
    let (args, all) = (case.args.len(), case.args.len() + case.kwargs.len());
    let at = rng.below(all);
    if at < args {
        format!("args.{at}: {}", alter(&mut case.args[at], rng))
    } else if let Some((name, value)) = case.kwargs.get_mut(at - args) {
        format!("{name}: {}", alter(value, rng))
    } else {
        "as it is".into()
    }
}

/// Makes something else of a value, mostly of the same kind.
fn alter(value: &mut Value, rng: &mut Rng) -> String {
    if rng.below(24) == 0 {
        *value = [Value::Null, Value::Int(-1), Value::Float(f64::NAN)][rng.below(3)].clone();
        return format!("{value:?}");
    }
    match value {
        Value::Tensor(tensor) => return alter_tensor(tensor, rng),
        Value::Int(n) => {
            *n = match rng.below(4) {
                0 => n.wrapping_add(1),
                1 => n.wrapping_neg(),
                _ => rng.pick(&INTS),
            }
        }
        Value::Float(x) => *x = rng.pick(&FLOATS),
        Value::Bool(b) => *b = !*b,
        Value::Str(s) => *s = rng.pick(&["", "bogus", "mean", "none", "reflect", "linear"]).into(),
        Value::DType(d) => *d = rng.pick(DType::ALL).name().into(),
        Value::Slice(ends) => ends[rng.below(3)] = Some(rng.pick(&INTS)),
        Value::List(items) | Value::Tuple(items) => return alter_list(items, rng),
        Value::Null => *value = Value::Int(rng.pick(&INTS)),
        Value::Dict(_) | Value::Ellipsis | Value::Module(..) | Value::Function(_) | Value::Ignored(_) => {}
    }
    format!("{value:?}")
}

fn alter_list(items: &mut Vec<Value>, rng: &mut Rng) -> String {
    let at = rng.below(items.len());
    match rng.below(6) {
        0 => {
            items.pop();
            format!("{} entries", items.len())
        }
        1 => {
            items.extend(items.get(at).cloned());
            format!("{} entries", items.len())
        }
        2 if rng.below(2) == 0 => {
            items.clear();
            "no entries".into()
        }
        _ => match items.get_mut(at) {
            Some(item) => format!("{at}: {}", alter(item, rng)),
            None => "still no entries".into(),
        },
    }
}

fn alter_tensor(tensor: &mut Tensor, rng: &mut Rng) -> String {
    let Ok(raw) = tensor.raw().cloned() else { return "as it is".into() };
    let (mut dtype, mut shape) = (raw.dtype, raw.shape.clone());
    let mut values = raw.floats().unwrap_or_default();
    let axis = rng.below(shape.len());
    let said = match rng.below(10) {
        0 | 1 => {
            dtype = rng.pick(DType::ALL);
            format!("as {dtype}")
        }
        2..=4 => {
            let x = rng.pick(&FLOATS);
            let everywhere = rng.below(2) == 0;
            let one = rng.below(values.len());
            values.iter_mut().enumerate().filter(|(i, _)| everywhere || *i == one).for_each(|(_, v)| *v = x);
            format!("elements {x:?}")
        }
        5 => {
            shape.clear();
            "rank 0".into()
        }
        6 if !shape.is_empty() => {
            shape[axis] = rng.pick(&[0, 0, 1, shape[axis].saturating_add(1), shape[axis].saturating_mul(2)]);
            format!("shape {shape:?}")
        }
        7 if !shape.is_empty() => {
            shape.remove(axis);
            format!("shape {shape:?}")
        }
        8 => {
            shape.insert(axis, rng.pick(&[0, 1, 1, 2, 3]));
            format!("shape {shape:?}")
        }
        _ => {
            shape = (0..rng.below(9)).map(|_| rng.pick(&SIZES)).collect();
            format!("shape {shape:?}")
        }
    };
    let small = shape.iter().try_fold(1_usize, |n, size| n.checked_mul(*size)).filter(|n| *n < 1 << 16);
    // Of a huge tensor there is one element, which is expanded.
    let elements: Vec<f64> = values.into_iter().chain([1.0]).cycle().take(small.unwrap_or(1)).collect();
    *tensor = tensor.with(Raw { dtype, shape, bytes: bytes(dtype, &elements) });
    said
}

/// The elements in a dtype, little-endian.
fn bytes(dtype: DType, elements: &[f64]) -> Vec<u8> {
    fn of<T: Element>(elements: &[f64]) -> Data {
        T::wrap(elements.iter().map(|x| T::from_f64(*x)).collect())
    }
    with_dtype!(dtype, T => of::<T>(elements)).bytes().to_vec()
}
