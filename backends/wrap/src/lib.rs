//! The decorators.
