//! Normalisations and distances.
use super::shape;
use crate::pytorch::args::Args;
use firesteel::{
    BatchNormOptions, CosineSimilarityOptions, InstanceNormOptions, LocalResponseNormOptions,
    NormalizeOptions, PairwiseDistanceOptions, Result,
};

table! {
    /// To mean 0 and variance 1, and the like.
    norm(a) in "nn.functional." {
        each group_norm: (a.size(1)?, a.opt_tensor("weight")?.as_ref(), a.opt_tensor("bias")?.as_ref(), a.float_or("eps", 1e-5)?);
        each layer_norm: (shape(a, 1)?, a.opt_tensor(2)?.as_ref(), a.opt_tensor(3)?.as_ref(), a.float_or("eps", 1e-5)?);
        each local_response_norm: (a.size(1)?, local_options(a)?);
        each rms_norm: (shape(a, 1)?, a.opt_tensor(2)?.as_ref(), a.opt_float("eps")?);
        "batch_norm" => {
            let (mean, var) = (a.opt_tensor(1)?, a.opt_tensor(2)?);
            let (weight, bias) = (a.opt_tensor(3)?, a.opt_tensor(4)?);
            let default = BatchNormOptions::<B>::default();
            let options = BatchNormOptions {
                running: mean.as_ref().zip(var.as_ref()),
                weight: weight.as_ref(),
                bias: bias.as_ref(),
                training: a.bool_or("training", default.training)?,
                momentum: a.float_or("momentum", default.momentum)?,
                eps: a.float_or("eps", default.eps)?,
            };
            a.tensor(0)?.batch_norm(options)?.output
        },
        "instance_norm" => {
            let (mean, var) = (a.opt_tensor("running_mean")?, a.opt_tensor("running_var")?);
            let (weight, bias) = (a.opt_tensor("weight")?, a.opt_tensor("bias")?);
            let default = InstanceNormOptions::<B>::default();
            let options = InstanceNormOptions {
                running: mean.as_ref().zip(var.as_ref()),
                weight: weight.as_ref(),
                bias: bias.as_ref(),
                use_input_stats: a.bool_or("use_input_stats", default.use_input_stats)?,
                momentum: a.float_or("momentum", default.momentum)?,
                eps: a.float_or("eps", default.eps)?,
            };
            a.tensor(0)?.instance_norm(options)?.output
        },
    }
}

table! {
    /// Lengths, and distances between vectors.
    distance(a) in "nn.functional." {
        each cosine_similarity: (&a.tensor(1)?, cosine_options(a)?);
        each normalize: (normalize_options(a)?);
        each pairwise_distance: (&a.tensor(1)?, pairwise_options(a)?);
        each pdist: (a.float_or("p", 2.)?);
    }
}

table! {
    /// Between all, and within a bound.
    bound(a) {
        each renorm: (a.float(1)?, a.dim(2)?, a.float(3)?);
        "cdist" => {
            // ours chooses the way by itself
            a.ignore(3);
            a.tensor(0)?.cdist(&a.tensor(1)?, a.float(2)?)?
        },
    }
}

fn local_options<T: Clone>(a: &Args<T>) -> Result<LocalResponseNormOptions> {
    let default = LocalResponseNormOptions::default();
    Ok(LocalResponseNormOptions {
        alpha: a.float_or("alpha", default.alpha)?,
        beta: a.float_or("beta", default.beta)?,
        k: a.float_or("k", default.k)?,
    })
}

fn cosine_options<T: Clone>(a: &Args<T>) -> Result<CosineSimilarityOptions> {
    let default = CosineSimilarityOptions::default();
    Ok(CosineSimilarityOptions { dim: a.dim_or("dim", default.dim)?, eps: a.float_or("eps", default.eps)? })
}

fn normalize_options<T: Clone>(a: &Args<T>) -> Result<NormalizeOptions> {
    let default = NormalizeOptions::default();
    Ok(NormalizeOptions {
        p: a.float_or("p", default.p)?,
        dim: a.dim_or("dim", default.dim)?,
        eps: a.float_or("eps", default.eps)?,
    })
}

fn pairwise_options<T: Clone>(a: &Args<T>) -> Result<PairwiseDistanceOptions> {
    let default = PairwiseDistanceOptions::default();
    Ok(PairwiseDistanceOptions {
        p: a.float_or("p", default.p)?,
        eps: a.float_or("eps", default.eps)?,
        keepdim: a.bool_or("keepdim", default.keepdim)?,
    })
}
