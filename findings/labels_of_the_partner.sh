#!/usr/bin/env bash
# MONAI's CutMix gives every image the whole label of its partner, and pastes next to nothing into its top left.
#
# One would assume: `CutMix(batch_size, alpha)(images, labels)`, with one row of class labels an image as its documentation
#   has it, mixes the labels by the drawn weights or by what was pasted, and every pixel is pasted about equally often.
# What really happens: since 1.4 labels go through the function that cuts images. A row of classes has no axes to cut, so
#   that the box is the whole row: each label is the partner's, whatever was pasted, while four fifths of the image are its
#   own. The box begins at a place that is drawn uniformly, the same one for the whole batch, and what reaches beyond the
#   end is lost: of 1,600 images, nearly half get the last pixel, and none the first.
# Versions: monai 1.6.1, torch 2.14.1, numpy 2.4.6, Python 3.11, on the CPU.
# Date: 2026-11-30.
# Why it matters to people who mix: a classifier is trained on the labels of images that it hardly sees, with no error and
#   labels of the right form. Label maps, which have the axes of the image, are right. The way out: mix labels of classes
#   yourself, by the share of pixels that changed, or with `apply_on_labels`, which knows the drawn weight alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "monai==1.6.1" "torch==2.14.1" "numpy==2.4.6"

"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys

import numpy as np
import torch
from monai.transforms import CutMix

SIZE, SIDE, BATCHES = 8, 32, 200

images = torch.arange(SIZE).float().view(SIZE, 1, 1, 1).expand(SIZE, 1, SIDE, SIDE)
labels = torch.eye(SIZE)
mix = CutMix(batch_size=SIZE, alpha=1.0)
mix.set_random_state(0)

own, label, pasted = [], [], np.zeros((SIDE, SIDE))
for _ in range(BATCHES):
    mixed, soft = mix(images, labels)
    same = np.asarray(mixed)[:, 0] == np.arange(SIZE)[:, None, None]
    partner = np.asarray(soft).argmax(axis=1)
    others = partner != np.arange(SIZE)
    own += same[others].mean(axis=(1, 2)).tolist()
    label += np.asarray(soft)[np.arange(SIZE), np.arange(SIZE)][others].tolist()
    pasted += (~same).sum(axis=0)

print(f"of images that have another partner: {np.mean(own):.2f} of the pixels are their own, {np.mean(label):.2f} of the label")
corners = pasted[[0, -1], [0, -1]] / (SIZE * BATCHES)
print("images that got the first pixel, and the last: {:.3f}, {:.3f}".format(*corners))
as_it_was = np.mean(own) > 0.7 and np.mean(label) == 0 and corners[0] < 0.02 and corners[1] > 0.3
sys.exit(0 if as_it_was else "This has changed.")
PYTHON
