//! What came of the cases: the counts, the failures, and what was known to fail.
use super::cases::{Case, Kind, Raw, Value};
use firesteel_core::{Data, Error, Result, TensorData};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// What came of one case on one stack.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Everything was PyTorch's.
    Passed,
    /// Something was not, but only by the rounding that the list of known failures allows for: why.
    Rounded(String),
    /// Something was not: why.
    Failed(String),
    /// No call of ours stands for it.
    Unmapped,
}

/// How many cases of one stack, kind and tier came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    unmapped: usize,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Rounded(_) | Outcome::Failed(_) => self.failed += 1,
            Outcome::Unmapped => self.unmapped += 1,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Counts { passed, failed, unmapped } = self;
        let total = passed + failed + unmapped;
        write!(f, "passed={passed} failed={failed} unmapped={unmapped} total={total}")
    }
}

/// The outcomes of all cases that ran.
#[derive(Debug, Default)]
pub struct Report {
    counts: BTreeMap<(String, Kind, u8), Counts>,
    seconds: BTreeMap<(String, u8), Counts>,
    left_out: BTreeMap<(String, Kind, u8), usize>,
    failures: Vec<Failure>,
    passed: BTreeSet<(String, String)>,
}

/// A case that did not pass.
#[derive(Debug, PartialEq)]
struct Failure {
    stack: String,
    id: String,
    reason: String,
    /// By no more than the rounding that is listed.
    rounded: bool,
}

impl Report {
    /// Counts one case; `order` is how many times its stack differentiates.
    pub fn add(&mut self, stack: &str, order: u8, tier: u8, case: &Case, outcome: Outcome) {
        self.counts.entry((stack.into(), case.kind, tier)).or_default().add(&outcome);
        if order > 1 && !case.seconds.is_empty() {
            self.seconds.entry((stack.into(), tier)).or_default().add(&outcome);
        }
        let rounded = matches!(outcome, Outcome::Rounded(_));
        let reason = match outcome {
            Outcome::Passed => {
                self.passed.insert((stack.into(), case.id.clone()));
                return;
            }
            Outcome::Rounded(reason) | Outcome::Failed(reason) => reason,
            Outcome::Unmapped => format!("unmapped: no call of ours stands for {}", case.name),
        };
        let (stack, id, reason) = (stack.into(), case.id.clone(), one_line(&reason));
        self.failures.push(Failure { stack, id, reason, rounded });
    }

    /// Counts one case that its stack is not for.
    pub fn leave_out(&mut self, stack: &str, tier: u8, case: &Case) {
        *self.left_out.entry((stack.into(), case.kind, tier)).or_default() += 1;
    }

    /// Where the outcomes and the list of known failures disagree, one line each: what failed unlisted, and
    /// what is listed but passed. What is listed with a rounding may pass.
    pub fn surprises(&self, known: &Known) -> Vec<String> {
        let unlisted = self.failures.iter().filter_map(|Failure { stack, id, reason, rounded }| {
            let how = match known.reason(stack, id) {
                None => "fails and is not listed",
                Some(_) if known.rounding(stack, id) > 0. && !rounded => "fails by more than rounding",
                Some(_) => return None,
            };
            Some(format!("{stack} {id} {how}: {reason}"))
        });
        let must_fail =
            |stack: &str, id: &str| known.reason(stack, id).is_some() && known.rounding(stack, id) == 0.;
        let healed = self.passed.iter().filter(|(stack, id)| must_fail(stack, id));
        let healed = healed.map(|(stack, id)| format!("{stack} {id} is listed as failing and passes"));
        unlisted.chain(healed).collect()
    }
}

/// A line for each failed case, then a line for each stack, kind and tier, one for what a stack is not for, and one
/// for the cases that have second gradients.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for Failure { stack, id, reason, .. } in &self.failures {
            writeln!(f, "pytorch-failed stack={stack} id={id} reason={reason}")?;
        }
        for ((stack, kind, tier), counts) in &self.counts {
            writeln!(f, "pytorch-cases stack={stack} kind={kind} tier={tier} {counts}")?;
        }
        for ((stack, kind, tier), count) in &self.left_out {
            writeln!(f, "pytorch-left-out stack={stack} kind={kind} tier={tier} total={count}")?;
        }
        for ((stack, tier), counts) in &self.seconds {
            writeln!(f, "pytorch-seconds stack={stack} tier={tier} {counts}")?;
        }
        Ok(())
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is known to fail: lines of stacks, id and reason, separated by tabs. The stacks are a list with commas or
/// `*`; an id may end in `*`. A reason that begins with `rounding up to 3e-5:` is of a case that may pass, as the order in
/// which a processor adds decides, and that is off by no more than that where it fails.
#[derive(Debug, Default)]
pub struct Known(Vec<[String; 3]>);

impl Known {
    /// The list that is checked in.
    pub fn own() -> Result<Self> {
        Self::parse(include_str!("known_failures.tsv"))
    }

    fn parse(list: &str) -> Result<Self> {
        let entry = |line: &str| {
            let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
            if columns.get(2).is_some_and(|reason| rounding(reason).is_none()) {
                return Err(Error::format("known_failures.tsv", format!("{line:?} rounds up to what?")));
            }
            match columns[..] {
                [stacks, id, reason] if !reason.is_empty() => Ok([stacks.into(), id.into(), reason.into()]),
                _ => {
                    Err(Error::format("known_failures.tsv", format!("{line:?} is not stacks, id and reason")))
                }
            }
        };
        let lines = list.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        lines.map(entry).collect::<Result<_>>().map(Self)
    }

    /// Why the case is known to fail on that stack.
    pub fn reason(&self, stack: &str, id: &str) -> Option<&str> {
        let on = |stacks: &str| stacks == "*" || stacks.split(',').any(|s| s.trim() == stack);
        let names =
            |pattern: &str| pattern.strip_suffix('*').map_or(pattern == id, |stem| id.starts_with(stem));
        self.0
            .iter()
            .find(|[stacks, pattern, _]| on(stacks) && names(pattern))
            .map(|[.., reason]| &reason[..])
    }

    /// By how much the case may be off there; zero where it is not rounding that lets it fail.
    pub fn rounding(&self, stack: &str, id: &str) -> f64 {
        self.reason(stack, id).and_then(rounding).unwrap_or_default()
    }
}

/// What a reason allows for; nothing where it begins to and gives no number.
fn rounding(reason: &str) -> Option<f64> {
    match reason.strip_prefix("rounding up to ") {
        None => Some(0.),
        Some(rest) => rest.split_once(':')?.0.parse().ok(),
    }
}

/// What the cases of one kind gave on one stack, to be written for other programs.
#[derive(Debug, Default)]
pub struct Dump(Vec<(String, Raw)>);

impl Dump {
    /// A tensor: `ID/out0`, `ID/grad/PATH`, `ID/second/PATH`.
    pub fn tensor(&mut self, name: String, raw: Raw) {
        self.0.push((name, raw));
    }

    /// A bool, a number or a size, as a tensor.
    pub fn value(&mut self, name: String, value: &Value) {
        let int = |v: &Value| if let Value::Int(i) = v { Some(*i) } else { None };
        let raw = match value {
            Value::Bool(b) => Raw::new(&[], &Data::Bool(vec![*b])),
            Value::Int(i) => Raw::new(&[], &Data::I64(vec![*i])),
            Value::Float(x) => Raw::new(&[], &Data::F64(vec![*x])),
            Value::List(items) | Value::Tuple(items) => {
                Raw::new(&[items.len()], &Data::I64(items.iter().filter_map(int).collect()))
            }
            _ => return,
        };
        self.tensor(name, raw);
    }

    /// Writes `op.cpu.safetensors` and the like, whole or not at all.
    pub fn write(self, folder: &Path, kind: Kind, stack: &str) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        let tensors =
            self.0.into_iter().map(|(name, raw)| Ok((name, TensorData::new(&raw.shape, raw.data()?)?)));
        let path = folder.join(format!("{kind}.{stack}.safetensors"));
        firesteel::io::safetensors::save(path, &tensors.collect::<Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{load, own_folder};
    use super::*;

    fn cases() -> Vec<Case> {
        load(&own_folder(), Kind::Sched).unwrap()
    }

    fn report(cases: &[Case]) -> Report {
        let mut report = Report::default();
        report.add("cpu", 0, 1, &cases[0], Outcome::Passed);
        report.add("cpu", 0, 1, &cases[1], Outcome::Failed("wrong\nnumber".into()));
        report.add("cpu", 0, 1, &cases[2], Outcome::Unmapped);
        report
    }

    #[test]
    fn the_lines_have_their_form() {
        let lines = report(&cases()).to_string();
        assert_eq!(
            lines.lines().collect::<Vec<_>>(),
            [
                "pytorch-failed stack=cpu id=MultiStepLR/1 reason=wrong number",
                "pytorch-failed stack=cpu id=ConstantLR/2 reason=unmapped: no call of ours stands for ConstantLR",
                "pytorch-cases stack=cpu kind=sched tier=1 passed=1 failed=1 unmapped=1 total=3",
            ]
        );
    }

    #[test]
    fn outcomes_have_to_be_as_listed() {
        let report = report(&cases());
        let surprises = |list: &str| report.surprises(&Known::parse(list).unwrap());
        let unlisted = surprises("# nothing\n");
        assert_eq!(unlisted.len(), 2);
        assert_eq!(unlisted[0], "cpu MultiStepLR/1 fails and is not listed: wrong number");
        let listed = "cpu,wgpu\tMultiStepLR/1\twhy\n*\tConstantLR/*\twhy\n";
        assert_eq!(surprises(listed), [""; 0]);
        let healed = format!("{listed}cpu\tStepLR/0\twhy\n");
        assert_eq!(surprises(&healed), ["cpu StepLR/0 is listed as failing and passes"]);
        assert_eq!(surprises("wgpu\tMultiStepLR/1\twhy\n").len(), 2);
        assert!(Known::parse("cpu\tabs/0\n").is_err(), "a failure without a reason");
    }

    #[test]
    fn what_rounds_may_pass_but_not_fail_by_more() {
        let cases = cases();
        let known = Known::parse("*\tMultiStepLR/*\trounding up to 2e-5: why\n").unwrap();
        assert_eq!(known.rounding("cpu", "MultiStepLR/1"), 2e-5);
        assert_eq!(known.rounding("cpu", "StepLR/0"), 0.);
        let of = |outcome| {
            let mut report = Report::default();
            report.add("cpu", 0, 1, &cases[1], outcome);
            report.surprises(&known)
        };
        assert_eq!(of(Outcome::Passed), [""; 0]);
        assert_eq!(of(Outcome::Rounded("off".into())), [""; 0]);
        assert_eq!(
            of(Outcome::Failed("far off".into())),
            ["cpu MultiStepLR/1 fails by more than rounding: far off"]
        );
        assert!(Known::parse("*\tabs/0\trounding up to much: why\n").is_err());
    }

    #[test]
    fn a_dump_is_read_back() {
        let folder = std::env::temp_dir().join(format!("firesteel-dump-{}", std::process::id()));
        let mut dump = Dump::default();
        dump.tensor("abs/0/out0".into(), Raw::new(&[2], &Data::F32(vec![1., 2.])));
        dump.value("equal/0/out0".into(), &Value::Bool(true));
        dump.write(&folder, Kind::Op, "cpu").unwrap();
        let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(names, ["op.cpu.safetensors"]);
        let bytes = std::fs::read(folder.join("op.cpu.safetensors")).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        assert_eq!(file.tensor("abs/0/out0").unwrap().shape(), [2]);
        assert_eq!(file.tensor("equal/0/out0").unwrap().data(), [1]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
