//! What the environment asks of a run.
use super::cases::own_folder;
use firesteel_core::{Error, Result};
use regex::Regex;
use std::env;
use std::path::PathBuf;

/// What to run, and what to write.
#[derive(Debug)]
pub struct Settings {
    /// `PYTORCH_CASES`: another export than the project's own, whose failures are reported only.
    pub cases: Option<PathBuf>,
    /// `PYTORCH_BACKENDS`: the stacks, or all.
    pub backends: Option<Vec<String>>,
    /// `PYTORCH_ONLY`: what an id has to match.
    pub only: Option<Regex>,
    /// `PYTORCH_DUMP`: where to write what each case gave.
    pub dump: Option<PathBuf>,
}

impl Settings {
    /// Reads the environment.
    pub fn from_env() -> Result<Self> {
        Self::read(|name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let regex = |s: String| Regex::new(&s).map_err(|e| Error::value("PYTORCH_ONLY", e.to_string()));
        let names = |list: String| list.split(',').map(|name| name.trim().to_string()).collect();
        Ok(Self {
            cases: get("PYTORCH_CASES").map(PathBuf::from),
            backends: get("PYTORCH_BACKENDS").map(names),
            only: get("PYTORCH_ONLY").map(regex).transpose()?,
            dump: get("PYTORCH_DUMP").map(PathBuf::from),
        })
    }

    /// Where the cases are.
    pub fn folder(&self) -> PathBuf {
        self.cases.clone().unwrap_or_else(own_folder)
    }

    /// Whether to run the case of this id.
    pub fn wants(&self, id: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.is_match(id))
    }

    /// Those of the stacks that were asked for, or why one cannot be had.
    pub fn stacks<'a>(&self, all: &[&'a str]) -> Result<Vec<&'a str>> {
        let Some(names) = &self.backends else {
            return Ok(all.to_vec());
        };
        let find = |name: &String| {
            all.iter().find(|stack| *stack == name).copied().ok_or_else(|| {
                Error::value("PYTORCH_BACKENDS", format!("{name:?} is not one of {}", all.join(", ")))
            })
        };
        names.iter().map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_read() {
        let settings = Settings::read(|name| match name {
            "PYTORCH_BACKENDS" => Some("cpu, autodiff-cpu".into()),
            "PYTORCH_ONLY" => Some("^abs/".into()),
            _ => None,
        });
        let settings = settings.unwrap();
        assert!(settings.wants("abs/0") && !settings.wants("nn.abs/0"));
        assert_eq!(settings.stacks(&["cpu", "wgpu", "autodiff-cpu"]).unwrap(), ["cpu", "autodiff-cpu"]);
        assert!(settings.stacks(&["cpu"]).is_err());
        assert_eq!(settings.folder(), own_folder());
        assert!(Settings::read(|_| Some("(".into())).is_err());
    }
}
