//! Attention, embeddings and dropout.
use crate::pytorch::args::Args;
use firesteel::{
    AttentionOptions, BagMode, DropoutOptions, EmbeddingBagOptions, EmbeddingOptions, InProjection,
    MultiHeadAttentionOptions, Result,
};

table! {
    /// Attention.
    attention(a) in "nn.functional." {
        "multi_head_attention_forward" => {
            a.ignore(3);
            for name in ["q_proj_weight", "k_proj_weight", "v_proj_weight", "use_separate_proj_weight"] {
                a.ignore(name);
            }
            let [weight, bias, key_row, value_row, out, out_bias] =
                [a.tensor(5)?, a.tensor(6)?, a.tensor(7)?, a.tensor(8)?, a.tensor(11)?, a.tensor(12)?];
            let mask = a.opt_tensor("attn_mask")?;
            let options = MultiHeadAttentionOptions {
                in_proj_bias: Some(&bias),
                bias_kv: Some((&key_row, &value_row)),
                add_zero_attn: a.bool(9)?,
                dropout_p: a.float(10)?,
                out_proj_bias: Some(&out_bias),
                training: a.bool("training")?,
                attn_mask: mask.as_ref(),
                ..MultiHeadAttentionOptions::new(a.size(4)?, InProjection::Packed(&weight), &out)
            };
            let (y, weights) = a.tensor(0)?.multi_head_attention_forward(&a.tensor(1)?, &a.tensor(2)?, options)?;
            [Some(y), weights].into_iter().flatten().collect::<Vec<_>>()
        },
        "scaled_dot_product_attention" => {
            let mask = a.opt_tensor("attn_mask")?;
            let options = AttentionOptions {
                mask: mask.as_ref(),
                dropout_p: a.float_or("dropout_p", 0.)?,
                is_causal: a.bool_or("is_causal", false)?,
                scale: a.opt_float("scale")?,
                enable_gqa: a.bool_or("enable_gqa", false)?,
            };
            a.tensor(0)?.scaled_dot_product_attention(&a.tensor(1)?, &a.tensor(2)?, options)?
        },
    }
}

table! {
    /// Rows picked by number.
    embedding(a) in "nn.functional." {
        "embedding" => {
            let options = EmbeddingOptions { padding_idx: a.opt_dim("padding_idx")?, ..Default::default() };
            a.tensor(1)?.embedding(&a.tensor(0)?, options)?
        },
        "embedding_bag" => {
            let (offsets, weights) = (a.opt_tensor("offsets")?, a.opt_tensor("per_sample_weights")?);
            let mode = match a.opt_str("mode")? {
                Some("sum") => BagMode::Sum,
                Some("max") => BagMode::Max,
                _ => BagMode::Mean,
            };
            let options = EmbeddingBagOptions {
                offsets: offsets.as_ref(),
                mode,
                per_sample_weights: weights.as_ref(),
                padding_idx: a.opt_dim("padding_idx")?,
                ..Default::default()
            };
            a.tensor(1)?.embedding_bag(&a.tensor(0)?, options)?
        },
        "one_hot" => a.tensor(0)?.one_hot(usize::try_from(a.int_or("num_classes", -1)?).ok())?,
    }
}

table! {
    /// What is left out at random.
    dropout(a) in "nn.functional." {
        each alpha_dropout dropout dropout2d dropout3d feature_alpha_dropout: (dropout_options(a)?);
    }
}

fn dropout_options<T: Clone>(a: &Args<T>) -> Result<DropoutOptions> {
    Ok(DropoutOptions { p: a.float_or("p", 0.5)?, training: a.bool_or("training", true)? })
}
