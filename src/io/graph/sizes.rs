//! Programs whose sizes stay open: every number in one is a polynomial of them.
//!
//! A model that is traced at two sizes gives programs that differ in numbers alone, and those grow evenly: a batch of `n`
//! rows of eight has `8 n` numbers. So what holds for all sizes is found from the programs themselves, for every kind
//! of operation alike.
use super::GRAPH;
use crate::{Error, Meta, Program, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The key of a number that is a polynomial; no operation has this name.
const POLYNOMIAL: &str = "poly";
/// The most sizes that may stay open: there is a coefficient for each set of them.
pub const MOST: usize = 3;

/// What a call does at one choice of sizes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Concrete {
    /// What a call is given.
    pub inputs: Vec<Meta>,
    /// What is done with it, and with the weights after it.
    pub program: Program,
}

/// What a call does at any choice of sizes.
#[derive(Debug, Serialize, Deserialize)]
pub struct Template {
    /// The open sizes by name, each with one that the model was traced at.
    pub sizes: Vec<(String, usize)>,
    /// A [`Concrete`] in which a number may be `{"poly": [c₀, c₁, c₂, c₃, ..]}`: c₀ + c₁ n + c₂ t + c₃ n t + ..
    call: Value,
}

impl Template {
    /// Of what was traced at all combinations of `size` and `size + 1`; bit `i` of the place tells which of size `i`.
    pub fn of(sizes: Vec<(String, usize)>, traced: &[Concrete]) -> Result<Self> {
        let json = |concrete| {
            serde_json::to_value(concrete).map_err(|e| Error::internal(GRAPH, e.to_string()).because(e))
        };
        let traced = traced.iter().map(json).collect::<Result<Vec<_>>>()?;
        let at: Vec<_> = sizes.iter().map(|(_, size)| *size as i128).collect();
        let call = join(&traced.iter().collect::<Vec<_>>(), &at).ok_or_else(|| uneven(&sizes))?;
        let template = Self { sizes, call };
        template.places()?;
        Ok(template)
    }

    /// The sizes that the model was traced at.
    pub fn traced(&self) -> Vec<usize> {
        self.sizes.iter().map(|(_, size)| *size).collect()
    }

    /// What a call does at these sizes.
    pub fn at(&self, sizes: &[usize]) -> Result<Concrete> {
        let wrong =
            |why: String| Error::format(GRAPH, format!("there is no program for sizes {sizes:?}: {why}"));
        let filled = fill(&self.call, sizes).ok_or_else(|| wrong("a number is out of range".into()))?;
        serde_json::from_value(filled).map_err(|e| wrong(e.to_string()).because(e))
    }

    /// Whether this is what happens at these sizes.
    pub fn agrees(&self, sizes: &[usize], concrete: &Concrete) -> bool {
        serde_json::to_value(concrete).is_ok_and(|json| fill(&self.call, sizes) == Some(json))
    }

    /// The open sizes of a call with such inputs.
    pub fn solve(&self, inputs: &[&Meta]) -> Result<Vec<usize>> {
        let size = |(input, axis): (usize, usize)| {
            inputs.get(input).and_then(|meta| meta.shape.get(axis)).copied().ok_or_else(|| {
                let given: Vec<_> = inputs.iter().map(|meta| meta.to_string()).collect();
                Error::shape(GRAPH, format!("takes {}, not {}", self.signature(), given.join(" and ")))
            })
        };
        self.places()?.into_iter().map(size).collect()
    }

    /// The inputs as they are declared: `float32 [batch, 3]`.
    pub fn signature(&self) -> String {
        let sizes = self.traced();
        let number = |json: &Value| match (0..sizes.len()).find(|&size| is_size(json, size)) {
            Some(size) => self.sizes[size].0.clone(),
            None => fill(json, &sizes).map_or("?".into(), |number| number.to_string()),
        };
        let shape = |input: &Value| {
            let shape: Vec<_> = input["shape"].as_array().into_iter().flatten().map(number).collect();
            let dtype = serde_json::from_value::<crate::DType>(input["dtype"].clone());
            format!("{} [{}]", dtype.map_or("?", crate::DType::name), shape.join(", "))
        };
        let inputs: Vec<_> = self.call["inputs"].as_array().into_iter().flatten().map(shape).collect();
        inputs.join(" and ")
    }

    /// The input and axis that tells each of the open sizes.
    fn places(&self) -> Result<Vec<(usize, usize)>> {
        let inputs = self.call["inputs"].as_array().map_or(&[][..], Vec::as_slice);
        let place = |(size, (name, _)): (usize, &(String, usize))| {
            let axis = |input: &Value| input["shape"].as_array()?.iter().position(|json| is_size(json, size));
            let found = inputs.iter().enumerate().find_map(|(i, input)| Some((i, axis(input)?)));
            found.ok_or_else(|| Error::value(GRAPH, format!("no input has a dim that is `{name}` itself")))
        };
        self.sizes.iter().enumerate().map(place).collect()
    }
}

/// What is wrong where no polynomials are found.
pub fn uneven(sizes: &[(String, usize)]) -> Error {
    let names: Vec<_> = sizes.iter().map(|(name, _)| name.as_str()).collect();
    let why = format!(
        "what the model does does not grow evenly with {}: leave fewer sizes open, or trace it at larger ones",
        names.join(" and ")
    );
    Error::unsupported(GRAPH, why)
}

/// One JSON of those of all combinations of sizes, where they differ in whole numbers alone.
fn join(found: &[&Value], at: &[i128]) -> Option<Value> {
    let (first, rest) = found.split_first()?;
    if rest.iter().all(|json| json == first) {
        return Some((*first).clone());
    }
    let each = |part: &dyn Fn(&Value) -> Option<&Value>| -> Option<Value> {
        let parts = found.iter().map(|json| part(json)).collect::<Option<Vec<_>>>()?;
        join(&parts, at)
    };
    match first {
        Value::Array(items) => {
            let same =
                rest.iter().all(|json| json.as_array().is_some_and(|other| other.len() == items.len()));
            let joined = (0..items.len()).map(|i| each(&|json| json.get(i))).collect::<Option<Vec<_>>>();
            joined.filter(|_| same).map(Value::Array)
        }
        Value::Object(entries) => {
            let same =
                rest.iter().all(|json| json.as_object().is_some_and(|other| other.len() == entries.len()));
            let joined = entries.keys().map(|key| Some((key.clone(), each(&|json| json.get(key))?)));
            joined.collect::<Option<Map<_, _>>>().filter(|_| same).map(Value::Object)
        }
        Value::Number(_) => {
            let values = found.iter().map(|json| integer(json)).collect::<Option<Vec<_>>>()?;
            let coefficients = coefficients(values, at).into_iter().map(i64::try_from);
            Some(json!({POLYNOMIAL: coefficients.collect::<Result<Vec<_>, _>>().ok()?}))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => None,
    }
}

/// The polynomial that takes these values where each size is `at` or one more: differences are slopes, and what they
/// amount to between zero and `at` is taken off.
fn coefficients(mut values: Vec<i128>, at: &[i128]) -> Vec<i128> {
    for (i, &at) in at.iter().enumerate() {
        for set in (0..values.len()).filter(|set| set & (1 << i) != 0) {
            let without = set ^ (1 << i);
            values[set] -= values[without];
            values[without] -= at * values[set];
        }
    }
    values
}

/// The same JSON with a number in place of each polynomial; nothing where one is out of range.
fn fill(json: &Value, sizes: &[usize]) -> Option<Value> {
    match json {
        Value::Array(items) => {
            items.iter().map(|item| fill(item, sizes)).collect::<Option<_>>().map(Value::Array)
        }
        Value::Object(entries) => match polynomial(json, sizes.len()) {
            Some(coefficients) => number(evaluate(&coefficients?, sizes)?),
            None => {
                let filled = entries.iter().map(|(key, value)| Some((key.clone(), fill(value, sizes)?)));
                filled.collect::<Option<_>>().map(Value::Object)
            }
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(json.clone()),
    }
}

/// The coefficients where this is a polynomial at all; nothing within where they are not as many as they should be.
fn polynomial(json: &Value, sizes: usize) -> Option<Option<Vec<i128>>> {
    let coefficients = json.as_object()?.get(POLYNOMIAL)?;
    let numbers =
        coefficients.as_array().and_then(|list| list.iter().map(integer).collect::<Option<Vec<_>>>());
    Some(numbers.filter(|numbers| numbers.len() == 1 << sizes))
}

fn evaluate(coefficients: &[i128], sizes: &[usize]) -> Option<i128> {
    coefficients.iter().enumerate().try_fold(0i128, |sum, (set, &coefficient)| {
        let chosen = sizes.iter().enumerate().filter(|(i, _)| set & (1 << i) != 0);
        let term =
            chosen.into_iter().try_fold(coefficient, |term, (_, &size)| term.checked_mul(size as i128))?;
        sum.checked_add(term)
    })
}

/// Whether this number is the size itself.
fn is_size(json: &Value, size: usize) -> bool {
    let coefficients = json.get(POLYNOMIAL).and_then(Value::as_array);
    coefficients.is_some_and(|list| {
        list.iter().enumerate().all(|(set, number)| integer(number) == Some(i128::from(set == 1 << size)))
            && list.len() > 1 << size
    })
}

fn integer(json: &Value) -> Option<i128> {
    json.as_i64().map(i128::from).or_else(|| json.as_u64().map(i128::from))
}

fn number(x: i128) -> Option<Value> {
    i64::try_from(x).map(Value::from).or_else(|_| u64::try_from(x).map(Value::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_are_found_from_values() {
        let f = |n: i128, t: i128| 7 + 3 * n - 2 * t + 5 * n * t;
        let values = [(2, 16), (3, 16), (2, 17), (3, 17)].map(|(n, t)| f(n, t)).to_vec();
        let found = coefficients(values, &[2, 16]);
        assert_eq!(found, [7, 3, -2, 5]);
        assert_eq!(evaluate(&found, &[100, 9]), Some(f(100, 9)));
        assert_eq!(evaluate(&[0, 0, 0, i128::MAX], &[2, 2]), None);
    }

    #[test]
    fn only_numbers_may_differ() {
        let joined = join(&[&json!({"a": [1, 2, "x"]}), &json!({"a": [1, 4, "x"]})], &[2]);
        assert_eq!(joined, Some(json!({"a": [1, {"poly": [-2, 2]}, "x"]})));
        assert_eq!(fill(&joined.unwrap_or_default(), &[5]), Some(json!({"a": [1, 8, "x"]})));
        for (a, b) in [(json!([1]), json!([1, 2])), (json!("x"), json!("y")), (json!(1.5), json!(2.5))] {
            assert_eq!(join(&[&a, &b], &[2]), None);
        }
        assert_eq!(fill(&json!({"poly": [1, 2, 3]}), &[5]), None);
    }
}
