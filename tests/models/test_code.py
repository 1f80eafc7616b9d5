"""Exported source stands alone: it needs torch and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import explorer as ex

RESNET = ex.ModelSpec.of(
    {"kind": "conv", "channels": 4, "kernel": 5, "stride": 2},
    {"kind": "residual", "channels": 4},
    {"kind": "residual", "channels": 6, "stride": 2},
    {"kind": "layernorm"},
    {"kind": "leaky_relu", "slope": 0.1 + 0.2},
    {"kind": "globalpool"},
    {"kind": "dropout", "share": 0.5},
    {"kind": "output"},
)


def test_the_source_imports_only_torch_and_the_standard_library(digits: ex.Dataset) -> None:
    tree = ast.parse(ex.to_code(RESNET, digits))

    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported == {"__future__", "torch", "collections"}


def test_each_own_class_is_printed_once(digits: ex.Dataset) -> None:
    code = ex.to_code(RESNET, digits)

    assert code.count("class ResidualBlock(nn.Module):") == 1
    assert code.count("class GlobalAverage(nn.Module):") == 1
    assert "class" not in ex.to_code(ex.preset("mlp", digits), digits).replace("classifier", "").replace(
        "per class", ""
    )


def test_a_program_without_the_explorer_gives_the_same_answers(digits: ex.Dataset, tmp_path: Path) -> None:
    model = ex.build(RESNET, digits, seed=2)
    list(ex.train(model, digits, ex.TrainSpec(epochs=1)))
    model.eval()
    x = digits.test.inputs[:8].contiguous()
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    save_file({"x": x}, tmp_path / "x.safetensors")
    (tmp_path / "exported.py").write_text(ex.to_code(RESNET, digits), encoding="utf-8")
    (tmp_path / "use.py").write_text(
        "import runpy, sys\n"
        "from safetensors.torch import load_file, save_file\n"
        "from exported import build_model\n"
        "model = build_model()\n"
        "model.load_state_dict(load_file('weights.safetensors'))\n"
        "save_file({'y': model.eval()(load_file('x.safetensors')['x']).detach()}, 'y.safetensors')\n"
        "runpy.run_path('exported.py', run_name='__main__')\n"
        "assert not any(name.split('.')[0] == 'explorer' for name in sys.modules)\n"
    )

    done = subprocess.run([sys.executable, "use.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    torch.testing.assert_close(load_file(tmp_path / "y.safetensors")["y"], model(x).detach(), rtol=1e-6, atol=1e-6)
    losses = [float(line.split()[-1]) for line in done.stdout.splitlines() if line.startswith("step ")]
    assert losses[-1] < losses[0], "run as a program it trains"
