#!/usr/bin/env bash
# The weighted sum of two float images is another one in the next major release of OpenCV.
#
# One would assume: `cv2.addWeighted(a, 0.7, b, 0.3, 0)` of float32 images is one definite sum, rounded in one definite
#   way, so that augmented images with the same seed are equal bit for bit after an upgrade.
# What really happens: about one number in seven is one unit in the last place apart between 4.11 and 5.0, on the same
#   processor, and neither is the sum of two rounded products. Bytes are equal, whatever the release.
# Versions: opencv-python-headless 4.11.0.86 and 5.0.0.93, NumPy 2.4.6, Python 3.11, x86-64 with AVX2.
# Date: 2026-11-30.
# Why it matters to people who mix: addWeighted is how MixUp is usually written beside OpenCV and Albumentations. Digests
#   of batches that are kept to show that a run repeats differ after the upgrade, though nothing is wrong. Two products and
#   a sum in NumPy do not depend on the release.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/blend.py" <<'PYTHON'
import sys

import cv2
import numpy as np

rng = np.random.default_rng(0)
first, second = (rng.random((64, 64), dtype=np.float32) for _ in range(2))
mixed = cv2.addWeighted(first, 0.7, second, 0.3, 0.0)
first_bytes, second_bytes = ((image * 255).astype(np.uint8) for image in (first, second))
of_bytes = cv2.addWeighted(first_bytes, 0.7, second_bytes, 0.3, 0.0)
rounded = first * np.float32(0.7) + second * np.float32(0.3)
print(f"OpenCV {cv2.__version__}: {int((mixed != rounded).sum())} of {mixed.size} are not the sum of rounded products")
np.savez(sys.argv[1], floats=mixed, bytes=of_bytes, rounded=rounded)
PYTHON

for release in 4.11.0.86 5.0.0.93; do
    python3 -m venv "$folder/$release"
    "$folder/$release/bin/python" -m pip install -q "opencv-python-headless==$release" "numpy==2.4.6"
    "$folder/$release/bin/python" "$folder/blend.py" "$folder/$release.npz"
done

"$folder/5.0.0.93/bin/python" - "$folder/4.11.0.86.npz" "$folder/5.0.0.93.npz" <<'PYTHON'
import sys

import numpy as np

old, new = map(np.load, sys.argv[1:])
moved = old["floats"] != new["floats"]
apart = np.abs(old["floats"].view(np.int32) - new["floats"].view(np.int32)).max()
print(f"{int(moved.sum())} of {moved.size} floats moved, by {apart} unit in the last place at most")
same = np.array_equal(old["bytes"], new["bytes"]) and np.array_equal(old["rounded"], new["rounded"])
print("bytes, and sums of rounded products, are", "equal" if same else "different")
sys.exit(not (moved.mean() > 0.1 and apart == 1 and same))
PYTHON
