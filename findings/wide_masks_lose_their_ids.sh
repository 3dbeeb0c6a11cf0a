#!/usr/bin/env bash
# Which transform happens to run decides about the dtype of a segmentation mask, and about the ids in it.
#
# One would assume: a flip, a resize or a padding of a mask of ids moves pixels, and the ids and their dtype stay.
# What really happens: of a mask of int64, the dtype that torch's losses ask for, Albumentations makes int32 wherever it
#   calls OpenCV (flips, resize, rotation, padding) and leaves it int64 where it slices (crop, transpose, dropout). Ids
#   that need more than 32 bits become other ids on the way, without a word: 2**33 becomes 0, which is the background.
#   With p=0.5 the dtype of a batch depends on the draw.
# Versions: albumentations 2.0.8 with opencv-python-headless 5.0.0.93, numpy 2.4.6, Python 3.11, on the CPU.
# Date: 2026-11-29.
# Why it matters to people who mix: masks of one batch come from samples of which some were flipped and some were not,
#   so that they differ in dtype before they are stacked, and `cross_entropy` refuses some batches and not others. Ids
#   of panoptic data and of instances that are packed into one number do not fit into 32 bits. The way out: small ids,
#   or a table that turns them into small ids before, and back afterwards.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "albumentations==2.0.8" "opencv-python-headless==5.0.0.93" "numpy==2.4.6"

NO_ALBUMENTATIONS_UPDATE=1 "$folder/env/bin/python" - <<'PYTHON'
import sys

import albumentations as A
import numpy as np

image = np.zeros((8, 8, 3), np.uint8)
mask = np.zeros((8, 8), np.int64)
mask[:4] = 2**33  # an id that is not the background
mask[4:] = 7

EXPECTED = {
    "HorizontalFlip": ("int32", [0, 7]),
    "Resize": ("int32", [0, 7]),
    "PadIfNeeded": ("int32", [0, 7]),
    "Transpose": ("int64", [7, 2**33]),
    "Crop": ("int64", [7, 2**33]),
}
STEPS = [A.HorizontalFlip(p=1), A.Resize(6, 6), A.PadIfNeeded(12, 12), A.Transpose(p=1), A.Crop(0, 0, 8, 6)]

seen = {}
for step in STEPS:
    out = A.Compose([step])(image=image, mask=mask)["mask"]
    seen[type(step).__name__] = (str(out.dtype), np.unique(out).tolist())
    print(f"{type(step).__name__:15} {out.dtype} {seen[type(step).__name__][1]}")
if seen != EXPECTED:
    sys.exit(f"It has changed: wanted {EXPECTED}")
PYTHON
