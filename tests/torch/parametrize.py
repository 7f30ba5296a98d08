"""Prints what PyTorch gives for `tests/parametrize.rs`.

    python tests/torch/parametrize.py
"""
import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm
from torch.optim.swa_utils import update_bn


def show(name, tensor):
    print(name, [round(x, 6) for x in tensor.detach().flatten().tolist()])


def linear():
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 2.0, -1.0], [0.5, -0.5, 3.0]]))
        layer.bias.copy_(torch.tensor([0.1, -0.2]))
    return layer


def fill(tensor, numbers):
    with torch.no_grad():
        tensor.copy_(torch.tensor(numbers).reshape(tensor.shape))


x = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]])
for dim in (0, 1, None):
    model = weight_norm(linear(), "weight", dim)
    parts = model.parametrizations.weight
    with torch.no_grad():
        parts.original0.mul_(1.5)
    y = model(x)
    y.square().sum().backward()
    print("weight_norm", dim, {name: tuple(value.shape) for name, value in model.state_dict().items()})
    show("  y", y)
    show("  original0", parts.original0.grad)
    show("  original1", parts.original1.grad)

model = spectral_norm(linear(), n_power_iterations=2)
norm = model.parametrizations.weight[0]
fill(norm._u, [0.6, 0.8])
fill(norm._v, [1.0, 0.0, 0.0])
y = model(x)
y.square().sum().backward()
print("spectral_norm", list(model.state_dict()))
show("  y", y)
show("  original", model.parametrizations.weight.original.grad)
show("  _u", norm._u)
show("  _v", norm._v)
model.eval()
show("  in evaluation", model(x))

conv = nn.ConvTranspose1d(2, 3, 2, bias=False)
fill(conv.weight, [i / 6 - 1 for i in range(12)])
conv = spectral_norm(conv)
norm = conv.parametrizations.weight[0]
fill(norm._u, [0.6, 0.8, 0.0])
fill(norm._v, [0.5] * 4)
show("  transposed", conv(torch.tensor([[[1.0, 2.0], [3.0, -1.0]]])))

for norm_type in (2.0, 1.0, float("inf")):
    table = nn.Embedding(3, 2, max_norm=1.0, norm_type=norm_type)
    fill(table.weight, [3.0, 4.0, 0.3, -0.4, -1.0, 2.0])
    y = table(torch.tensor([[0, 1], [0, 2]]))
    (y * torch.arange(8.0).reshape(2, 2, 2)).sum().backward()
    print("embedding", norm_type)
    show("  y", y)
    show("  weight", table.weight)
    show("  gradient", table.weight.grad)

norm = nn.BatchNorm1d(2, momentum=0.3).eval()
fill(norm.running_mean, [7.0, 7.0])
update_bn([torch.tensor([[1.0, 2.0], [3.0, 5.0]]), torch.tensor([[-1.0, 0.0], [2.0, 8.0], [4.0, 4.0]])], norm)
show("update_bn", norm.running_mean)
show("  var", norm.running_var)

# reflections of a tall weight and of a wide one, and both maps of skew matrices, on a base of its own
from torch.nn.utils.parametrizations import orthogonal

for name, shape, kind in [
    ("householder", (3, 2), "householder"),
    ("wide", (2, 3), "householder"),
    ("exponential", (3, 3), "matrix_exp"),
    ("cayley", (3, 2), "cayley"),
]:
    layer = orthogonal(nn.Linear(shape[1], shape[0], bias=False), orthogonal_map=kind)
    rows = max(shape)
    turn = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    fill(layer.parametrizations.weight[0].base, turn)
    numbers = [0.3 * i - 0.7 for i in range(shape[0] * shape[1])]
    for i in range(min(shape)):
        numbers[i * shape[1] + i] = (-1.0) ** i
    fill(layer.parametrizations.weight.original, numbers)
    y = layer(torch.arange(shape[1] * 2.0).reshape(2, shape[1]))
    (y * torch.arange(y.numel()).reshape(y.shape)).sum().backward()
    print("orthogonal", name, list(layer.state_dict()))
    show("  y", y)
    show("  gradient", layer.parametrizations.weight.original.grad)

layer = nn.Linear(2, 3, bias=False)
fill(layer.weight, [0.6, 0.8, -0.8, 0.6, 0.0, 0.0])
layer = orthogonal(layer, use_trivialization=False)
show("  original of reflections", layer.parametrizations.weight.original)
show("  weight", layer.weight)

for mode, norm_type in (("sum", 2.0), ("mean", 1.0), ("max", 2.0)):
    bag = nn.EmbeddingBag(3, 2, max_norm=1.0, norm_type=norm_type, mode=mode, scale_grad_by_freq=mode != "max")
    fill(bag.weight, [3.0, 4.0, 0.3, -0.4, -1.0, 2.0])
    y = bag(torch.tensor([0, 1, 0, 2, 0]), torch.tensor([0, 2]))
    (y * torch.arange(1.0, 5.0).reshape(2, 2)).sum().backward()
    print("embedding_bag", mode)
    show("  y", y)
    show("  weight", bag.weight)
    show("  gradient", bag.weight.grad)
table = nn.Embedding(3, 2, scale_grad_by_freq=True)
y = table(torch.tensor([[0, 1], [0, 2]]))
(y * torch.arange(8.0).reshape(2, 2, 2)).sum().backward()
show("embedding scale_grad_by_freq", table.weight.grad)
