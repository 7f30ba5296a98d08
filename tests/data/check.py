"""Has PyTorch, NumPy and safetensors read what Firesteel writes; where they are installed.

    FIRESTEEL_KEEP=FOLDER cargo test --test io && python tests/data/check.py FOLDER
"""
import pathlib
import sys

import numpy as np
import torch
from safetensors import safe_open

DTYPES = "float64 float32 bfloat16 float16 int64 int32 int8 uint32 uint8 bool".split()


def check_everything(path):
    """`everything()` of tests/io/pth.rs."""
    value = torch.load(path, weights_only=True)
    for name in DTYPES:
        expected = torch.arange(6).reshape(2, 3).to(getattr(torch, name))
        tensor = value["tensors"].pop(name)
        assert tensor.dtype == expected.dtype and torch.equal(tensor.long(), expected.long()), name
    assert value.pop("tensors") == {}
    scalar, empty = value.pop("scalar"), value.pop("empty")
    assert scalar.item() == 3.5 and scalar.shape == ()
    assert empty.shape == (0, 4)
    expected = {
        "none": None,
        "bools": [True, False],
        "ints": [0, -1, 2**40, -(2**62), 2**63 - 1],
        "unsigned": 2**64 - 1,
        "float": 0.1,
        "text": "Käse",
        "bytes": bytes(range(256)),
        "tuple": (1, ()),
        "set": {1, "one"},
        "numbered": {0: []},
    }
    assert value == expected, value


def check_checkpoint(path):
    """The end of the run that was killed, in tests/io/checkpoint.rs."""
    checkpoint = torch.load(path, weights_only=True)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    model.load_state_dict(checkpoint["model_state_dict"])
    print("a checkpoint of step", checkpoint["step"], "with", sorted(checkpoint))


def check_arrays(path):
    arrays = np.load(path)
    count = np.arange(6).reshape(2, 3)
    assert sorted(arrays) == ["steps", "weight"]
    assert arrays["weight"].dtype == np.float32 and (arrays["weight"] == count).all()
    assert arrays["steps"].dtype == np.int64 and (arrays["steps"] == np.arange(3)).all()


def check_parts(path):
    """`files_are_read_in_part` of tests/io/safetensors.rs."""
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"epoch": "3"}
        table, flag, none = (file.get_tensor(name) for name in ["table", "flag", "none"])
    assert table.dtype == torch.int32 and table.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert flag.dtype == torch.bool and flag.item() is True
    assert none.dtype == torch.float64 and none.shape == (0, 2)


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    checks = {
        "everything.pth": check_everything,
        "checkpoint.pth": check_checkpoint,
        "stored.npz": check_arrays,
        "compressed.npz": check_arrays,
        "parts.safetensors": check_parts,
    }
    for name, check in checks.items():
        check(folder / name)
        print("read", name)
    print("torch", torch.__version__, "numpy", np.__version__)
