//! A driver for tests that need a GPU.
#[path = "apt.rs"]
mod apt;

/// Installs Mesa's driver, which computes on the processor, where no Vulkan driver is, as far as that is allowed. A machine
/// that then has none fails the tests: they need one.
pub fn install() {
    let has_driver = |folder: &str| {
        std::fs::read_dir(folder).is_ok_and(|mut files| {
            files.any(|file| file.is_ok_and(|file| file.path().extension().is_some_and(|e| e == "json")))
        })
    };
    let folders = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d"];
    if !cfg!(target_os = "linux") || folders.into_iter().any(has_driver) {
        return;
    }
    apt::install(&["mesa-vulkan-drivers"]);
}
