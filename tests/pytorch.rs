//! Firesteel against PyTorch's own test cases.
//!
//! `cargo test --release --test pytorch -- --nocapture` runs them all. `PYTORCH_CASES=folder` takes another
//! export, `PYTORCH_BACKENDS=cpu,autodiff-cpu` chooses the stacks, `PYTORCH_ONLY=regex` the ids, and
//! `PYTORCH_DUMP=folder` writes what each case gave.

// the toy backend is held against the cases of the dtypes that it has
#[allow(dead_code)]
#[path = "../examples/toy_backend.rs"]
mod toy;

mod pytorch {
    pub mod args;
    pub mod cases;
    pub mod compare;
    pub mod gauge;
    pub mod judge;
    pub mod module;
    pub mod optim;
    pub mod random;
    pub mod read;
    pub mod report;
    pub mod run;
    pub mod sched;
    pub mod scope;
    pub mod settings;
    pub mod stacks;
    pub mod table;
}

use firesteel::{Autodiff, Backend, Cpu, DType, Result, Tensor};
use pytorch::cases::{self, Case, Kind};
use pytorch::report::{Dump, Known, Outcome, Report};
use pytorch::run::Ran;
use pytorch::scope::Scope;
use pytorch::settings::Settings;
use pytorch::stacks::Stack;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Every case in scope passes on every stack, but for those that are listed with the reason why not.
#[test]
fn cases_give_what_pytorch_gives() -> Result<()> {
    let settings = Settings::from_env()?;
    let known = Known::own()?;
    let report = run(&settings, &known)?;
    println!("\n{report}");
    let surprises = report.surprises(&known);
    surprises.iter().for_each(|surprise| println!("pytorch-surprise {surprise}"));
    // Other exports hold other cases than the list does.
    assert!(settings.cases.is_some() || surprises.is_empty(), "{} surprises", surprises.len());
    Ok(())
}

/// `_int_mm`, of which PyTorch has no cases, where there is a kernel, where there is none, and where gradients are kept.
#[test]
fn products_of_bytes_are_the_same_everywhere() -> Result<()> {
    fn check<B: Backend>(backend: &B) -> Result<()> {
        let a = Tensor::new([[-128i8, 127, 3], [4, -5, 6]], backend)?;
        let y = a.int_mm(&a.t()?)?;
        assert_eq!((y.dtype(), y.to_vec::<i32>()?), (DType::I32, vec![32522, -1129, -1129, 77]));
        assert!(a.int_mm(&a).is_err() && a.int_mm(&a.t()?.to(DType::I32)?).is_err());
        Ok(())
    }
    check(&Cpu)?;
    check(&Autodiff::new(Cpu))?;
    check(&toy::Toy)
}

fn run(settings: &Settings, known: &Known) -> Result<Report> {
    let (scope, mut report) = (Scope::own(), Report::default());
    let stacks = Stack::all(settings)?;
    for kind in Kind::ALL {
        let cases = cases::load(&settings.folder(), kind)?;
        for stack in &stacks {
            let mut dump = settings.dump.as_ref().map(|_| Dump::default());
            // Without gradients there is nothing to optimize by.
            if matches!(kind, Kind::Optim | Kind::Sched) && stack.order == 0 {
                continue;
            }
            for case in cases.iter().filter(|case| settings.wants(&case.id)) {
                if let Some(tier) = scope.tier(case) {
                    if !(stack.takes)(tier, case) {
                        report.leave_out(&stack.name, tier, case);
                        continue;
                    }
                    let rounding = known.rounding(&stack.name, &case.id);
                    let outcome = outcome(case, || stack.run(case), rounding, dump.as_mut());
                    if is_not_built(&outcome) {
                        report.leave_out(&stack.name, tier, case);
                        continue;
                    }
                    report.add(&stack.name, stack.order, tier, case, outcome);
                }
            }
            if let (Some(dump), Some(folder)) = (dump, &settings.dump) {
                dump.write(folder, kind, &stack.name)?;
            }
        }
    }
    Ok(report)
}

/// Whether a case is one of those that need a feature that this build is without.
fn is_not_built(outcome: &Outcome) -> bool {
    let needed = matches!(outcome, Outcome::Failed(why) if why.contains("the feature `linalg`"));
    needed && !cfg!(feature = "linalg")
}

/// Runs and judges a case, which may be off by `rounding`. A panic is a failure like any other.
fn outcome(case: &Case, run: impl FnOnce() -> Ran, rounding: f64, dump: Option<&mut Dump>) -> Outcome {
    let results = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(Some(results))) => results,
        Ok(Ok(None)) => return Outcome::Unmapped,
        Ok(Err(error)) => return Outcome::Failed(error.to_string()),
        Err(_) => return Outcome::Failed("panicked".into()),
    };
    let outcome = results.outcome(case, rounding);
    if let Some(dump) = dump {
        results.dump(&case.id, dump);
    }
    outcome
}
