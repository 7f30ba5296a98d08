"""Makes the files in this folder with PyTorch and NumPy, as their users would, and says with which versions.

    python3 -m venv VENV && VENV/bin/pip install torch numpy safetensors && VENV/bin/python tests/data/make.py
"""
import os
import pathlib
import zipfile

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent


def state():
    """Tensors of every dtype and form whose elements count up from 0, so that a reader knows them."""
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    count = torch.arange(6).reshape(2, 3)
    return {
        "whole": base,
        # these share the storage of the first
        "transposed": base.t(),
        "column": base[:, 1],
        "corner": base[1:, 2:],
        "every_other": base[::2, ::2],
        "expanded": torch.tensor([[7.0], [8.0]]).expand(2, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "scalar": torch.tensor(3.5),
        "empty": torch.zeros(0, 4),
        **{
            str(dtype).removeprefix("torch."): count.to(dtype)
            for dtype in [
                torch.float64,
                torch.float16,
                torch.bfloat16,
                torch.int64,
                torch.int32,
                torch.int8,
                torch.uint8,
                torch.bool,
            ]
        },
    }


def checkpoint():
    """What a training script saves: the state of a model and of its optimizer after a step, and numbers."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    model(torch.ones(4, 2)).sum().backward()
    optimizer.step()
    scheduler.step()
    return {
        "epoch": 3,
        "loss": 0.25,
        "best": None,
        "done": False,
        "seed": 2**63 + 1,
        "negative": -(2**40),
        "name": "Käse",
        "bytes": bytes(range(256)),
        "tuple": (1, (2.5, "two")),
        "set": {1},
        "size": torch.Size([2, 3]),
        "dtype": torch.float16,
        "device": torch.device("cuda:1"),
        "rng_state": torch.get_rng_state(),
        "model_state_dict": model.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "scheduler_state_dict": scheduler.state_dict(),
    }


class Hostile:
    def __reduce__(self):
        return os.system, ("echo executed > firesteel-was-here",)


def deflated(source, target):
    """The same archive, compressed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))


def make_torch():
    # the legacy format has no storages of this dtype
    uint32 = {"uint32": torch.arange(6).reshape(2, 3).to(torch.uint32)}
    torch.save(state() | uint32, HERE / "state.pth")
    torch.save(state(), HERE / "state_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(state(), HERE / "state_protocol4.pth", pickle_protocol=4)
    deflated(HERE / "state.pth", HERE / "state_deflated.pth")
    torch.save(checkpoint(), HERE / "checkpoint.pth")
    torch.save({"weight": torch.zeros(2), "payload": Hostile()}, HERE / "os_system.pth")
    torch.save(Hostile(), HERE / "os_system_legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(1, 1), HERE / "module.pth")
    torch.save({"x": torch.zeros(2, dtype=torch.complex64)}, HERE / "complex.pth")


def make_safetensors():
    count = torch.arange(6).reshape(2, 3)
    dtypes = [getattr(torch, name) for name in "float64 float32 float16 bfloat16 int64 int32 int8 uint8 bool".split()]
    tensors = {str(dtype).removeprefix("torch."): count.to(dtype) for dtype in dtypes}
    save_file(tensors, HERE / "state.safetensors", metadata={"format": "pt"})


def make_numpy():
    count = np.arange(6).reshape(2, 3)
    for descr in ["<f8", "<f4", "<f2", "<i8", "<i4", "|i1", "<u4", "|u1", "|b1", ">f4", ">i8"]:
        np.save(HERE / f"{descr.replace('<', '').replace('|', '').replace('>', 'big_')}.npy", count.astype(descr))
    np.save(HERE / "fortran.npy", np.asfortranarray(count.astype("f4")))
    np.save(HERE / "scalar.npy", np.float32(3.5))
    np.save(HERE / "empty.npy", np.zeros((0, 4), "f4"))
    np.save(HERE / "complex.npy", np.zeros(2, "c8"))
    np.save(HERE / "object.npy", np.array([Hostile()], dtype=object), allow_pickle=True)
    arrays = {"weight": count.astype("f4"), "steps": np.arange(3)}
    np.savez(HERE / "arrays.npz", **arrays)
    np.savez_compressed(HERE / "arrays_compressed.npz", **arrays)


if __name__ == "__main__":
    make_torch()
    make_safetensors()
    make_numpy()
    print("torch", torch.__version__, "numpy", np.__version__)
