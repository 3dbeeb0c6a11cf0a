#!/usr/bin/env bash
# OpenCV's saliency reads an image of floats byte by byte, and says that it has succeeded.
#
# One would assume: StaticSaliencyFineGrained sees the same object in an image of float32 as in the same image of uint8,
#   or refuses floats. It returns True and a map within 0 and 1 for both.
# What really happens: it goes through floats as if every byte were a pixel, so that the map shows the bits of numbers.
#   Of images with one bright square on a calm ground, the square is four times as salient as the image is on average
#   where they are of uint8. In the same images as float32 it is as salient as everything else: nothing of it is seen,
#   whether the values are left as they were, divided by 255, or normalised.
# Versions: opencv-contrib-python-headless 4.13.0.92 and 5.0.0.93, numpy 2.4.6, Python 3.11, on the CPU.
# Date: 2026-11-30.
# Why it matters to people who mix: SaliencyMix pastes around the maximum of this map, and code for it (OpenMixup,
#   mlxops-aug) computes the map of what a network is fed with: normalised float32. The box is then nowhere in
#   particular, which is CutMix under another name. The way out: bring the image to uint8 for this call alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 4.13.0.92 5.0.0.93; do
    python3 -m venv --clear "$folder/env"
    "$folder/env/bin/python" -m pip install -q "opencv-contrib-python-headless==$version" "numpy==2.4.6"

    "$folder/env/bin/python" - "$version" <<'PYTHON'
import sys

import cv2
import numpy as np

IMAGES, HEIGHT, WIDTH, SIDE = 100, 64, 96, 8
MEAN, DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
FORMS = {
    "uint8": lambda image: image,
    "float32, the same values": lambda image: image.astype(np.float32),
    "float32 within [0, 1]": lambda image: (image / 255).astype(np.float32),
    "float32, normalised": lambda image: ((image / 255 - MEAN) / DEVIATION).astype(np.float32),
}


def saliency(image):
    success, found = cv2.saliency.StaticSaliencyFineGrained_create().computeSaliency(image)
    assert success and 0 <= found.min() <= found.max() <= 1
    return found


ratios = {name: [] for name in FORMS}
rng = np.random.default_rng(0)
for _ in range(IMAGES):
    y, x = rng.integers(0, HEIGHT - SIDE), rng.integers(0, WIDTH - SIDE)
    image = rng.integers(85, 96, (HEIGHT, WIDTH, 3), np.uint8)
    image[y : y + SIDE, x : x + SIDE] = 240
    for name, form in FORMS.items():
        found = saliency(form(image))
        ratios[name].append(found[y : y + SIDE, x : x + SIDE].mean() / found.mean())
mean = {name: float(np.mean(values)) for name, values in ratios.items()}
print(f"OpenCV {sys.argv[1]}: saliency of the square, in times of the image's")
for name, ratio in mean.items():
    print(f"  {name:25} {ratio:.2f}")
if mean.pop("uint8") < 3 or max(mean.values()) > 1.2:
    sys.exit("It has changed.")
PYTHON
done
