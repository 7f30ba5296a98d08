//! A user's gradient, written down once for all backends.
use super::written::Derivative;
use firesteel_core::{CustomOp, Error, Meta, Metas, Result, Tensor, Trace};

/// The gradient that the operation declares by the operands that want one, or nothing: then its decomposition
/// is differentiated.
pub(super) fn derivative(
    op: &dyn CustomOp,
    xs: &[Meta],
    ys: &Metas,
    wants: &[bool],
) -> Result<Option<Derivative>> {
    let trace = Trace::default();
    let symbols = |metas: &mut dyn Iterator<Item = &Meta>| -> Result<Vec<Tensor<Trace>>> {
        metas.map(|meta| trace.input(meta)).collect()
    };
    let sx = symbols(&mut xs.iter())?;
    let (sy, sg) = (symbols(&mut ys.iter())?, symbols(&mut ys.iter())?);
    let Some(mut gradients) = op.gradient(&sx, &sy, &sg)? else {
        return Ok(None);
    };
    if gradients.len() != xs.len() {
        let why = format!("its gradient gives {} for {} operands", gradients.len(), xs.len());
        return Err(Error::gradient(op.name(), why));
    }
    for ((gradient, x), &wanted) in gradients.iter_mut().zip(xs).zip(wants) {
        gradient.take_if(|_| !wanted);
        if let Some(g) = gradient.as_ref().filter(|g| g.meta() != x) {
            let why = format!("its gradient gives {} for an operand {x}", g.meta());
            return Err(Error::gradient(op.name(), why));
        }
    }
    let has = gradients.iter().map(Option::is_some).collect();
    let program = trace.finish(&gradients.iter().flatten().collect::<Vec<_>>())?;
    Derivative::new(&program, has).map(Some)
}
