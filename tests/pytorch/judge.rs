//! Whether all that a case gave is PyTorch's.
use super::cases::{Case, Gradients, Raw, Tensor, Value};
use super::compare::{self, Verdict};
use super::random;
use super::report::{Dump, Outcome};
use firesteel_core::Result;
use std::collections::BTreeMap;

/// One result of a call; its numbers are on the host unless `T` says otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<T = Raw> {
    /// A tensor.
    Tensor(T),
    /// A bool, a number, a size.
    Value(Value),
}

impl<T> Output<T> {
    /// The tensor, where it is one.
    pub fn tensor(&self) -> Option<&T> {
        match self {
            Self::Tensor(tensor) => Some(tensor),
            Self::Value(_) => None,
        }
    }
}

/// Gradients of ours by path; none where the tensor got none.
pub type Found = BTreeMap<String, Option<Raw>>;

/// All that a case gave. What is nothing was not computed, and is not judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// The results, flattened as PyTorch's are.
    pub outputs: Vec<Output>,
    /// The gradients.
    pub grads: Option<Found>,
    /// The second gradients.
    pub seconds: Option<Found>,
}

impl Results {
    /// What came of the case, where it may be off by `rounding`.
    pub fn outcome(&self, case: &Case, rounding: f64) -> Outcome {
        match self.judge(case) {
            Ok(()) => Outcome::Passed,
            Err(why) if self.judge_within(case, rounding).is_ok() => Outcome::Rounded(why),
            Err(why) => Outcome::Failed(why),
        }
    }

    /// Whether everything is PyTorch's; the first thing that is not, and why.
    fn judge(&self, case: &Case) -> Verdict {
        self.judge_within(case, 0.)
    }

    /// [`judge`](Self::judge), with an absolute tolerance of no less than `rounding`.
    fn judge_within(&self, case: &Case, rounding: f64) -> Verdict {
        let outputs = case.wanted();
        if self.outputs.len() != outputs.len() {
            return Err(format!("{} outputs, want {}", self.outputs.len(), outputs.len()));
        }
        for (i, (got, want)) in self.outputs.iter().zip(outputs.iter()).enumerate() {
            output(case, i, got, want, rounding).map_err(|why| format!("out{i}: {why}"))?;
        }
        let grads = self
            .grads
            .as_ref()
            .map_or(Ok(()), |got| gradients(case, got, &case.grads, case.grad_atol, rounding));
        grads.map_err(|why| format!("grad {why}"))?;
        let seconds = self.seconds.as_ref();
        let seconds =
            seconds.map_or(Ok(()), |got| gradients(case, got, &case.seconds, case.second_atol, rounding));
        seconds.map_err(|why| format!("second {why}"))
    }

    /// Adds everything to a dump.
    pub fn dump(self, id: &str, dump: &mut Dump) {
        for (i, output) in self.outputs.into_iter().enumerate() {
            let name = format!("{id}/out{i}");
            match output {
                Output::Tensor(raw) => dump.tensor(name, raw),
                Output::Value(value) => dump.value(name, &value),
            }
        }
        for (sort, found) in [("grad", self.grads), ("second", self.seconds)] {
            for (path, raw) in found.into_iter().flatten() {
                raw.into_iter().for_each(|raw| dump.tensor(format!("{id}/{sort}/{path}"), raw));
            }
        }
    }
}

fn output(case: &Case, index: usize, got: &Output, want: &Value, rounding: f64) -> Verdict {
    match (got, want) {
        (Output::Tensor(got), Value::Tensor(want)) if random::is_random(case) => {
            random::output(case, index, got, raw(want)?)
        }
        (Output::Tensor(got), Value::Tensor(want)) => compare::tensor(got, raw(want)?, case.atol, rounding),
        (Output::Value(got), want) => compare::value(got, want),
        (Output::Tensor(_), want) => Err(format!("got a tensor, want {want:?}")),
    }
}

fn gradients(case: &Case, got: &Found, want: &Gradients, atol: Option<f64>, rounding: f64) -> Verdict {
    let judge = |path: &str, want: &Option<Tensor>| {
        let want = want.as_ref().map(raw).transpose()?;
        let got = got.get(path).and_then(Option::as_ref);
        if random::is_random(case) {
            random::gradient(got, want)
        } else {
            compare::gradient(got, want, atol, rounding)
        }
    };
    want.iter().try_for_each(|(path, want)| judge(path, want).map_err(|why| format!("{path}: {why}")))
}

fn raw(tensor: &Tensor) -> Result<&Raw, String> {
    tensor.raw().map_err(|e| e.message().to_string())
}

#[cfg(test)]
mod tests {
    use super::super::cases::{Kind, load, own_folder};
    use super::super::scope::Scope;
    use super::*;

    /// What PyTorch itself would give.
    fn perfect(case: &Case) -> Results {
        let output = |want: &Value| match want {
            Value::Tensor(tensor) => Output::Tensor(tensor.raw().unwrap().clone()),
            value => Output::Value(value.clone()),
        };
        let found = |want: &Gradients| -> Found {
            let raw = |t: &Option<Tensor>| t.as_ref().map(|t| t.raw().unwrap().clone());
            want.iter().map(|(path, t)| (path.clone(), raw(t))).collect()
        };
        let outputs = case.wanted().iter().map(output).collect();
        Results { outputs, grads: Some(found(&case.grads)), seconds: Some(found(&case.seconds)) }
    }

    /// Makes the last element another by far: half or twice in bits of its exponent, or the other truth.
    fn spoil(raw: &mut Raw) -> bool {
        let size = raw.dtype.size();
        let Some(start) = raw.bytes.len().checked_sub(size) else { return false };
        let last = &mut raw.bytes[start..];
        last[size - 1] ^= if size == 1 { 1 } else { 0x40 };
        true
    }

    fn cases() -> Vec<Case> {
        let both = [Kind::Op, Kind::Module].into_iter().flat_map(|kind| load(&own_folder(), kind).unwrap());
        both.filter(|case| case.unsupported.is_none()).collect()
    }

    #[test]
    fn pytorch_passes_its_own_cases() {
        for case in cases() {
            assert_eq!(perfect(&case).judge(&case), Ok(()), "{}", case.id);
        }
    }

    #[test]
    fn a_wrong_number_anywhere_fails() {
        let (mut spoiled, scope) = (0, Scope::own());
        let counts = |case: &Case| scope.tier(case) == Some(1) && !random::is_random(case);
        for case in cases().into_iter().filter(counts) {
            let right = perfect(&case);
            for i in 0..right.outputs.len() {
                let mut wrong = right.clone();
                let Output::Tensor(raw) = &mut wrong.outputs[i] else { continue };
                if spoil(raw) {
                    spoiled += 1;
                    assert!(wrong.judge(&case).is_err_and(|why| why.starts_with("out")), "{} {i}", case.id);
                }
            }
            for path in case.grads.keys() {
                let mut wrong = right.clone();
                let grad = wrong.grads.as_mut().and_then(|g| g.get_mut(path)).and_then(Option::as_mut);
                if grad.is_some_and(spoil) {
                    spoiled += 1;
                    assert!(
                        wrong.judge(&case).is_err_and(|why| why.starts_with("grad")),
                        "{} {path}",
                        case.id
                    );
                }
            }
        }
        assert!(spoiled > 8_000, "{spoiled}");
    }

    #[test]
    fn too_few_outputs_fail() {
        let case = cases().into_iter().find(|case| case.name == "sort").unwrap();
        let mut short = perfect(&case);
        short.outputs.pop();
        assert_eq!(short.judge(&case), Err("1 outputs, want 2".into()));
    }
}
