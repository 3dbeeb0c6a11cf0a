#!/usr/bin/env bash
# Objects that are pasted onto one another all keep the whole of their masks.
#
# One would assume: copy-paste cuts what it covers out of the masks that were there before, so that every pixel belongs to
#   one object, the uppermost; and that `scale_range`, (0.5, 2.0) where nothing is said, scales what is pasted.
# What really happens: segpaste cuts the base image's own masks, and filters what is hidden of them. Objects that are
#   pasted one after the other onto the same image may overlap by up to 0.9 of their union, and the lower ones keep mask,
#   box and label as if nothing lay on them. `scale_range` and `blend_mode` are checked, and read by nobody: every object
#   is pasted at its own size with a hard edge, whatever is asked for.
# Versions: segpaste 0.2.0, torch 2.14.1, torchvision 0.29.1, numpy 2.4.6, Python 3.11, on the CPU.
# Date: 2026-11-30.
# Why it matters to people who mix: a mask that claims the pixels of another object teaches two classes for one pixel, and
#   a panoptic format cannot hold it; the scale jitter is the larger part of the gain that the paper of Copy-Paste reports.
#   The way out: paste one object an image (`max_paste_objects=1`, with one mask each) and scale donors beforehand.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "segpaste==0.2.0" "torch==2.14.1" "torchvision==0.29.1" "numpy==2.4.6"

"$folder/env/bin/python" -W ignore - <<'PYTHON'
import random
import sys

import torch
from segpaste import CopyPasteAugmentation, CopyPasteConfig, DetectionTarget

IMAGES, HEIGHT, WIDTH, SIDE = 100, 48, 64, 20


def painted(number):
    """An image with one square; its pixels have the number of the object, and so has its label."""
    y, x = random.randint(0, HEIGHT - SIDE), random.randint(0, WIDTH - SIDE)
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, y : y + SIDE, x : x + SIDE] = 1
    box = torch.tensor([[x, y, x + SIDE, y + SIDE]], dtype=torch.float32)
    return DetectionTarget(image=mask.expand(3, -1, -1) * number, boxes=box, labels=torch.tensor([number]), masks=mask)


def result(**options):
    config = CopyPasteConfig(paste_probability=1.0, min_paste_objects=3, max_paste_objects=3, **options)
    return CopyPasteAugmentation(config).transform(painted(1), [painted(number) for number in (2, 3, 4)])


images = objects = shared = claimed = 0
sizes = set()
for seed in range(IMAGES):
    random.seed(seed)
    torch.manual_seed(seed)
    out = result(scale_range=(0.5, 2.0), blend_mode="gaussian")
    images += 1
    shared += bool((out.masks.sum(0) > 1).any())
    for mask, label in zip(out.masks, out.labels.tolist()):
        objects += 1
        claimed += bool((out.image[0][mask > 0] != label).any())
        if label > 1:
            sizes.add(int(mask.sum()))
print(f"{shared} of {images} images have a pixel in two masks; {claimed} of {objects} masks hold pixels of another object")
print(f"sizes of pasted objects that were {SIDE * SIDE} pixels, scaled by 0.5 to 2.0: {sorted(sizes)}")
if not (shared > 60 and claimed > 60 and sizes == {SIDE * SIDE}):
    sys.exit("It has changed.")
PYTHON
