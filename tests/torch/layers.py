"""Records what PyTorch gives for modules, or uses of them, that its module_db has no cases of.

    python tests/torch/layers.py > tests/torch/layers.json

Parameters and inputs are waves that tests/layers.rs makes again, so only results are kept.
"""
import json
import torch
from torch import nn
from torch.nn.utils import rnn


def wave(shape, seed):
    count = torch.Size(shape).numel()
    return (torch.sin(torch.arange(count, dtype=torch.float64) * 0.7 + seed) * 0.5).float().reshape(shape)


def filled(module):
    with torch.no_grad():
        for name, param in module.named_parameters():
            param.copy_(wave(param.shape, sum(name.encode()) % 97))
    return module.eval()


def record(name, *tensors):
    flat = [float(f"{x:.7g}") for t in tensors for x in t.detach().flatten().tolist()]
    results[name] = [[list(t.shape) for t in tensors], flat]


results = {}
image, sequence = wave([2, 4, 5, 6], 1), wave([2, 3, 7], 2)
for mode in ["reflect", "replicate", "circular"]:
    record(f"conv_{mode}", filled(nn.Conv2d(4, 2, 3, padding=(1, 2), padding_mode=mode))(image))
    record(f"conv_same_{mode}", filled(nn.Conv1d(3, 2, 4, padding="same", padding_mode=mode))(sequence))
record("conv_transpose_size", filled(nn.ConvTranspose2d(4, 2, 3, stride=3, padding=1))(image, output_size=[14, 18]))
# beyond the first channels PyTorch's running sum keeps one that has left the window
narrow = image[:, :2]
record("cross_map_lrn", nn.CrossMapLRN2d(3, 0.1, 0.6, 1.5)(narrow), nn.CrossMapLRN2d(4)(narrow))
record("rrelu", nn.RReLU(0.2, 0.7).eval()(sequence))
y, places = nn.MaxPool2d(2, return_indices=True)(image)
record("max_unpool", nn.MaxUnpool2d(2)(y, places, output_size=image.shape))
record("upsample", nn.Upsample(scale_factor=1.5, mode="bilinear")(image), nn.UpsamplingBilinear2d(8)(image))
record("fold", nn.Fold((4, 5), 2)(nn.Unfold(2)(image[:, :, :4, :5])))
record("distances", nn.CosineSimilarity()(image, image.flip(0)), nn.PairwiseDistance(p=3)(sequence, sequence.flip(0)))
indices, offsets = torch.tensor([1, 2, 4, 5, 4, 3, 2, 9]), torch.tensor([0, 3, 3, 5])
for mode in ["sum", "mean", "max"]:
    record(f"bag_{mode}", filled(nn.EmbeddingBag(10, 3, mode=mode))(indices, offsets))
record("bag_weights", filled(nn.EmbeddingBag(10, 3, mode="sum"))(indices, offsets, wave([8], 3)))
adaptive = filled(nn.AdaptiveLogSoftmaxWithLoss(6, 10, [3, 6], div_value=2.0))
output = adaptive(wave([4, 6], 4), torch.tensor([0, 4, 9, 2]))
record("adaptive", output.output, output.loss, adaptive.log_prob(wave([4, 6], 4)))
record("triplet", nn.TripletMarginLoss(p=1, swap=True)(image[0, 0], image[0, 1], image[1, 0]))
separate = filled(nn.MultiheadAttention(6, 2, kdim=3, vdim=4, batch_first=True))
query, key, value = wave([2, 3, 6], 5), wave([2, 4, 3], 6), wave([2, 4, 4], 7)
record("attention_separate", *separate(query, key, value), separate(query, key, value, average_attn_weights=False)[1])
causal = nn.Transformer.generate_square_subsequent_mask(3)
layer = nn.TransformerDecoderLayer(6, 2, 8, activation="gelu", batch_first=True)
decoder = filled(nn.TransformerDecoder(layer, 2, nn.LayerNorm(6)))
record("decoder_gelu", decoder(query, wave([2, 5, 6], 8), tgt_mask=causal, tgt_is_causal=True))
packed = rnn.pack_padded_sequence(wave([3, 5, 4], 9), [2, 5, 3], batch_first=True, enforce_sorted=False)
gru = filled(nn.GRU(4, 3, 2, bidirectional=True))
y, h = gru(packed)
record("gru_packed", rnn.pad_packed_sequence(y)[0], h)
signal = wave([2, 40], 5)
for name, options, length in [
    ("hann", dict(n_fft=8, window=torch.hann_window(8)), 40),
    ("short", dict(n_fft=9, hop_length=3, win_length=6, window=torch.hann_window(6), normalized=True), None),
    ("plain", dict(n_fft=8, hop_length=4, center=False, onesided=False), 43),
]:
    spectrum = torch.stft(signal, return_complex=True, **options)
    # no spectrum of any signal; of two sides PyTorch reads only the first
    if options.get("onesided", True):
        spectrum = spectrum * torch.polar(torch.ones(spectrum.shape), wave(spectrum.shape, 6))
    record(f"istft_{name}", torch.view_as_real(spectrum), torch.istft(spectrum, length=length, **options))
print(json.dumps(results))
