//! The stacks that the cases run on: decorators around a machine that is chosen when the program runs.
use super::cases::Case;
use super::run::{self, Ran};
use super::settings::Settings;
use firesteel::{Autodiff, Cpu, Result};

/// The decorators of a stack, how many times it differentiates, and how a case runs on it.
type Decorators = (&'static str, u8, fn(&Cpu, &Case) -> Ran);

const DECORATORS: [Decorators; 3] = [
    ("", 0, |machine, case| run::plain(machine, case)),
    ("autodiff-", 1, |machine, case| run::once(&Autodiff::new(machine.clone()), case)),
    ("autodiff-autodiff-", 2, |machine, case| {
        run::twice(&Autodiff::new(Autodiff::new(machine.clone())), case)
    }),
];

/// The machines, by the name that ends a stack's.
const MACHINES: [(&str, fn() -> Cpu); 1] = [("cpu", Cpu::default)];

/// Runs cases on decorators around a machine.
pub struct Stack {
    /// `autodiff-cpu`
    pub name: String,
    /// How many times it differentiates.
    pub order: u8,
    machine: Cpu,
    run: fn(&Cpu, &Case) -> Ran,
}

impl Stack {
    /// The stacks that are asked for.
    pub fn all(settings: &Settings) -> Result<Vec<Stack>> {
        let on = |(machine, open): (&str, fn() -> Cpu)| {
            DECORATORS.map(|(decorators, order, run)| Stack {
                order,
                name: format!("{decorators}{machine}"),
                machine: open(),
                run,
            })
        };
        let stacks: Vec<_> = MACHINES.into_iter().flat_map(on).collect();
        let names: Vec<_> = stacks.iter().map(|stack| &stack.name[..]).collect();
        let wanted: Vec<_> = settings.stacks(&names)?.into_iter().map(str::to_string).collect();
        Ok(stacks.into_iter().filter(|stack| wanted.contains(&stack.name)).collect())
    }

    /// What a case gives.
    pub fn run(&self, case: &Case) -> Ran {
        (self.run)(&self.machine, case)
    }
}
