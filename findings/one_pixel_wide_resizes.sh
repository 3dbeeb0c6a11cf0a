#!/usr/bin/env bash
# torch shrinks floats to a width of one pixel with every row of the result equal to the first one.
#
# One would assume: `interpolate(..., mode="bilinear", antialias=True)` of float32 images is the weighted mean that it is
#   of bytes, without their rounding, whatever the size of the result.
# What really happens: of contiguous floats, where the result is one pixel wide and of another height, all its rows come
#   out as the first one, tens of levels of 255 away. Bytes are right, the same floats in channels_last are right, and so
#   are results of two pixels. `torchvision.transforms.v2.functional.resize` hands this on.
# Versions: torch 2.14.1 and torchvision 0.29.1, NumPy 2.4.6, Python 3.11, on the CPU (x86-64 with AVX2); torch 2.11.0 and
#   2.15.0 do the same.
# Date: 2026-11-30.
# Why it matters to people who mix: methods that shrink a donor into a box (ResizeMix, mosaics, copied objects) draw boxes
#   of any width, down to a pixel. What is pasted there is wrong in silence, and a reference made with torch calls a
#   correct resize wrong. The way out: channels_last, or a box of two pixels at least.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "torch==2.14.1" "torchvision==0.29.1" "numpy==2.4.6"

"$folder/env/bin/python" - <<'PYTHON'
import sys

import torch
from torchvision.transforms.v2 import functional

images = torch.arange(3 * 40 * 7, dtype=torch.int64).mul(37).remainder(256).to(torch.uint8).reshape(3, 40, 7)


def apart(size):
    """How far floats and floats in channels_last are from bytes, and whether all rows of the former are equal."""
    of_bytes = functional.resize(images, size, antialias=True).float()
    floats = functional.resize(images.float(), size, antialias=True)
    last = images.float()[None].contiguous(memory_format=torch.channels_last)
    right = functional.resize(last, size, antialias=True)[0]
    away = [float((of_bytes - other).abs().max()) for other in (floats, right)]
    return (*away, bool((floats == floats[:, :1]).all()))


seen = {size: apart(list(size)) for size in ((10, 1), (80, 1), (10, 2), (80, 2))}
for size, (floats, last, alike) in seen.items():
    print(f"{size}: from bytes {floats:5.1f} levels, in channels_last {last:.1f}; rows {'equal' if alike else 'different'}")
narrow = all(floats > 10 and last <= 1 and alike for (_, width), (floats, last, alike) in seen.items() if width == 1)
others = all(floats <= 1 and last <= 1 for (_, width), (floats, last, _) in seen.items() if width > 1)
sys.exit(not (narrow and others))
PYTHON
