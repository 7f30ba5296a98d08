//! The running statistics of averaged models.
use crate::{
    Backend, Result,
    nn::{BatchNorm1d, BatchNorm2d, BatchNorm3d, Leaf, Module},
    no_grad,
};

/// Gives the batch norms of a model the statistics that these batches have with its weights: those of a model whose
/// weights are averages are of none of the models that it is an average of.
/// <https://docs.pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.update_bn>
///
/// ```
/// use firesteel::{nn::{BatchNorm1d, Linear, Sequential}, optim::{AveragedModel, update_bn}, prelude::*};
/// let model = Sequential((Linear::new(4, 3, &Cpu)?, BatchNorm1d::new(3, &Cpu)?));
/// let mut averaged = AveragedModel::swa(&model)?;
/// let batches = [Tensor::randn([16, 4], &Cpu)?, Tensor::randn([16, 4], &Cpu)?];
/// update_bn(averaged.module_mut(), &batches, |model, x| model.forward(x).map(drop))?;
/// let norm = &averaged.module().0.1;
/// assert_eq!(norm.num_batches_tracked.as_ref().map(|n| n.get().item::<i64>()).transpose()?, Some(2));
/// # Ok::<(), firesteel::Error>(())
/// ```
pub fn update_bn<B: Backend, M: Module<B>, T>(
    model: &mut M,
    batches: impl IntoIterator<Item = T>,
    mut forward: impl FnMut(&M, T) -> Result<()>,
) -> Result<()> {
    let mut momenta = vec![];
    each_momentum::<B, M>(model, true, &mut |momentum| momenta.push(momentum.take()))?;
    let mut modes = vec![];
    model.read(|_, leaf| {
        if let Leaf::Mode(mode) = leaf {
            modes.push((mode.training(), mode));
        }
    });
    model.train();
    let done = no_grad(|| batches.into_iter().try_for_each(|batch| forward(model, batch)));
    modes.into_iter().for_each(|(training, mode)| mode.set(training));
    let mut momenta = momenta.into_iter();
    each_momentum::<B, M>(model, false, &mut |momentum| *momentum = momenta.next().flatten())?;
    done
}

/// Calls `change` with the momentum of each batch norm, whose statistics are set back where `reset` says so. Without a
/// momentum they are plain averages.
fn each_momentum<B: Backend, M: Module<B>>(
    model: &mut M,
    reset: bool,
    change: &mut dyn FnMut(&mut Option<f64>),
) -> Result<()> {
    macro_rules! each {
        ($($norm:ident)*) => {$(
            model.apply::<$norm<B>>(|norm| {
                change(&mut norm.momentum);
                if reset { norm.reset_running_stats() } else { Ok(()) }
            })?;
        )*};
    }
    each! { BatchNorm1d BatchNorm2d BatchNorm3d }
    Ok(())
}
