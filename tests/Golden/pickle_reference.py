#!/usr/bin/python3
"""Writes tests/Golden/pickle: small files of torch.save, and in expected.safetensors what torch.load makes of those that are read.

A tensor of expected.safetensors is named FILE/NAME. Needs Python with torch and safetensors, such as Debian sid's packages python3-torch and
python3-safetensors (written with torch 2.14, safetensors 0.8).

    /usr/bin/python3 tests/Golden/pickle_reference.py
"""
import json
import os
import pathlib
from collections import OrderedDict

import torch
from safetensors.torch import load_file, save_file

HERE = pathlib.Path(__file__).parent / "pickle"
TYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool]


class Foreign:
    """What a pickle may do that is not a tensor: call anything."""

    def __reduce__(self):
        return os.system, ("true",)


def model():
    """A state dict as a model gives it: an OrderedDict with metadata, a scalar of integers among the weights."""
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.BatchNorm1d(5)).state_dict()


def types():
    values = torch.tensor([0.0, 1.0, 2.5, 3.0, 100.0, 0.0])
    return {str(t).removeprefix("torch."): values.view(2, 3).to(t) for t in TYPES}


def views():
    """Several tensors in one storage, and steps that are not those of rows."""
    base = torch.arange(24, dtype=torch.float32)
    grid = base.view(4, 6)
    return {
        "base": base, "grid": grid, "transposed": grid.t(), "rows": grid[1:3], "columns": grid[:, 2:4], "every_second": base[1::2], "permuted": base.view(2, 3, 4).permute(2, 0, 1),
        "scalar": base[7], "nothing": torch.zeros(0, 4), "one": grid[2:3, 3:4].t(), "last": torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(2)).to(memory_format=torch.channels_last),
    }


def parameters():
    weight = torch.nn.Parameter(torch.arange(6, dtype=torch.bfloat16).view(2, 3))
    return {"weight": weight, "tied": weight, "frozen": torch.nn.Parameter(torch.ones(2, dtype=torch.float16), requires_grad=False)}


def main():
    HERE.mkdir(exist_ok=True)
    contriever = load_file(HERE.parent / "encoders/contriever/model.safetensors")
    read = {"model": model(), "types": types(), "views": views(), "parameters": parameters(), "contriever": contriever}
    expected = {}
    for name, tensors in read.items():
        torch.save(tensors, HERE / f"{name}.bin")
        loaded = torch.load(HERE / f"{name}.bin", weights_only=True)
        # Contriever's are those of its own safetensors.
        if name != "contriever":
            expected |= {f"{name}/{key}": value.detach().contiguous().clone() for key, value in loaded.items()}
    save_file(expected, HERE / "expected.safetensors")

    shards, names = {}, sorted(contriever)
    for i, half in enumerate([names[::2], names[1::2]], 1):
        shard = f"pytorch_model-{i:05}-of-00002.bin"
        (HERE / "sharded").mkdir(exist_ok=True)
        torch.save(OrderedDict((name, contriever[name]) for name in half), HERE / "sharded" / shard)
        shards |= dict.fromkeys(half, shard)
    size = sum(tensor.numel() * tensor.element_size() for tensor in contriever.values())
    (HERE / "sharded/pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {"total_size": size}, "weight_map": shards}, indent=2, sort_keys=True) + "\n")

    x = torch.arange(3.0)
    torch.save({"x": x}, HERE / "legacy.bin", _use_new_zipfile_serialization=False)
    refused = {
        "foreign": {"x": x, "y": Foreign()}, "nested": {"state_dict": {"x": x}, "epoch": 3}, "list": [x], "number": {"x": x, "step": 7}, "keys": {1: x},
        "expanded": {"x": torch.ones(1).expand(1000, 1000)}, "complex": {"x": torch.zeros(2, dtype=torch.complex64)}, "float8": {"x": x.to(torch.float8_e4m3fn)},
        "sparse": {"x": torch.eye(3).to_sparse()}, "module": torch.nn.Linear(2, 2),
    }
    for name, value in refused.items():
        torch.save(value, HERE / f"{name}.bin")
    torch.save({"x": x}, HERE / "protocol4.bin", pickle_protocol=4)
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), HERE / "script.bin")


if __name__ == "__main__":
    main()
