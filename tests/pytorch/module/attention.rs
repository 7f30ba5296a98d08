//! Attention and transformers.
use super::{Gave, Task, settings};
use crate::pytorch::args::Args;
use crate::pytorch::cases::Value;
use firesteel::nn::*;
use firesteel::{Backend, Error, Result, Tensor};

/// What attends.
pub fn attention<B: Backend>(t: &Task<B>) -> Result<Option<Gave<B>>> {
    let (s, device) = (&t.s, t.device);
    let sizes = || Ok::<_, Error>((s.size("d_model")?, s.size("nhead")?));
    match t.name {
        "MultiheadAttention" => {
            let options = settings!(s, MultiheadOptions {
                bias: bool_or, dropout: float_or, add_bias_kv: bool_or, add_zero_attn: bool_or, batch_first: bool_or;
                kdim: s.opt_size("kdim")?, vdim: s.opt_size("vdim")?,
            });
            let (embed_dim, heads) = (s.size("embed_dim")?, s.size("num_heads")?);
            t.run(MultiheadAttention::with_options(embed_dim, heads, options, device)?, |attention| {
                let masks = masks(t.a, "attn_mask", "key_padding_mask")?;
                let (key, value) = (t.a.tensor(1)?, t.a.tensor(2)?);
                let fused = attention.forward(&t.input()?, &key, &value, masks.refs())?;
                let (y, weights) =
                    attention.forward_with_weights(&t.input()?, &key, &value, masks.refs(), true)?;
                // where the fused way gives something else, no number is right; nothing is read from a GPU for it
                let agree = (fused - &y)?.abs()?.nan_to_num(Default::default())?.amax(..)?.le(1e-5)?;
                Ok(vec![agree.where_(y, f64::NAN)?, weights])
            })
        }
        "Transformer" => {
            let ((d_model, nhead), options) = (sizes()?, options(s)?);
            let (reads, writes) = (s.size("num_encoder_layers")?, s.size("num_decoder_layers")?);
            t.run(Transformer::with_options(d_model, nhead, reads, writes, options, device)?, |net| {
                let (src, tgt) = (
                    masks(t.a, "src_mask", "src_key_padding_mask")?,
                    masks(t.a, "tgt_mask", "tgt_key_padding_mask")?,
                );
                let masks = TransformerMasks { src: src.refs(), tgt: tgt.refs(), ..Default::default() };
                Ok(vec![net.forward(&t.input()?, &t.a.tensor(1)?, masks)?])
            })
        }
        "TransformerDecoderLayer" => {
            let (d_model, nhead) = sizes()?;
            t.run(TransformerDecoderLayer::new(d_model, nhead, options(s)?, device)?, |layer| {
                let own = masks(t.a, "tgt_mask", "tgt_key_padding_mask")?;
                let memory = masks(t.a, "memory_mask", "memory_key_padding_mask")?;
                Ok(vec![layer.forward(&t.input()?, &t.a.tensor(1)?, own.refs(), memory.refs())?])
            })
        }
        "TransformerEncoder" => {
            s.ignore("enable_nested_tensor");
            let Some((_, Value::Module(_, made))) = s.value("encoder_layer") else {
                return Err(Error::value("TransformerEncoder", "there is no layer"));
            };
            let load = |_: &_, _| Err(Error::value("TransformerEncoder", "a layer is made of numbers"));
            let layer = Args::named("TransformerEncoderLayer", made, &load);
            let (d_model, nhead) = (layer.size("d_model")?, layer.size("nhead")?);
            let encoder = TransformerEncoder::new(
                d_model,
                nhead,
                s.size("num_layers")?,
                options::<Tensor<B>>(&layer)?,
                device,
            )?;
            layer.finish()?;
            t.run(encoder, |encoder| {
                let masks = masks(t.a, "mask", "src_key_padding_mask")?;
                Ok(vec![encoder.forward(&t.input()?, masks.refs())?])
            })
        }
        "TransformerEncoderLayer" => {
            let (d_model, nhead) = sizes()?;
            t.run(TransformerEncoderLayer::new(d_model, nhead, options(s)?, device)?, |layer| {
                let masks = masks(t.a, "src_mask", "src_key_padding_mask")?;
                Ok(vec![layer.forward(&t.input()?, masks.refs())?])
            })
        }
        _ => Ok(None),
    }
}

fn options<T: Clone>(s: &Args<T>) -> Result<TransformerOptions> {
    if let Some((_, Value::Function(name))) = s.value("activation") {
        assert_eq!(name, "relu");
    }
    Ok(settings!(s, TransformerOptions {
        dim_feedforward: size_or, dropout: float_or, layer_norm_eps: float_or, batch_first: bool_or,
        norm_first: bool_or, bias: bool_or;
    }))
}

/// The masks of a call.
struct Masks<B: Backend> {
    attn: Option<Tensor<B>>,
    padding: Option<Tensor<B>>,
}

impl<B: Backend> Masks<B> {
    fn refs(&self) -> AttentionMasks<'_, B> {
        let (attn_mask, key_padding_mask) = (self.attn.as_ref(), self.padding.as_ref());
        AttentionMasks { attn_mask, key_padding_mask, is_causal: false }
    }
}

fn masks<B: Backend>(a: &Args<Tensor<B>>, attn: &'static str, padding: &'static str) -> Result<Masks<B>> {
    Ok(Masks { attn: a.opt_tensor(attn)?, padding: a.opt_tensor(padding)? })
}
