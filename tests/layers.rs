//! Modules, or uses of them, that PyTorch's own database has no cases of: `tests/torch/layers.py` recorded them.
use firesteel::nn::rnn::{PadOptions, pack_padded_sequence, pad_packed_sequence};
use firesteel::nn::*;
use firesteel::{
    BagMode, ConvOptions, ConvPadding, ConvTransposeOptions, Cpu, Error, InterpolateMode, IstftOptions,
    LocalResponseNormOptions, MaxUnpoolOptions, PadMode, PairwiseDistanceOptions, Result, StftOptions,
    Symmetry, Tensor, Window,
};
use serde_json::Value;

type T = Tensor<Cpu>;

/// The same numbers as in Python.
fn wave(shape: &[usize], seed: f64) -> Result<T> {
    let count = shape.iter().product::<usize>();
    let numbers: Vec<f32> = (0..count).map(|i| ((i as f64 * 0.7 + seed).sin() * 0.5) as f32).collect();
    Tensor::new(numbers, &Cpu)?.reshape(shape)
}

/// The module with the parameters that it has in Python, in evaluation.
fn filled<M: Module<Cpu>>(mut module: M) -> Result<M> {
    module.visit_mut("", &mut |path, leaf| {
        if let LeafMut::Param(param) = leaf {
            let seed = path.bytes().map(u64::from).sum::<u64>() % 97;
            param.set(&wave(param.shape(), seed as f64)?)?;
        }
        Ok(())
    })?;
    module.eval();
    Ok(module)
}

/// Holds results against what was recorded under a name.
fn check(name: &str, results: &[T]) -> Result<()> {
    let recorded: Value = serde_json::from_str(include_str!("torch/layers.json"))
        .map_err(|e| Error::format("layers.json", e.to_string()))?;
    let [shapes, numbers] = [0, 1].map(|i| recorded[name][i].as_array().cloned().unwrap_or_default());
    let mut got = vec![];
    for (result, shape) in results.iter().zip(&shapes) {
        assert_eq!(format!("{:?}", &result.shape()[..]).replace(' ', ""), shape.to_string(), "{name}");
        got.extend(result.to_vec::<f32>()?);
    }
    assert_eq!((shapes.len(), numbers.len()), (results.len(), got.len()), "{name}");
    for (i, (got, want)) in got.iter().zip(&numbers).enumerate() {
        let want = want.as_f64().unwrap_or(f64::NAN) as f32;
        assert!((got - want).abs() <= 1e-5 + 1e-5 * want.abs(), "{name}: {got} is not {want} at {i}");
    }
    Ok(())
}

fn image() -> Result<T> {
    wave(&[2, 4, 5, 6], 1.)
}

fn sequence() -> Result<T> {
    wave(&[2, 3, 7], 2.)
}

#[test]
fn convolutions_pad_in_each_mode() -> Result<()> {
    let modes =
        [("reflect", PadMode::Reflect), ("replicate", PadMode::Replicate), ("circular", PadMode::Circular)];
    for (name, mode) in modes {
        let options = ConvOptions { padding: [1, 2].into(), ..Default::default() };
        let conv = Conv2d::with_options(4, 2, 3, options, &Cpu)?.padding_mode(mode);
        check(&format!("conv_{name}"), &[filled(conv)?.forward(&image()?)?])?;
        let options = ConvOptions { padding: ConvPadding::Same, ..Default::default() };
        let conv = Conv1d::with_options(3, 2, 4, options, &Cpu)?.padding_mode(mode);
        check(&format!("conv_same_{name}"), &[filled(conv)?.forward(&sequence()?)?])?;
    }
    Ok(())
}

#[test]
fn a_transposed_convolution_makes_a_size() -> Result<()> {
    let options = ConvTransposeOptions { stride: 3.into(), padding: 1.into(), ..Default::default() };
    let conv = filled(ConvTranspose2d::with_options(4, 2, 3, options, &Cpu)?)?;
    check("conv_transpose_size", &[conv.forward_to(&image()?, [14, 18])?])?;
    for size in [[12, 18], [16, 18], [14, 19]] {
        assert!(conv.forward_to(&image()?, size).is_err());
    }
    Ok(())
}

#[test]
fn layers_of_one_tensor() -> Result<()> {
    let options = LocalResponseNormOptions { alpha: 0.1, beta: 0.6, k: 1.5 };
    let norms = [CrossMapLRN2d::new(3).options(options), CrossMapLRN2d::new(4)];
    let narrow = image()?.narrow(1, 0, 2)?;
    check("cross_map_lrn", &[norms[0].forward(&narrow)?, norms[1].forward(&narrow)?])?;
    let rrelu = RReLU { lower: 0.2, upper: 0.7, ..Default::default() };
    check("rrelu", &[filled(rrelu)?.forward(&sequence()?)?])?;
    let upsample = Upsample::new(1.5).options(InterpolateMode::Bilinear);
    let corners = UpsamplingBilinear2d::new(8);
    check("upsample", &[upsample.forward(&image()?)?, corners.forward(&image()?)?])?;
    let patches = Unfold::new(2).forward(&image()?.narrow(2, 0, 4)?.narrow(3, 0, 5)?)?;
    check("fold", &[Fold::new([4, 5], 2).forward(&patches)?])
}

#[test]
fn what_was_pooled_goes_back() -> Result<()> {
    let (y, places) = MaxPool2d::new(2).forward_with_indices(&image()?)?;
    let options = MaxUnpoolOptions { output_size: Some([5, 6].into()), ..Default::default() };
    check("max_unpool", &[MaxUnpool2d::with_options(2, options).forward(&y, &places)?])
}

#[test]
fn distances() -> Result<()> {
    let (image, sequence) = (image()?, sequence()?);
    let p3 = PairwiseDistance::new(PairwiseDistanceOptions { p: 3., ..Default::default() });
    let cosine = CosineSimilarity::default().forward(&image, &image.flip(0)?)?;
    check("distances", &[cosine, p3.forward(&sequence, &sequence.flip(0)?)?])?;
    let part = |i: i64, j: i64| image.select(0, i)?.select(0, j);
    let loss = TripletMarginLoss { p: 1., swap: true, ..Default::default() };
    check("triplet", &[loss.forward(&part(0, 0)?, &part(0, 1)?, &part(1, 0)?)?])
}

#[test]
fn bags_of_embeddings() -> Result<()> {
    let indices = Tensor::new([1, 2, 4, 5, 4, 3, 2, 9], &Cpu)?;
    let offsets = Tensor::new([0, 3, 3, 5], &Cpu)?;
    for (name, mode) in [("sum", BagMode::Sum), ("mean", BagMode::Mean), ("max", BagMode::Max)] {
        let bag = filled(EmbeddingBag::new(10, 3, &Cpu)?.mode(mode))?;
        check(&format!("bag_{name}"), &[bag.forward_offsets(&indices, &offsets, None)?])?;
    }
    let bag = filled(EmbeddingBag::new(10, 3, &Cpu)?.mode(BagMode::Sum))?;
    check("bag_weights", &[bag.forward_offsets(&indices, &offsets, Some(&wave(&[8], 3.)?))?])
}

#[test]
fn a_softmax_in_clusters() -> Result<()> {
    let layer = filled(AdaptiveLogSoftmaxWithLoss::with_div_value(6, 10, &[3, 6], 2., &Cpu)?)?;
    let x = wave(&[4, 6], 4.)?;
    let AdaptiveLogSoftmaxOutput { output, loss } = layer.forward(&x, &Tensor::new([0, 4, 9, 2], &Cpu)?)?;
    check("adaptive", &[output, loss, layer.log_prob(&x)?])
}

#[test]
fn attention_of_other_features() -> Result<()> {
    let options = MultiheadOptions { kdim: Some(3), vdim: Some(4), batch_first: true, ..Default::default() };
    let attention = filled(MultiheadAttention::with_options(6, 2, options, &Cpu)?)?;
    let (q, k, v) = (wave(&[2, 3, 6], 5.)?, wave(&[2, 4, 3], 6.)?, wave(&[2, 4, 4], 7.)?);
    let (y, mean) = attention.forward_with_weights(&q, &k, &v, AttentionMasks::default(), true)?;
    let (_, each) = attention.forward_with_weights(&q, &k, &v, AttentionMasks::default(), false)?;
    check("attention_separate", &[y, mean, each])
}

#[test]
fn a_decoder_that_does_not_look_ahead() -> Result<()> {
    let activation = FeedForwardActivation::GELU;
    let options =
        TransformerOptions { dim_feedforward: 8, activation, batch_first: true, ..Default::default() };
    let mut decoder = TransformerDecoder::new(6, 2, 2, options, &Cpu)?;
    decoder.norm = Some(LayerNorm::new(6, &Cpu)?);
    let decoder = filled(decoder)?;
    let (target, memory) = (wave(&[2, 3, 6], 5.)?, wave(&[2, 5, 6], 8.)?);
    let causal = AttentionMasks { is_causal: true, ..Default::default() };
    check("decoder_gelu", &[decoder.forward(&target, &memory, causal, AttentionMasks::default())?])?;
    let mask = Transformer::generate_square_subsequent_mask(3, &Cpu)?;
    let masked = AttentionMasks { attn_mask: Some(&mask), ..Default::default() };
    check("decoder_gelu", &[decoder.forward(&target, &memory, masked, AttentionMasks::default())?])
}

#[test]
fn a_net_over_packed_sequences() -> Result<()> {
    let pad = PadOptions { batch_first: true, ..Default::default() };
    let packed = pack_padded_sequence(&wave(&[3, 5, 4], 9.)?, &[2, 5, 3], pad)?;
    let options = RnnOptions { num_layers: 2, bidirectional: true, ..Default::default() };
    let (y, h) = filled(GRU::with_options(4, 3, options, &Cpu)?)?.forward_packed(&packed, None)?;
    check("gru_packed", &[pad_packed_sequence(&y, PadOptions::default())?.0, h])
}

#[test]
fn containers_and_nets_are_printed_as_pytorch_prints_them() -> Result<()> {
    let options = RnnOptions { num_layers: 2, batch_first: true, ..Default::default() };
    let net: ModuleDict<_> = [("rnn", LSTM::with_options(4, 6, options, &Cpu)?)].into_iter().collect();
    assert_eq!(format!("{net:?}"), "ModuleDict(\n  (rnn): LSTM(4, 6, num_layers=2, batch_first=true)\n)");
    let net = Sequential(vec![ReLU, ReLU]);
    assert_eq!(format!("{net:?}"), "Sequential(\n  (0-1): 2 x ReLU()\n)");
    Ok(())
}

#[test]
fn signals_are_made_of_spectra() -> Result<()> {
    let signal = wave(&[2, 40], 5.)?;
    let windows = [8, 6].map(|n| Tensor::window(n, Window::Hann, Symmetry::Periodic, &Cpu));
    let [hann, short] = windows;
    let (hann, short) = (hann?, short?);
    type Options<'a> = (StftOptions<'a, Cpu>, Option<usize>);
    let each: [(&str, usize, Options<'_>); 3] = [
        ("hann", 8, (StftOptions { window: Some(&hann), ..Default::default() }, Some(40))),
        (
            "short",
            9,
            (
                StftOptions {
                    hop_length: Some(3),
                    window: Some(&short),
                    normalized: true,
                    ..Default::default()
                },
                None,
            ),
        ),
        (
            "plain",
            8,
            (
                StftOptions { hop_length: Some(4), center: false, onesided: false, ..Default::default() },
                Some(43),
            ),
        ),
    ];
    for (name, n_fft, (options, length)) in each {
        let spectrum = signal.stft(n_fft, options)?;
        let turn = wave(&spectrum.shape()[..spectrum.rank() - 1], 6.)?;
        let turn = if options.onesided { turn } else { turn.zeros_like()? };
        let (re, im) = (spectrum.select(-1, 0)?, spectrum.select(-1, 1)?);
        let (cos, sin) = (turn.cos()?, turn.sin()?);
        let spectrum = ((&re * &cos)? - (&im * &sin)?)?.complex(&((&re * &sin)? + (&im * &cos)?)?)?;
        let StftOptions { hop_length, window, center, normalized, onesided, .. } = options;
        let options = IstftOptions { hop_length, window, center, normalized, onesided, length };
        check(&format!("istft_{name}"), &[spectrum.clone(), spectrum.istft(n_fft, options)?])?;
        let alone = spectrum.select(0, 1)?.istft(n_fft, options)?;
        assert!(alone.allclose(&spectrum.istft(n_fft, options)?.select(0, 1)?, Default::default())?);
    }

    let spectrum = signal.stft(8, StftOptions { hop_length: Some(8), ..Default::default() })?;
    let gaps = IstftOptions { hop_length: Some(8), window: Some(&short), ..Default::default() };
    let error = spectrum.istft(8, gaps).and_then(|y| y.to_vec::<f32>()).err();
    assert!(error.is_some_and(|e| e.to_string().contains("sum of their squares is zero")));
    let far = IstftOptions { hop_length: Some(9), ..Default::default() };
    assert!(spectrum.istft(8, far).is_err() && spectrum.istft(10, Default::default()).is_err());
    assert!(
        spectrum.istft(0, Default::default()).is_err() && spectrum.select(-1, 0)?.istft(8, gaps).is_err()
    );
    Ok(())
}
