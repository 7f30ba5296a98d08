//! Whether operations are remembered on this thread.
use std::cell::Cell;

thread_local!(static RECORDING: Cell<bool> = const { Cell::new(true) });

/// Whether operations are remembered on this thread, so that gradients can be computed.
///
/// ```
/// use firesteel::{is_grad_enabled, no_grad};
/// assert!(is_grad_enabled() && !no_grad(is_grad_enabled));
/// ```
pub fn is_grad_enabled() -> bool {
    RECORDING.get()
}

/// Runs `f` without remembering anything on this thread, as evaluation and optimizers do.
/// <https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html>
///
/// ```
/// use firesteel::{no_grad, prelude::*};
/// let device = Autodiff::new(Cpu::default());
/// let x = Tensor::new([1.0, 2.0], &device)?.requires_grad()?;
/// assert!((&x * 2.0)?.is_tracked());
/// assert!(!no_grad(|| &x * 2.0)?.is_tracked());
/// # Ok::<(), firesteel::Error>(())
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    recording(false, f)
}

/// Runs `f` remembering operations, also inside of a [`no_grad`].
/// <https://docs.pytorch.org/docs/stable/generated/torch.enable_grad.html>
///
/// ```
/// use firesteel::{enable_grad, is_grad_enabled, no_grad};
/// assert!(no_grad(|| enable_grad(is_grad_enabled)));
/// ```
pub fn enable_grad<R>(f: impl FnOnce() -> R) -> R {
    recording(true, f)
}

fn recording<R>(on: bool, f: impl FnOnce() -> R) -> R {
    /// Puts the mode back, also where `f` unwinds.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RECORDING.set(self.0);
        }
    }
    let _restore = Restore(RECORDING.replace(on));
    f()
}
