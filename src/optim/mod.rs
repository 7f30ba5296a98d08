//! Optimizers: formulas that run in one pass over a parameter, its gradient and what is remembered of it.
//!
//! An optimizer is a [`Rule`], which holds only mathematics, in the frame of a [`Descent`], which finds the
//! parameters, sorts them into groups, and keeps, saves and restores what is remembered of each.
mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod asgd;
mod average;
mod batch;
mod clip;
mod descent;
mod lbfgs;
mod line_search;
pub mod lr_scheduler;
mod muon;
mod nadam;
mod options;
mod parameters;
mod radam;
mod rates;
mod rmsprop;
mod rprop;
mod sgd;
mod state;
mod update_bn;

pub use adadelta::{Adadelta, AdadeltaOptions};
pub use adafactor::{Adafactor, AdafactorOptions};
pub use adagrad::{Adagrad, AdagradOptions};
pub use adam::{Adam, AdamOptions};
pub use adamax::{Adamax, AdamaxOptions};
pub use adamw::{AdamW, AdamWOptions};
pub use asgd::{ASGD, ASGDOptions};
pub use average::{Average, AveragedModel};
pub use batch::Batch;
pub use clip::{ClipOptions, clip_grad_norm, clip_grad_value, grad_norm};
pub use descent::{Descent, Optimizer, Rule};
pub use lbfgs::{LBFGS, LBFGSOptions, LineSearch};
pub use muon::{AdjustLr, Muon, MuonOptions};
pub use nadam::{NAdam, NAdamOptions};
pub use options::Options;
pub use radam::{RAdam, RAdamOptions};
pub use rates::{GroupRates, Rates};
pub use rmsprop::{RMSprop, RMSpropOptions};
pub use rprop::{Rprop, RpropOptions};
pub use sgd::{SGD, SGDOptions};
pub use state::ParamState;
pub use update_bn::update_bn;
