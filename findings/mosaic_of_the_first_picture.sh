#!/usr/bin/env bash
# In a mosaic, the second picture of every sample becomes a copy of the first.
#
# One would assume: `additional_targets={"depth": "image"}` does for A.Mosaic what it does for other transforms: the tiles
#   of the depth maps go where the tiles of the photos go. So would a second label map, and masks of instances.
# What really happens: A.Mosaic builds one picture and one label map, from `image` and `mask` of the samples, and answers
#   with them whoever asks. A depth map comes back as the mosaic of the photos; a second label map as the mosaic of the
#   first; every mask of an instance as the whole label map, as many as the first sample had; every frame of `images`
#   as the mosaic of `image`. Shapes and dtypes are right, and nothing is said.
# Versions: albumentations 2.0.8 with opencv-python-headless 5.0.0.93, numpy 2.4.6, Python 3.11, on the CPU.
# Date: 2026-11-30.
# Why it matters to people who mix: a mosaic is what detection and segmentation are mixed with before MixUp, and pairs of
#   pictures (depth, infrared, two label sets) go through it by additional targets. A model that is trained to predict the
#   depth then learns to predict the photo. The way out: stack further pictures as channels of the image and take them
#   apart afterwards; build label maps of instances as one mask of ids.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "albumentations==2.0.8" "opencv-python-headless==5.0.0.93" "numpy==2.4.6"

NO_ALBUMENTATIONS_UPDATE=1 "$folder/env/bin/python" - <<'PYTHON'
import sys

import albumentations as A
import numpy as np

SIDE = 32


def flat(value, channels=None):
    return np.full((SIDE, SIDE) if channels is None else (SIDE, SIDE, channels), value, np.uint8)


def sample(number):
    """Values say what they are of: photos 10 to 13, depth 110 to 113, label maps 20 and 120, instances 200 and more."""
    return {
        "image": flat(10 + number, 3),
        "depth": flat(110 + number, 3),
        "mask": flat(20 + number),
        "parts": flat(120 + number),
        "masks": [flat(200 + 2 * number), flat(201 + 2 * number)],
        "images": np.stack([flat(50 + number, 3), flat(60 + number, 3)]),
    }


def values(out):
    return {
        name: [np.unique(one).tolist() for one in out[name]] if name in ("masks", "images") else np.unique(out[name]).tolist()
        for name in ("image", "depth", "mask", "parts", "masks", "images")
    }


further = {"depth": "image", "parts": "mask"}
flipped = A.Compose([A.HorizontalFlip(p=1)], additional_targets=further)(**sample(0))
tiled = A.Compose([A.Mosaic(target_size=(SIDE, SIDE), cell_shape=(SIDE, SIDE), p=1)], additional_targets=further, seed=1)(
    **sample(0), mosaic_metadata=[sample(number) for number in (1, 2, 3)]
)
for name, out in (("flip", flipped), ("mosaic", tiled)):
    print(name, values(out))
photos, maps = [10, 11, 12, 13], [20, 21, 22, 23]
if values(tiled) != {
    "image": photos,
    "depth": photos,
    "mask": maps,
    "parts": maps,
    "masks": [maps, maps],
    "images": [photos, photos],
} or values(flipped) != {
    "image": [10],
    "depth": [110],
    "mask": [20],
    "parts": [120],
    "masks": [[200], [201]],
    "images": [[50], [60]],
}:
    sys.exit("It has changed.")
PYTHON
