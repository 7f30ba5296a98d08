//! The stacks that the cases run on: decorators around a machine that is chosen when the program runs.
use super::cases::Case;
use super::run::{self, Ran};
use super::settings::Settings;
use firesteel::{Any, Autodiff, Result};

#[cfg(feature = "wgpu")]
#[path = "../../backends/wgpu/tests/common/driver.rs"]
mod driver;

/// The decorators of a stack, how many times it differentiates, and how a case runs on it.
type Decorators = (&'static str, u8, fn(&Any, &Case) -> Ran);

/// Each compiles the whole table once more.
const DECORATORS: [Decorators; 3] = [
    ("", 0, |machine, case| run::plain(machine, case)),
    ("autodiff-", 1, |machine, case| run::once(&Autodiff::new(machine.clone()), case)),
    ("autodiff-autodiff-", 2, |machine, case| {
        run::twice(&Autodiff::new(Autodiff::new(machine.clone())), case)
    }),
];

/// Runs cases on decorators around a machine.
pub struct Stack {
    /// `autodiff-cpu`
    pub name: String,
    /// How many times it differentiates.
    pub order: u8,
    machine: Any,
    run: fn(&Any, &Case) -> Ran,
}

impl Stack {
    /// The stacks that are asked for, of the machines that are here.
    pub fn all(settings: &Settings) -> Result<Vec<Stack>> {
        #[cfg(feature = "wgpu")]
        driver::install();
        let mut stacks = Vec::new();
        for (machine, _) in Any::device_counts().into_iter().filter(|(_, count)| *count > 0) {
            for (decorators, order, run) in DECORATORS {
                let name = format!("{decorators}{machine}");
                stacks.push(Stack { name, order, machine: machine.parse()?, run });
            }
        }
        let names: Vec<_> = stacks.iter().map(|stack| &stack.name[..]).collect();
        let wanted: Vec<_> = settings.stacks(&names)?.into_iter().map(str::to_string).collect();
        Ok(stacks.into_iter().filter(|stack| wanted.contains(&stack.name)).collect())
    }

    /// What a case gives.
    pub fn run(&self, case: &Case) -> Ran {
        (self.run)(&self.machine, case)
    }
}
