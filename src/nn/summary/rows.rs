//! Operations sorted into layers, by the parameters that they read.
use super::{Row, sketch::Line};
use std::collections::{HashMap, HashSet};

/// The rows of a summary. `owners` knows the modules of parameters and buffers by their numbers, and `sizes` how many
/// numbers each module learns.
pub fn of(lines: &[Line], owners: HashMap<usize, String>, sizes: HashMap<String, usize>) -> Vec<Row> {
    let mut sorter = Sorter { owners, sizes, constants: HashSet::new(), rows: vec![], made: None };
    lines.iter().for_each(|line| sorter.read(line));
    sorter.rows.into_iter().map(|(_, row)| row).collect()
}

/// Rows as they come about, operation by operation.
struct Sorter {
    owners: HashMap<usize, String>,
    sizes: HashMap<String, usize>,
    /// The numbers of values that are made from nothing.
    constants: HashSet<usize>,
    /// With the module that a row is of.
    rows: Vec<(Option<String>, Row)>,
    /// The number of the last value that a module made.
    made: Option<usize>,
}

impl Sorter {
    fn read(&mut self, line: &Line) {
        if line.operands.is_empty() {
            self.constants.extend(line.results.clone());
            return;
        }
        let owner = line.operands.iter().find_map(|operand| self.owners.get(operand)).cloned();
        let Some(owner) = owner else {
            return self.read_between(line);
        };
        // what is made of parameters and constants alone counts as a parameter, and so do results beside the first,
        // as the mean of a batch
        let is_own = line.operands.iter().all(|x| self.owners.contains_key(x) || self.constants.contains(x));
        let own = line.results.clone().skip(usize::from(!is_own));
        self.owners.extend(own.map(|result| (result, owner.clone())));
        if !is_own {
            self.made = Some(line.results.start);
            self.read_of(owner, line);
        }
    }

    /// An operation that reads no parameters.
    fn read_between(&mut self, line: &Line) {
        if line.is_arithmetic {
            self.rows.push((None, line.row(line.name.to_owned(), 0)));
        } else if let Some((Some(_), row)) = self.rows.last_mut() {
            // a layer that makes rows of what comes in gives what goes out its dims back
            let follows = self.made == line.operands.first().copied();
            if follows && line.output.rank() > row.output.rank() {
                row.output = line.output.clone();
            }
        }
    }

    /// An operation that reads parameters of this module.
    fn read_of(&mut self, owner: String, line: &Line) {
        let last = self.rows.iter().rposition(|(other, _)| other.is_some());
        match last.filter(|&i| self.rows[i].0.as_ref() == Some(&owner)) {
            // what stands between two operations of a layer is a part of it
            Some(i) => {
                let between = self.rows.drain(i + 1..).map(|(_, row)| row.flops).fold(0, u64::saturating_add);
                let row = &mut self.rows[i].1;
                row.output = line.output.clone();
                row.flops = row.flops.saturating_add(between).saturating_add(line.flops);
            }
            None => {
                let parameters = self.sizes.remove(&owner).unwrap_or(0);
                self.rows.push((Some(owner.clone()), line.row(owner, parameters)));
            }
        }
    }
}

impl Line {
    fn row(&self, name: String, parameters: usize) -> Row {
        Row { name, output: self.output.clone(), parameters, flops: self.flops }
    }
}
