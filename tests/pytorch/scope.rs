//! Which operators count, and in which tier: `scope.tsv` beside the cases.
use super::cases::{Case, Kind};
use std::collections::HashMap;

/// The tier of each operator in scope.
#[derive(Debug)]
pub struct Scope(HashMap<String, u8>);

impl Scope {
    /// The project's own list.
    pub fn own() -> Self {
        Self::parse(include_str!("cases/scope.tsv"))
    }

    fn parse(list: &str) -> Self {
        let entry = |line: &str| {
            let mut columns = line.split('\t');
            Some((columns.next()?.to_string(), columns.next()?.parse().ok()?))
        };
        Self(list.lines().filter_map(entry).collect())
    }

    /// The tier in which a case counts, or nothing where it is out. All but operators are in tier 1.
    pub fn tier(&self, case: &Case) -> Option<u8> {
        if case.kind == Kind::Op { self.0.get(&case.name).copied() } else { Some(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cases::{load, own_folder};
    use super::*;

    #[test]
    fn tiers_hold_as_many_names_and_cases_as_the_oracle_says() {
        let scope = Scope::own();
        let ops = load(&own_folder(), Kind::Op).unwrap();
        let names = |tier| scope.0.values().filter(|t| **t == tier).count();
        let cases = |tier| ops.iter().filter(|c| scope.tier(c) == Some(tier)).count();
        assert_eq!([names(1), names(2), names(3)], [351, 155, 43]);
        assert_eq!([cases(1), cases(2), cases(3)], [3206, 1438, 399]);
    }
}
