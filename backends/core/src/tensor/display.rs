//! Tensors in print, as PyTorch prints them.
use crate::{Backend, Tensor};
use std::fmt;

impl<B: Backend> fmt::Debug for Tensor<B> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Tensor({}, {})", self.meta(), self.device())
    }
}
