//! Losses, and other modules of several inputs.
use super::{Gave, Task, settings};
use firesteel::nn::*;
use firesteel::{Backend, CtcLossOptions, Error, Reduction, Result};

/// Losses by name: how many tensors they take beside the first, and their settings.
macro_rules! by_settings {
    ($t:ident $name:ident: $($loss:ident($($input:literal),*) { $($field:ident: $read:ident),* $(; $($factor:ident),*)? })*) => {
        match $name {
            $(stringify!($loss) => {
                let loss = settings!($t.s, $loss {
                    $($field: $read,)*;
                    reduction: reduction($t)?,
                    $($($factor: $t.s.opt_tensor(stringify!($factor))?.map(Buffer::new),)*)?
                });
                return $t.run(loss, |loss| Ok(vec![loss.forward(&$t.input()?, $(&$t.a.tensor($input)?),*)?]));
            })*
            _ => (),
        }
    };
}

/// Of a prediction and what it should be.
pub fn loss<B: Backend>(t: &Task<B>) -> Result<Option<Gave<B>>> {
    let (s, name, device) = (&t.s, t.name, t.device);
    by_settings! { t name:
        BCELoss(1) { ; weight }
        BCEWithLogitsLoss(1) { ; weight, pos_weight }
        CosineEmbeddingLoss(1, 2) { margin: float_or }
        CrossEntropyLoss(1) { ignore_index: int_or, label_smoothing: float_or; weight }
        GaussianNLLLoss(1, 2) { full: bool_or, eps: float_or }
        HingeEmbeddingLoss(1) { margin: float_or }
        HuberLoss(1) { delta: float_or }
        KLDivLoss(1) { log_target: bool_or }
        L1Loss(1) {}
        MSELoss(1) {}
        MarginRankingLoss(1, 2) { margin: float_or }
        MultiLabelMarginLoss(1) {}
        MultiLabelSoftMarginLoss(1) { ; weight }
        NLLLoss(1) { ignore_index: int_or; weight }
        PoissonNLLLoss(1) { log_input: bool_or, full: bool_or, eps: float_or }
        SmoothL1Loss(1) { beta: float_or }
        SoftMarginLoss(1) {}
    }
    match name {
        "Bilinear" => {
            let sizes = [s.size("in1_features")?, s.size("in2_features")?, s.size("out_features")?];
            let layer = Bilinear::new(sizes[0], sizes[1], sizes[2], device)?;
            let layer = if s.bool_or("bias", true)? { layer } else { layer.without_bias() };
            t.run(layer, |layer| Ok(vec![layer.forward(&t.input()?, &t.a.tensor(1)?)?]))
        }
        "CTCLoss" => {
            let options = settings!(s, CtcLossOptions { blank: size_or, zero_infinity: bool_or; reduction: reduction(t)?, });
            t.run(CTCLoss::new(options), |loss| {
                let (inputs, targets) = (t.a.sizes(2)?, t.a.sizes(3)?);
                Ok(vec![loss.forward(&t.input()?, &t.a.tensor(1)?, &inputs, &targets)?])
            })
        }
        "LinearCrossEntropyLoss" => {
            ["options", "ignore_index", "weight", "out_features", "dtype"]
                .into_iter()
                .for_each(|none| s.ignore(none));
            let loss = LinearCrossEntropyLoss::new(s.size("in_features")?, s.size("num_classes")?, device)?;
            let (label_smoothing, reduction) = (s.float("label_smoothing")?, reduction(t)?);
            let loss = LinearCrossEntropyLoss { label_smoothing, reduction, ..loss };
            t.run(loss, |loss| Ok(vec![loss.forward(&t.input()?, &t.a.tensor(1)?)?]))
        }
        "MultiMarginLoss" => {
            let loss = MultiMarginLoss::<B> {
                p: s.size_or("p", 1)? as u32,
                margin: s.float_or("margin", 1.)?,
                weight: s.opt_tensor("weight")?.map(Buffer::new),
                reduction: reduction(t)?,
            };
            t.run(loss, |loss| Ok(vec![loss.forward(&t.input()?, &t.a.tensor(1)?)?]))
        }
        _ => Ok(None),
    }
}

fn reduction<B: Backend>(t: &Task<B>) -> Result<Reduction> {
    Ok(match t.s.opt_str("reduction")? {
        None | Some("mean") => Reduction::Mean,
        Some("sum") => Reduction::Sum,
        Some("batchmean") => Reduction::BatchMean,
        Some("none") => Reduction::None,
        Some(other) => return Err(Error::value("reduction", format!("there is no {other:?}"))),
    })
}
