#!/usr/bin/env bash
# Arithmetic on a torchvision image does not compile with the backend that is meant for debugging compilation.
#
# One would assume: whatever `torch.compile` takes with backend="inductor" it takes with backend="aot_eager" as well,
#   since that is the same path without the last step, and is what one turns to when a compiled model misbehaves.
# What really happens: a product of a `tv_tensors.Image` and a number compiles and runs with "eager" and with "inductor",
#   and raises TypeError ("Multiple dispatch failed") with "aot_eager". A plain tensor of the same memory compiles with
#   all three.
# Versions: torch 2.14.1 and torchvision 0.29.1, Python 3.11, on the CPU. torch 2.11.0 with torchvision 0.26.0 does the
#   same, torch 2.15.0 does not any more.
# Date: 2026-11-29.
# Why it matters to people who mix: batches that come out of transforms.v2 are typed images. A training step that mixes
#   them inside a compiled function works until somebody changes the backend to find out why it is slow. The way out:
#   `image.as_subclass(torch.Tensor)` before the compiled part.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "torch==2.14.1" "torchvision==0.29.1" "numpy==2.4.6"

"$folder/env/bin/python" - <<'PYTHON'
import sys

import torch
from torchvision import tv_tensors


def twice(image):
    return image * 2.0


def outcome(value, backend):
    torch._dynamo.reset()
    try:
        result = torch.compile(twice, fullgraph=True, backend=backend)(value)
    except TypeError as error:
        return f"TypeError: {str(error).splitlines()[0]}"
    return "equal to eager" if torch.equal(result, value.as_subclass(torch.Tensor) * 2.0) else "another result"


pixels = torch.linspace(0, 1, 48).reshape(1, 3, 4, 4)
seen = {
    (kind, backend): outcome(value, backend)
    for kind, value in (("plain", pixels), ("typed", tv_tensors.Image(pixels)))
    for backend in ("eager", "aot_eager", "inductor")
}
for (kind, backend), text in seen.items():
    print(f"{kind:5} {backend:9} {text}")
odd = seen.pop(("typed", "aot_eager"))
sys.exit(not (odd.startswith("TypeError: Multiple dispatch failed") and set(seen.values()) == {"equal to eager"}))
PYTHON
