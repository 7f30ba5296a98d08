//! What tests need and a machine may lack.
use std::process::Command;

/// Installs packages, as far as that is allowed; fails where it is not.
#[track_caller]
pub fn install(packages: &[&str]) {
    for arguments in [&["update"][..], &[&["install", "-y"], packages].concat()] {
        let done = Command::new("apt-get").args(arguments).status();
        assert!(done.is_ok_and(|status| status.success()), "this test needs {packages:?}: install them");
    }
}
