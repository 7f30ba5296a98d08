//! Picked out and written by indices and masks.

table! {
    /// By indices.
    index(a) {
        each gather: (a.dim(1)?, &a.tensor(2)?);
        each index_copy scatter_add: (a.dim(1)?, &a.tensor(2)?, &a.tensor(3)?);
        each index_fill: (a.dim(1)?, &a.tensor(2)?, a.operand(3)?);
        each index_select: (a.dim(1)?, &a.tensor(2)?);
        each masked_fill: (&a.tensor(1)?, a.operand(2)?);
        each masked_scatter: (&a.tensor(1)?, &a.tensor(2)?);
        each masked_select: (&a.tensor(1)?);
        each argwhere: ();
    }
}
