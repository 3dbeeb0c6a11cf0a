#!/usr/bin/env bash
# Of batches of unequal images, timm leaves always the same one unmixed.
#
# One would assume: in a batch of an odd number of images one has no partner, and that is any of them, so that every image
#   is mixed equally often over a training.
# What really happens: NaFlexMixup sorts a batch by aspect ratio, shuffles windows of `local_shuffle` (4) images, pairs
#   neighbours, and leaves the last one alone. That is an image of the last window. Of nine images it is the widest in
#   every batch, of seven always one of the three widest; the others are always mixed.
# Versions: timm 1.0.31, torch 2.14.1, Python 3.11, on the CPU.
# Date: 2026-11-30.
# Why it matters to people who mix: batches of NaFlex are filled up to a number of tokens, so that odd ones are common, and
#   panoramas are then trained on clean far more often than portraits: mixing is confounded with the shape of an image,
#   and with what classes have that shape. The way out: even batches, or a `local_shuffle` as large as the batch, which
#   gives up pairs of similar shapes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "timm==1.0.31" "torch==2.14.1"

"$folder/env/bin/python" -W ignore - <<'PYTHON'
import random
import sys

import torch
from timm.data.naflex_mixup import NaFlexMixup

BATCHES = 400


def clean(size):
    """How often every image of a batch, from tall to wide, comes back as it went in."""
    mix = NaFlexMixup(num_classes=size, mixup_alpha=0.8, cutmix_alpha=0.0)
    count = [0] * size
    for _ in range(BATCHES):
        images = [torch.full((1, 60 - 2 * row, 20 + 4 * row), float(row)) for row in range(size)]
        order = random.sample(range(size), size)
        labels = torch.tensor(order)
        mixed, targets = mix([images[row] for row in order], labels)
        for row, target in zip(order, targets):
            count[row] += int(target[row] == 1)
    return count


random.seed(0)
torch.manual_seed(0)
nine, seven, eight = clean(9), clean(7), clean(8)
for size, count in ((9, nine), (7, seven), (8, eight)):
    print(f"{size} images, tall to wide: left clean in {count} of {BATCHES} batches")
as_it_was = nine == [0] * 8 + [BATCHES] and sum(seven[:4]) == 0 and min(seven[4:]) > 0 and sum(eight) == 0
sys.exit(0 if as_it_was else "This has changed.")
PYTHON
