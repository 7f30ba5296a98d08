//! What can be said of a result that depends on the generator: its form, its range and its moments.
//!
//! Each element has a law. The law says whether it can give that number at all, and turns it into one of mean 0
//! and variance 1; of these numbers the first two moments have to be within five standard errors of that.
use super::cases::{Case, Raw, Value};
use super::compare::{Verdict, floats, same_form};

/// Operators whose result is a sample. The export takes one for deterministic when two seeds happen to give the
/// same, as they do for a single coin.
const SAMPLERS: [&str; 13] = [
    "bernoulli",
    "cauchy",
    "exponential",
    "geometric",
    "log_normal",
    "multinomial",
    "normal",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "uniform",
];

/// Standard errors that a moment may be off. With a fixed seed that is once and for all.
const ERRORS: f64 = 5.;

/// Whether the result of a case depends on the generator.
pub fn is_random(case: &Case) -> bool {
    case.random || SAMPLERS.contains(&case.name.as_str())
}

/// Whether an output can be a sample of what the case's own arguments describe, or, where its law is not
/// known, of what PyTorch's sample comes from.
pub fn output(case: &Case, index: usize, got: &Raw, want: &Raw) -> Verdict {
    same_form(got, want)?;
    match laws(case, &got.shape).filter(|_| index == 0) {
        Some(laws) => laws.hold(&floats(got)?),
        None => alike(&floats(got)?, &floats(want)?),
    }
}

/// Whether a gradient through a random result has the right form.
pub fn gradient(got: Option<&Raw>, want: Option<&Raw>) -> Verdict {
    match (got, want) {
        (Some(got), Some(want)) => same_form(got, want),
        _ => super::compare::gradient(got, want, None, 0.),
    }
}

/// How one element is distributed.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Law {
    Uniform {
        low: f64,
        high: f64,
    },
    Normal {
        mean: f64,
        std: f64,
    },
    LogNormal {
        mean: f64,
        std: f64,
    },
    Exponential {
        rate: f64,
    },
    Cauchy {
        median: f64,
        scale: f64,
    },
    Geometric {
        p: f64,
    },
    /// Whole numbers from `low` up to, but not with, `high`, all as likely.
    Integers {
        low: f64,
        high: f64,
    },
    /// `one` with probability `p`, else `other`.
    Either {
        one: f64,
        other: f64,
        p: f64,
    },
    /// An index below `len`, of which no more is known.
    Index {
        len: usize,
    },
}

/// What a law makes of a number: its standardised value and the fourth moment of that, or that it says nothing.
type Place = Option<(f64, f64)>;

impl Law {
    /// Whether it hardly ever gives one number twice.
    fn is_continuous(self) -> bool {
        !matches!(self, Law::Geometric { .. } | Law::Integers { .. } | Law::Either { .. } | Law::Index { .. })
    }

    /// Where `x` lies in the distribution; an error where it cannot come from it.
    fn place(self, x: f64) -> Result<Place, String> {
        let possible =
            |yes: bool, place: Place| if yes { Ok(place) } else { Err(format!("{x} is not {self:?}")) };
        match self {
            Law::Uniform { low, high } => possible(low <= x && x <= high, uniform((x - low) / (high - low))),
            Law::Normal { mean, std } => possible(x.is_finite(), Some(((x - mean) / std, 3.))),
            Law::LogNormal { mean, std } => possible(x > 0., Some(((x.ln() - mean) / std, 3.))),
            Law::Exponential { rate } => possible(x >= 0., uniform(-(-rate * x).exp_m1())),
            Law::Cauchy { median, scale } => {
                let turn = ((x - median) / scale).atan() / std::f64::consts::PI;
                possible(x.is_finite(), uniform(0.5 + turn))
            }
            Law::Geometric { p } => {
                let place = ((x - 1. / p) * p / (1. - p).sqrt(), 9. + p * p / (1. - p));
                possible(x >= 1. && x.fract() == 0., Some(place))
            }
            Law::Integers { low, high } => {
                let n = high - low;
                let std = ((n * n - 1.) / 12.).sqrt();
                let place = ((x - (low + high - 1.) / 2.) / std, 0.6 * (3. * n * n - 7.) / (n * n - 1.));
                possible(low <= x && x < high && x.fract() == 0., Some(place).filter(|_| n > 1.))
            }
            Law::Either { one, other, p } => {
                let near = |y: f64| (x - y).abs() <= 1e-5 * (1. + y.abs());
                let (likely, spread) = (p * (1. - p), one - other);
                let coin = if near(one) { 1. } else { 0. };
                let place = ((coin - p) / likely.sqrt(), 1. / likely - 3.);
                let told = likely > 0. && spread.abs() > 1e-4;
                possible((near(one) && p > 0.) || (near(other) && p < 1.), Some(place).filter(|_| told))
            }
            Law::Index { len } => possible(x >= 0. && x < len as f64 && x.fract() == 0., None),
        }
    }
}

/// Where `u` lies in the uniform distribution from 0 to 1.
fn uniform(u: f64) -> Place {
    u.is_finite().then(|| ((u - 0.5) * 12f64.sqrt(), 1.8))
}

/// The laws of all elements. Those of a block share one throw.
#[derive(Debug)]
struct Laws {
    each: Vec<Law>,
    block: usize,
    distinct: bool,
}

impl Laws {
    fn of(each: Vec<Law>) -> Option<Self> {
        Some(Self { each, block: 1, distinct: false })
    }

    fn hold(&self, values: &[f64]) -> Verdict {
        let places =
            values.iter().zip(&self.each).map(|(x, law)| law.place(*x)).collect::<Result<Vec<_>, _>>()?;
        if self.distinct {
            return distinct(values, self.block);
        }
        let throws = places.chunks(self.block).map(one_throw).collect::<Result<Vec<_>, _>>()?;
        let throws: Vec<_> = throws.into_iter().flatten().collect();
        if throws.len() > 1 && self.each[0].is_continuous() && throws.iter().all(|throw| *throw == throws[0])
        {
            return Err(format!("all {} draws are the same", throws.len()));
        }
        moments(&throws)
    }
}

/// What all elements of a block agree on.
fn one_throw(block: &[Place]) -> Result<Place, String> {
    let mut told = block.iter().flatten();
    let first = told.next().copied();
    match told.find(|place| Some(**place) != first) {
        Some(other) => Err(format!("a block with both {first:?} and {other:?}")),
        None => Ok(first),
    }
}

/// No number twice within a row.
fn distinct(values: &[f64], row: usize) -> Verdict {
    let twice = |row: &[f64]| row.iter().enumerate().any(|(i, x)| row[..i].contains(x));
    match values.chunks(row.max(1)).find(|row| twice(row)) {
        Some(row) => Err(format!("drawn twice without replacement: {row:?}")),
        None => Ok(()),
    }
}

/// Mean 0 and variance 1, within the standard errors.
fn moments(places: &[(f64, f64)]) -> Verdict {
    let n = places.len() as f64;
    let first = places.iter().map(|(z, _)| z).sum::<f64>() / n.sqrt();
    let spread = places.iter().map(|(_, fourth)| fourth - 1.).sum::<f64>();
    let second = places.iter().map(|(z, _)| z * z - 1.).sum::<f64>() / spread.max(1e-9 * n).sqrt();
    for (moment, off) in [("mean", first), ("variance", second)] {
        if off.abs() > ERRORS {
            return Err(format!("the {moment} of {n} draws is {off:.1} standard errors off"));
        }
    }
    Ok(())
}

/// Two samples of one distribution, as far as mean and deviation can tell.
fn alike(got: &[f64], want: &[f64]) -> Verdict {
    let odd = |values: &[f64]| values.iter().any(|x| !x.is_finite());
    if odd(got) != odd(want) {
        return Err(format!("finite: {}, want {}", !odd(got), !odd(want)));
    }
    let ((m, s), (mean, std)) = (summary(got), summary(want));
    let slack = 1e-5 * (1. + mean.abs());
    if (m - mean).abs() > ERRORS * (s + std) / (got.len() as f64).sqrt() + slack {
        return Err(format!("the mean is {m:.4}, want about {mean:.4} (deviation {std:.4})"));
    }
    if got.len() >= 16 && (s > 3. * std + slack || std > 3. * s + slack) {
        return Err(format!("the deviation is {s:.4}, want about {std:.4}"));
    }
    Ok(())
}

/// Mean and standard deviation of the finite numbers.
fn summary(values: &[f64]) -> (f64, f64) {
    let finite: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    let n = finite.len().max(1) as f64;
    let mean = finite.iter().sum::<f64>() / n;
    (mean, (finite.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
}

/// The laws of a case's first output, where its arguments say them.
fn laws(case: &Case, shape: &[usize]) -> Option<Laws> {
    let all = |law: Law| Laws::of(vec![law; shape.iter().product()]);
    let by = |first: usize, law: fn(f64, f64) -> Law| {
        let pairs =
            spread(case.args.get(first)?, shape)?.into_iter().zip(spread(case.args.get(first + 1)?, shape)?);
        Laws::of(pairs.map(|(a, b)| law(a, b)).collect())
    };
    let normal = |mean, std| Law::Normal { mean, std };
    match case.name.as_str() {
        "cauchy" => by(1, |median, scale| Law::Cauchy { median, scale }),
        "exponential" => all(Law::Exponential { rate: number(case.args.get(1)?)? }),
        "geometric" => all(Law::Geometric { p: number(case.args.get(1)?)? }),
        "log_normal" => by(1, |mean, std| Law::LogNormal { mean, std }),
        "uniform" => by(1, |low, high| Law::Uniform { low, high }),
        // the deviation comes first
        "normal" if case.variant == "number_mean" => by(0, |std, mean| Law::Normal { mean, std }),
        "normal" => by(usize::from(case.variant == "in_place"), normal),
        "randn" | "randn_like" => all(normal(0., 1.)),
        "rand" | "rand_like" => all(Law::Uniform { low: 0., high: 1. }),
        "randint" => all(integers(&case.args)?),
        "randint_like" => all(integers(case.args.get(1..)?)?),
        "bernoulli" => {
            let coin = |p| Law::Either { one: 1., other: 0., p };
            Laws::of(spread(case.args.first()?, shape)?.into_iter().map(coin).collect())
        }
        "multinomial" => multinomial(case, shape),
        "nn.functional.rrelu" => rrelu(case, shape),
        name => dropout(case, name.strip_prefix("nn.functional.")?, shape),
    }
}

/// `high`, or `low` and `high`, before whatever follows.
fn integers(args: &[Value]) -> Option<Law> {
    let ends: Vec<f64> = args.iter().map_while(number).collect();
    match ends[..] {
        [high] => Some(Law::Integers { low: 0., high }),
        [low, high] => Some(Law::Integers { low, high }),
        _ => None,
    }
}

fn multinomial(case: &Case, shape: &[usize]) -> Option<Laws> {
    let Value::Tensor(weights) = case.args.first()? else { return None };
    let len = *weights.raw().ok()?.shape.last()?;
    let distinct = kwarg(case, "replacement") != Some(&Value::Bool(true));
    let each = vec![Law::Index { len }; shape.iter().product()];
    Some(Laws { each, block: if distinct { *shape.last()? } else { 1 }, distinct })
}

fn rrelu(case: &Case, shape: &[usize]) -> Option<Laws> {
    let end = |name, default| kwarg(case, name).map_or(Some(default), number);
    let (lower, upper) = (end("lower", 1. / 8.)?, end("upper", 1. / 3.)?);
    let law = |x: f64| match x < 0. {
        true => Law::Uniform { low: x * upper, high: x * lower },
        false => Law::Either { one: x, other: x, p: 1. },
    };
    Laws::of(spread(case.args.first()?, shape)?.into_iter().map(law).collect())
}

/// Each element, or each channel as a whole, is kept or dropped.
fn dropout(case: &Case, name: &str, shape: &[usize]) -> Option<Laws> {
    let channels = match (name, shape.len()) {
        ("dropout" | "alpha_dropout", rank) => rank,
        ("dropout1d", 2) | ("dropout3d", 4) => 1,
        ("dropout1d" | "dropout2d" | "dropout3d" | "feature_alpha_dropout", _) => 2,
        _ => return None,
    };
    let p = kwarg(case, "p").map_or(Some(0.5), number)?;
    let (scale, kept, dropped) =
        if name.contains("alpha") { self_normalising(p) } else { (1. / (1. - p), 0., 0.) };
    let law = |x: f64| Law::Either { one: x * scale + kept, other: dropped, p: 1. - p };
    let each = spread(case.args.first()?, shape)?.into_iter().map(law).collect();
    Some(Laws { each, block: shape.get(channels..)?.iter().product::<usize>().max(1), distinct: false })
}

/// The scale and the shift of what alpha dropout keeps, and the value of what it drops.
fn self_normalising(p: f64) -> (f64, f64, f64) {
    let alpha = 1.758_099_340_847_376_6;
    let scale = 1. / ((alpha * alpha * p + 1.) * (1. - p)).sqrt();
    (scale, alpha * scale * p, alpha * scale * (p - 1.))
}

fn kwarg<'a>(case: &'a Case, name: &str) -> Option<&'a Value> {
    case.kwargs.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(i) => Some(*i as f64),
        Value::Float(x) => Some(*x),
        _ => None,
    }
}

/// A number or a tensor, broadcast to `shape`.
fn spread(value: &Value, shape: &[usize]) -> Option<Vec<f64>> {
    let numel = shape.iter().product();
    if let Some(x) = number(value) {
        return Some(vec![x; numel]);
    }
    let Value::Tensor(tensor) = value else { return None };
    let raw = tensor.raw().ok()?;
    let values = raw.floats().ok()?;
    let source = |mut offset: usize| {
        let (mut from, mut step) = (0, 1);
        for (&size, &held) in shape.iter().rev().zip(raw.shape.iter().rev()) {
            from += if held == 1 { 0 } else { step * (offset % size) };
            step *= held;
            offset /= size;
        }
        values.get(from).copied()
    };
    (0..numel).map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Kind, load, own_folder};
    use super::*;
    use firesteel_core::Data;

    /// Every sample of PyTorch's, with the case.
    fn samples() -> Vec<(Case, Vec<Raw>)> {
        let cases = Kind::ALL.into_iter().flat_map(|kind| load(&own_folder(), kind).unwrap());
        let tensor = |v: &Value| match v {
            Value::Tensor(t) => Some(t.raw().ok()?.clone()),
            _ => None,
        };
        let with_outputs = |case: Case| {
            let outputs = case.outputs.iter().filter_map(tensor).collect();
            (case, outputs)
        };
        cases.filter(is_random).map(with_outputs).collect()
    }

    #[test]
    fn pytorch_draws_by_the_laws() {
        let samples = samples();
        assert!(samples.len() > 100);
        for (case, outputs) in samples {
            for (i, out) in outputs.iter().enumerate() {
                assert_eq!(output(&case, i, out, out), Ok(()), "{}", case.id);
            }
        }
    }

    #[test]
    fn what_breaks_a_law_is_found() {
        let samples = samples();
        let find = |id: &str| samples.iter().find(|(case, _)| case.id == id).unwrap();
        for (id, wrong) in [
            ("uniform/1", 1.1),
            ("uniform/1", 0.9),
            ("normal.in_place/1", 3.),
            ("randn/1", 0.),
            ("exponential/2", -1.),
            ("exponential/2", 1.),
            ("geometric/2", 0.),
            ("randint/2", 10.),
            ("randint/2", 9.),
            ("bernoulli/3", 2.),
            ("multinomial/0", 1.),
            ("nn.functional.dropout2d/2", 1.),
            ("nn.functional.rrelu/0", 1.),
            ("nn.functional.scaled_dot_product_attention/10", 100.),
        ] {
            let (case, outputs) = find(id);
            let want = &outputs[0];
            let same = Data::F32(vec![wrong; want.numel()]);
            let same =
                if want.dtype == same.dtype() { same } else { Data::I64(vec![wrong as i64; want.numel()]) };
            assert!(output(case, 0, &Raw::new(&want.shape, &same), want).is_err(), "{id} {wrong}");
        }
    }
}
