"""PyTorch's lines beside those of `cargo bench --bench peers`: the same names, the same protocol.

    python benches/peers/pytorch.py [FILTER]             what every framework has
    python benches/peers/pytorch.py --sizes [FILTER]     the second set of sizes
    python benches/peers/pytorch.py --scaling [FILTER]   cost against size
    python benches/peers/pytorch.py --rss CASE           the memory of 30 repetitions

FILTER is a regular expression. PEER_SECS (1.5) and PEER_THREADS (2) are as there.
"""
import os
import re
import resource
import sys
import time

threads = os.environ.get("PEER_THREADS", "2")
os.environ.update(OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads, CUDA_VISIBLE_DEVICES="")

import torch
from torch import nn, randn
from torch.nn import functional as F

torch.set_num_threads(int(threads))


class Table:
    """The cases that the arguments name."""

    def __init__(self, arguments):
        self.mode = arguments.pop(0) if arguments and arguments[0].startswith("--") else ""
        self.filter = arguments[0] if arguments else ""
        self.seconds = float(os.environ.get("PEER_SECS", "1.5"))

    def case(self, name, shapes, run, grad=False, impl="torch"):
        """`run` of normal numbers of these shapes; or, without shapes, `run()` makes what is repeated."""
        wanted = name == self.filter if self.mode == "--rss" else re.search(self.filter, name)
        if not wanted or self.mode == "--rss" and impl != "torch":
            return
        torch.manual_seed(0)
        before = peak()
        with torch.inference_mode(not grad):
            if shapes is None:
                repeat = run()
            else:
                x = [randn(shape) for shape in shapes]
                repeat = lambda: run(*x)
            if self.mode == "--rss":
                for _ in range(30):
                    repeat()
                return line(f"rss_{name}_mib", impl, peak(), before, 1)
            self.time(name, impl, repeat)

    def time(self, name, impl, repeat):
        for _ in range(3):
            repeat()
        times, end = [], time.perf_counter() + self.seconds
        while len(times) < 5 or time.perf_counter() < end and len(times) < 20_000:
            start = time.perf_counter_ns()
            repeat()
            times.append((time.perf_counter_ns() - start) / 1e6)
        times.sort()
        line(name, impl, times[len(times) // 2], times[0], len(times))


def line(name, impl, median, least, n):
    print(f"{name}\t{impl}\t{median:.4f}\t{least:.4f}\t{n}", flush=True)


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def chain(x):
    return (x * 2 + 1).tanh() * x + 3


def layer_norm(x, w, b):
    return F.layer_norm(x, w.shape, w, b)


def attention(t, name, shape, is_causal=False):
    t.case(name, [shape] * 3, lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=is_causal))


def conv2d(t, name, x, w, **options):
    t.case(name, [x, w], lambda x, w: F.conv2d(x, w, **options))


def embedding(t, name, table, rows):
    def make():
        x, index = randn(table), torch.randint(0, table[0], (rows,))
        return lambda: x.index_select(0, index)

    t.case(name, None, make)


def operations(t):
    million = 10_000_000
    for n in (128, 512, 1024, 2048):
        t.case(f"matmul_{n}", [(n, n)] * 2, torch.matmul)
    t.case("bmm_32x128x64x128", [(32, 128, 64), (32, 64, 128)], torch.bmm)
    t.case("matvec_4096", [(4096, 4096), (4096,)], torch.mv)

    def half(dtype):
        a, b = (randn(1024, 1024).to(dtype) for _ in range(2))
        return lambda: a @ b

    t.case("matmul_bf16_1024", None, lambda: half(torch.bfloat16))
    t.case("matmul_f16_1024", None, lambda: half(torch.float16))
    t.case("add_1e7", [million] * 2, torch.add)
    t.case("add_out_1e7", [million] * 3, lambda x, y, out: torch.add(x, y, out=out))
    t.case("add_bcast_1000x10000", [(1000, 10_000), (10_000,)], torch.add)
    t.case("gelu_1e7", [million], F.gelu)
    t.case("gelu_tanh_1e7", [million], lambda x: F.gelu(x, approximate="tanh"))
    t.case("exp_1e7", [million], torch.exp)
    t.case("chain_1e7", [million], chain)
    t.case("chain_1e7", [million], torch.compile(chain), impl="torch-compile")
    square = (4096, 4096)
    t.case("sum_all_1e7", [million], torch.sum)
    t.case("sum_dim0_4096", [square], lambda x: x.sum(0))
    t.case("sum_dim1_4096", [square], lambda x: x.sum(1))
    t.case("softmax_dim1_4096", [square], lambda x: x.softmax(1))
    t.case("layer_norm_4096x1024", [(4096, 1024), (1024,), (1024,)], layer_norm)
    t.case("cumsum_dim1_4096", [square], lambda x: x.cumsum(1))
    t.case("argmax_dim1_4096", [square], lambda x: x.argmax(1))
    t.case("transpose_4096", [square], lambda x: x.t().contiguous())
    embedding(t, "embedding_50kx512_8192", (50_000, 512), 8192)
    t.case("sort_1e6", [1_000_000], torch.sort)
    t.case("topk100_1e6", [1_000_000], lambda x: x.topk(100))
    conv2d(t, "conv2d_resnet", (32, 64, 56, 56), (64, 64, 3, 3), padding=1)

    def channels_last():
        x, w = (randn(s).to(memory_format=torch.channels_last) for s in ((32, 64, 56, 56), (64, 64, 3, 3)))
        return lambda: F.conv2d(x, w, padding=1)

    t.case("conv2d_resnet", None, channels_last, impl="torch-channels_last")
    conv2d(t, "conv2d_stem", (1, 3, 224, 224), (64, 3, 7, 7), stride=2, padding=3)
    conv2d(t, "conv2d_depthwise", (32, 128, 28, 28), (128, 1, 3, 3), padding=1, groups=128)
    t.case("maxpool2d", [(32, 64, 112, 112)], lambda x: F.max_pool2d(x, 3, 2))
    attention(t, "attention", (4, 8, 512, 64))


class Block(nn.Module):
    def __init__(self, d, heads, eps):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(d, eps), nn.LayerNorm(d, eps)
        self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
        self.feed = nn.Sequential(nn.Linear(d, 4 * d), nn.GELU(), nn.Linear(4 * d, d))

    def attention(self, x, is_causal):
        q, k, v = self.qkv(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=is_causal)
        return self.proj(y.transpose(1, 2).flatten(2))

    def before(self, x):
        x = x + self.attention(self.norm1(x), True)
        return x + self.feed(self.norm2(x))

    def after(self, x):
        x = self.norm1(x + self.attention(x, False))
        return self.norm2(x + self.feed(x))


class GPT(nn.Module):
    def __init__(self, layers=4, d=256, heads=4, context=128, vocabulary=1000):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, d), nn.Embedding(context, d)
        self.blocks = nn.ModuleList(Block(d, heads, 1e-5) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(d), nn.Linear(d, vocabulary, bias=False)

    def forward(self, x):
        x = self.tokens(x) + self.positions(torch.arange(x.shape[1]))
        for block in self.blocks:
            x = block.before(x)
        return self.head(self.norm(x))


class Bert(nn.Module):
    def __init__(self, layers=6, d=384, heads=12, vocabulary=30_522):
        super().__init__()
        self.words, self.positions, self.types = (nn.Embedding(n, d) for n in (vocabulary, 512, 2))
        self.norm = nn.LayerNorm(d, 1e-12)
        self.blocks = nn.ModuleList(Block(d, heads, 1e-12) for _ in range(layers))

    def forward(self, x):
        x = self.norm(self.words(x) + self.positions(torch.arange(x.shape[1])) + self.types(torch.zeros_like(x)))
        for block in self.blocks:
            x = block.after(x)
        return x


def steps(model, x, y, optimizer):
    def step():
        optimizer.zero_grad()
        F.cross_entropy(model(x).flatten(0, -2), y).backward()
        optimizer.step()

    return step


def training(t):
    def mlp(fused):
        model = nn.Sequential(
            nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
        return steps(model, randn(128, 784), torch.randint(0, 10, (128,)), optimizer)

    def cnn(fused):
        model = nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
            *(nn.Linear(9216, 128), nn.ReLU(), nn.Linear(128, 10)),
        )
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fused)
        return steps(model, randn(64, 1, 28, 28), torch.randint(0, 10, (64,)), optimizer)

    def transformer(fused):
        model = GPT()
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.01, fused=fused)
        return steps(model, torch.randint(0, 1000, (8, 128)), torch.randint(0, 1000, (1024,)), optimizer)

    for make in (mlp, cnn, transformer):
        for fused, impl in ((None, "torch"), (True, "torch-fusedopt")):
            t.case(f"train_{make.__name__}", None, lambda make=make: make(fused), grad=True, impl=impl)


def recurrent(t, make):
    def repeated(train):
        net, x = make(128, 256, batch_first=True), randn(32, 64, 128)

        def step():
            net.zero_grad()
            net(x)[0].sum().backward()

        return step if train else lambda: net(x)

    name = make.__name__.lower()
    t.case(f"{name}_fwd", None, lambda: repeated(False))
    t.case(f"{name}_train", None, lambda: repeated(True), grad=True)


def models(t):
    recurrent(t, nn.LSTM)
    for batch in (1, 8):

        def bert(batch=batch):
            model, x = Bert().eval(), torch.randint(0, 30_522, (batch, 128))
            return lambda: model(x)

        t.case(f"infer_bert_b{batch}", None, bert)


def overhead(t):
    def thousand(z, y):
        for _ in range(1000):
            z = z + y
        return z

    for n in (1, 16):
        t.case(f"op_overhead_us_{n}", [n, n], thousand)

        def tracked(n=n):
            x, y = randn(n, requires_grad=True), randn(n)

            def step():
                thousand(x, y).sum().backward()
                x.grad = None

            return step

        t.case(f"op_overhead_grad_us_{n}", None, tracked, grad=True)


def sizes(t):
    for m, k, n in (
        *((127, 127, 127), (509, 521, 523), (1, 1021, 1031), (7, 4099, 13), (4099, 7, 4099)),
        *((100_003, 16, 16), (33, 2000, 3000)),
    ):
        t.case(f"matmul_{m}x{k}x{n}", [(m, k), (k, n)], torch.matmul)
    t.case("matmul_3001", [(3001, 3001)] * 2, torch.matmul)
    for name, m, k, n in (("1024", *[1024] * 3), ("512", *[512] * 3), ("1x4096x4096", 1, 4096, 4096)):

        def int_mm(m=m, k=k, n=n):
            a, b = ((randn(shape) * 20).to(torch.int8) for shape in ((m, k), (k, n)))
            return lambda: torch._int_mm(a, b)

        t.case(f"int_mm_{name}", None, int_mm)
    t.case("bmm_509x17x19x23", [(509, 17, 19), (509, 19, 23)], torch.bmm)
    t.case("matvec_10007x511", [(10_007, 511), (511,)], torch.mv)
    for n in (1009, 99_991, 33_554_467):
        t.case(f"add_{n}", [n, n], torch.add)
        t.case(f"exp_{n}", [n], torch.exp)
        t.case(f"chain_{n}", [n], chain)
        t.case(f"sum_{n}", [n], torch.sum)
    t.case("add_bcast_3001x1_1x3001", [(3001, 1), (1, 3001)], torch.add)
    for shape in ((1_000_003, 3), (3, 1_000_003), (2999, 3001)):
        of = f"{shape[0]}x{shape[1]}"
        t.case(f"sum_dim0_{of}", [shape], lambda x: x.sum(0))
        t.case(f"sum_dim1_{of}", [shape], lambda x: x.sum(1))
        t.case(f"softmax_dim1_{of}", [shape], lambda x: x.softmax(1))
        t.case(f"argmax_dim1_{of}", [shape], lambda x: x.argmax(1))
        t.case(f"transpose_{of}", [shape], lambda x: x.t().contiguous())
    t.case("layer_norm_10007x257", [(10_007, 257), (257,), (257,)], layer_norm)
    t.case("cumsum_dim0_2999x3001", [(2999, 3001)], lambda x: x.cumsum(0))
    embedding(t, "embedding_1009x33_100003", (1009, 33), 100_003)
    t.case("sort_1000003", [1_000_003], torch.sort)
    t.case("sort_10007x101", [(10_007, 101)], torch.sort)
    t.case("topk3_1000x10007", [(1000, 10_007)], lambda x: x.topk(3))
    conv2d(t, "conv2d_3x17x61x67_19_5x3", (3, 17, 61, 67), (19, 17, 5, 3), padding=1)
    conv2d(t, "conv2d_16x256x14x14_256_1x1", (16, 256, 14, 14), (256, 256, 1, 1))
    conv2d(t, "conv2d_2x512x7x7_512_3x3", (2, 512, 7, 7), (512, 512, 3, 3), padding=1)
    conv2d(t, "conv2d_8x64x57x57_128_3x3_s2", (8, 64, 57, 57), (128, 64, 3, 3), padding=1, stride=2)
    t.case("maxpool2d_5_7x31x101x103", [(7, 31, 101, 103)], lambda x: F.max_pool2d(x, 5, 3))
    attention(t, "attention_2x3x1021x40", (2, 3, 1021, 40))
    attention(t, "attention_causal_1x8x2048x64", (1, 8, 2048, 64), is_causal=True)
    attention(t, "attention_64x4x33x32", (64, 4, 33, 32))
    recurrent(t, nn.GRU)


def scaling(t):
    for n in (16, 32, 64, 128, 256, 512, 1024, 2048):
        t.case(f"matmul_{n}", [(n, n)] * 2, torch.matmul)
    for n in (4, 8, 16, 32, 64, 128):
        conv2d(t, f"conv2d_{n}", (4, 16, n, n), (16, 16, 3, 3), padding=1)
    for n in (16, 64, 256, 1024, 4096):
        attention(t, f"attention_{n}", (1, 4, n, 64))
    for n in (10**power for power in range(2, 8)):
        t.case(f"add_{n}", [n, n], torch.add)
        t.case(f"chain_{n}", [n], chain)
        t.case(f"sum_{n}", [n], torch.sum)
        t.case(f"sort_{n}", [n], torch.sort)


def main():
    t = Table(sys.argv[1:])
    if t.mode == "--sizes":
        sizes(t)
    elif t.mode == "--scaling":
        scaling(t)
    else:
        for cases in (operations, training, models, overhead):
            cases(t)


main()
