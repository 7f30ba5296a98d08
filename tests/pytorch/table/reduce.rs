//! Along dims: reductions, running functions, order and search.

table! {
    /// Reductions over any dims.
    reduce(a) {
        each amax amin mean sum: (a.dims("dim", "keepdim")?);
    }
}
