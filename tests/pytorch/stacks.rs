//! The stacks that the cases run on: decorators around a machine that is chosen when the program runs.
use super::cases::{Case, Kind};
use super::run::{self, Ran};
use super::settings::Settings;
use crate::toy::Toy;
use firesteel::{Any, Autodiff, DType, Error, Result, block_on};

#[cfg(feature = "wgpu")]
#[path = "../../backends/wgpu/tests/common/driver.rs"]
mod driver;

/// The decorators of a stack, how many times it differentiates, and how a case runs on it.
type Decorators = (&'static str, u8, fn(&Any, &Case) -> Ran);

/// Modules whose shapes depend on numbers, which have to be read.
const READS: [&str; 1] = ["AdaptiveLogSoftmaxWithLoss"];

/// Each compiles the whole table once more.
const DECORATORS: [Decorators; 3] = [
    ("", 0, |machine, case| block_on(run::plain(machine, case))),
    ("autodiff-", 1, |machine, case| block_on(run::once(&Autodiff::new(machine.clone()), case))),
    ("autodiff-autodiff-", 2, |machine, case| {
        block_on(run::twice(&Autodiff::new(Autodiff::new(machine.clone())), case))
    }),
];

/// Runs cases on decorators around a machine.
pub struct Stack {
    /// `autodiff-cpu`
    pub name: String,
    /// How many times it differentiates.
    pub order: u8,
    /// Whether it is for a case of this tier.
    pub takes: fn(u8, &Case) -> bool,
    run: Box<dyn Fn(&Case) -> Ran>,
    /// The machine at the bottom, where it is one that a program chooses.
    machine: Option<Any>,
}

impl Stack {
    /// The stacks that are asked for, of the machines that are here.
    pub fn all(settings: &Settings) -> Result<Vec<Stack>> {
        #[cfg(feature = "wgpu")]
        driver::install();
        let mut stacks = vec![Stack::toy()];
        for (machine, _) in Any::device_counts().into_iter().filter(|(_, count)| *count > 0) {
            for (decorators, order, run) in DECORATORS {
                let (name, machine): (_, Any) = (format!("{decorators}{machine}"), machine.parse()?);
                let on = machine.clone();
                let run = Box::new(move |case: &Case| run(&on, case));
                stacks.push(Stack { name, order, takes: |_, _| true, run, machine: Some(machine) });
            }
        }
        let names: Vec<_> = stacks.iter().map(|stack| &stack.name[..]).collect();
        let wanted: Vec<_> = settings.stacks(&names)?.into_iter().map(str::to_string).collect();
        Ok(stacks.into_iter().filter(|stack| wanted.contains(&stack.name)).collect())
    }

    /// The toy backend, for operators of the first tier in the dtypes that it has: F32, whole numbers and Bool.
    fn toy() -> Stack {
        fn has(dtype: &str) -> bool {
            dtype.parse().is_ok_and(|dtype: DType| dtype == DType::F32 || !dtype.is_float())
        }
        Stack {
            name: "toy".into(),
            order: 0,
            takes: |tier, case| {
                tier == 1 && case.kind == Kind::Op && case.dtypes().iter().all(|dtype| has(dtype))
            },
            run: Box::new(|case| block_on(run::plain(&Toy, case))),
            machine: None,
        }
    }

    /// What a case gives. No module may compute anything on the host: a GPU is read only where we look at what it gave.
    pub fn run(&self, case: &Case) -> Ran {
        let before = self.read_back();
        let ran = (self.run)(case)?;
        let is_allowed = case.kind != Kind::Module || READS.contains(&&case.name[..]);
        match self.read_back() - before {
            reads if reads > 0 && !is_allowed => {
                Err(Error::internal("host", format!("the GPU was read back {reads} times to compute")))
            }
            _ => Ok(ran),
        }
    }

    /// How often a GPU was read back, but for the outputs of cases.
    fn read_back(&self) -> i64 {
        match &self.machine {
            #[cfg(feature = "wgpu")]
            Some(Any::Wgpu(gpu)) => gpu.counters().downloads as i64 - run::downloads() as i64,
            _ => 0,
        }
    }
}
