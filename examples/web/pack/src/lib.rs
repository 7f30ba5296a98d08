//! Makes a folder of static files of a crate that runs in the browser, and serves such a folder to this machine.
mod pack;
mod serve;

pub use pack::pack;
pub use serve::serve;
