//! Losses.
use crate::pytorch::args::Args;
use crate::pytorch::cases::Value;
use firesteel::{
    BinaryCrossEntropyOptions, BinaryCrossEntropyWithLogitsOptions, CrossEntropyOptions, CtcLossOptions,
    Error, GaussianNllLossOptions, HingeEmbeddingLossOptions, HuberLossOptions, KlDivOptions,
    MarginLossOptions, MultiMarginLossOptions, MultilabelSoftMarginLossOptions, NllLossOptions,
    PairwiseDistanceOptions, PoissonNllLossOptions, Reduction, Result, SmoothL1LossOptions,
    TripletMarginLossOptions,
};

/// Options of a loss from the keywords of its fields, each with its default, and the reduction.
macro_rules! options {
    ($a:ident, $options:ident { $($field:ident: $read:ident),* }) => {{
        let default = $options::default();
        $options { $($field: $a.$read(stringify!($field), default.$field)?,)* reduction: reduction($a)?, }
    }};
}

table! {
    /// Of numbers.
    loss(a) in "nn.functional." {
        each cosine_embedding_loss margin_ranking_loss:
            (&a.tensor(1)?, &a.tensor(2)?, options!(a, MarginLossOptions { margin: float_or }));
        each gaussian_nll_loss:
            (&a.tensor(1)?, &a.tensor(2)?, options!(a, GaussianNllLossOptions { full: bool_or, eps: float_or }));
        each hinge_embedding_loss: (&a.tensor(1)?, options!(a, HingeEmbeddingLossOptions { margin: float_or }));
        each huber_loss: (&a.tensor(1)?, options!(a, HuberLossOptions { delta: float_or }));
        each kl_div: (&a.tensor(1)?, options!(a, KlDivOptions { log_target: bool_or }));
        each l1_loss mse_loss multilabel_margin_loss soft_margin_loss: (&a.tensor(1)?, reduction(a)?);
        each poisson_nll_loss:
            (&a.tensor(1)?, options!(a, PoissonNllLossOptions { log_input: bool_or, full: bool_or, eps: float_or }));
        each smooth_l1_loss: (&a.tensor(1)?, options!(a, SmoothL1LossOptions { beta: float_or }));
        each triplet_margin_loss: (&a.tensor(1)?, &a.tensor(2)?, triplet(a)?);
        "triplet_margin_with_distance_loss" => {
            let options = pairwise(a)?;
            let distance = |x: &_, y: &_| firesteel::Tensor::<B>::pairwise_distance(x, y, options);
            a.tensor(0)?.triplet_margin_with_distance_loss(&a.tensor(1)?, &a.tensor(2)?, triplet(a)?, distance)?
        },
    }
}

table! {
    /// Of probabilities and classes.
    classes(a) in "nn.functional." {
        "binary_cross_entropy" => {
            let weight = a.opt_tensor("weight")?;
            let options = BinaryCrossEntropyOptions { weight: weight.as_ref(), reduction: reduction(a)? };
            a.tensor(0)?.binary_cross_entropy(&a.tensor(1)?, options)?
        },
        "binary_cross_entropy_with_logits" => {
            let (weight, pos_weight) = (a.opt_tensor("weight")?, a.opt_tensor("pos_weight")?);
            let (weight, pos_weight) = (weight.as_ref(), pos_weight.as_ref());
            let options = BinaryCrossEntropyWithLogitsOptions { weight, pos_weight, reduction: reduction(a)? };
            a.tensor(0)?.binary_cross_entropy_with_logits(&a.tensor(1)?, options)?
        },
        "cross_entropy" => {
            let weight = a.opt_tensor("weight")?;
            let options = CrossEntropyOptions {
                weight: weight.as_ref(),
                ignore_index: a.int_or("ignore_index", -100)?,
                label_smoothing: a.float_or("label_smoothing", 0.)?,
                reduction: reduction(a)?,
            };
            a.tensor(0)?.cross_entropy(&a.tensor(1)?, options)?
        },
        "ctc_loss" => {
            let (blank, zero_infinity) = (a.size_or("blank", 0)?, a.bool_or("zero_infinity", false)?);
            let options = CtcLossOptions { blank, zero_infinity, reduction: reduction(a)? };
            a.tensor(0)?.ctc_loss(&a.tensor(1)?, &a.sizes(2)?, &a.sizes(3)?, options)?
        },
        "linear_cross_entropy" => {
            let (bias, weight) = (a.opt_tensor("linear_bias")?, a.opt_tensor("weight")?);
            let options =
                CrossEntropyOptions { weight: weight.as_ref(), reduction: reduction(a)?, ..Default::default() };
            a.tensor(0)?.linear_cross_entropy(&a.tensor(1)?, bias.as_ref(), &a.tensor(2)?, options)?
        },
        "multi_margin_loss" => {
            let weight = a.opt_tensor("weight")?;
            let options = MultiMarginLossOptions {
                p: a.size_or("p", 1)? as u32,
                margin: a.float_or("margin", 1.)?,
                weight: weight.as_ref(),
                reduction: reduction(a)?,
            };
            a.tensor(0)?.multi_margin_loss(&a.tensor(1)?, options)?
        },
        "multilabel_soft_margin_loss" => {
            let weight = a.opt_tensor("weight")?;
            let options = MultilabelSoftMarginLossOptions { weight: weight.as_ref(), reduction: reduction(a)? };
            a.tensor(0)?.multilabel_soft_margin_loss(&a.tensor(1)?, options)?
        },
        "nll_loss" => {
            let (weight, ignore_index) = (a.opt_tensor("weight")?, a.int_or("ignore_index", -100)?);
            let options = NllLossOptions { weight: weight.as_ref(), ignore_index, reduction: reduction(a)? };
            a.tensor(0)?.nll_loss(&a.tensor(1)?, options)?
        },
    }
}

fn reduction<T: Clone>(a: &Args<T>) -> Result<Reduction> {
    Ok(match a.opt_str("reduction")? {
        None | Some("mean") => Reduction::Mean,
        Some("sum") => Reduction::Sum,
        Some("batchmean") => Reduction::BatchMean,
        Some("none") => Reduction::None,
        Some(other) => return Err(Error::value("reduction", format!("there is no {other:?}"))),
    })
}

fn triplet<T: Clone>(a: &Args<T>) -> Result<TripletMarginLossOptions> {
    Ok(options!(a, TripletMarginLossOptions { margin: float_or, p: float_or, eps: float_or, swap: bool_or }))
}

/// The settings of the module that is the distance, or those of its default.
fn pairwise<T: Clone>(a: &Args<T>) -> Result<PairwiseDistanceOptions> {
    let mut options = PairwiseDistanceOptions::default();
    let Some((_, Value::Module(_, settings))) = a.value("distance_function") else {
        return Ok(options);
    };
    for setting in settings {
        match (&setting.0[..], &setting.1) {
            ("p", Value::Float(p)) => options.p = *p,
            ("eps", Value::Float(eps)) => options.eps = *eps,
            ("keepdim", Value::Bool(keepdim)) => options.keepdim = *keepdim,
            _ => return Err(Error::value("distance_function", format!("there is no {setting:?}"))),
        }
    }
    Ok(options)
}
