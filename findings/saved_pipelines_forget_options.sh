#!/usr/bin/env bash
# A pipeline that Albumentations has saved itself comes back with other options, and behaves otherwise.
#
# One would assume: A.from_dict(A.to_dict(pipeline)) is the same pipeline; what cannot be written is refused.
# What really happens: three options of the Compose and of its boxes are not written, and have their defaults afterwards,
#   without a word: `strict` (unknown arguments and invalid data pass with a warning again), `seed`, and
#   `filter_invalid_bboxes` of BboxParams. With the last one the saved pipeline drops a box without an area, and the
#   loaded one raises on the same sample. What is written in their place are arguments that constructors do not take, of
#   which each load warns (RGBShift, PadIfNeeded, SafeRotate).
# Versions: albumentations 2.0.8 with opencv-python-headless 5.0.0.93, numpy 2.4.6, Python 3.11, on the CPU.
# Date: 2026-11-29.
# Why it matters to people who mix: pipelines are kept as JSON beside an experiment. One that is loaded for the next run
#   draws other augmentations than the seed says, and stops at the first sample whose box a crop has emptied. The way
#   out: write these three options down beside the file, and give them again when the pipeline is built.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "albumentations==2.0.8" "opencv-python-headless==5.0.0.93" "numpy==2.4.6"

NO_ALBUMENTATIONS_UPDATE=1 "$folder/env/bin/python" - <<'PYTHON'
import sys
import warnings

import albumentations as A
import numpy as np


def options(pipeline):
    boxes = pipeline.processors["bboxes"].params
    return pipeline.strict, pipeline.seed, boxes.filter_invalid_bboxes


def number_of_boxes(pipeline):
    """Of a sample with one box, and one without an area."""
    boxes = np.array([[5.0, 5, 20, 20], [8, 8, 8, 20]])
    try:
        return len(pipeline(image=np.zeros((32, 32, 3), np.uint8), bboxes=boxes, ids=[1, 2])["bboxes"])
    except ValueError as error:
        return f"ValueError: {str(error)[:44]}"


boxes = A.BboxParams("pascal_voc", label_fields=["ids"], filter_invalid_bboxes=True)
pipeline = A.Compose([A.HorizontalFlip(p=1)], bbox_params=boxes, strict=True, seed=3)
loaded = A.from_dict(A.to_dict(pipeline))

warned = []
for transform in (A.RGBShift(), A.PadIfNeeded(), A.SafeRotate()):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        A.from_dict(A.to_dict(transform))
    warned += [type(transform).__name__ for warning in seen if "not valid for transform" in str(warning.message)]

found = {
    "strict, seed, filter_invalid_bboxes": (options(pipeline), options(loaded)),
    "boxes": (number_of_boxes(pipeline), number_of_boxes(loaded)),
    "warned of": warned,
}
for name, value in found.items():
    print(f"{name}: {value}")
EXPECTED = {
    "strict, seed, filter_invalid_bboxes": ((True, 3, True), (False, None, False)),
    "boxes": (1, "ValueError: x_max is less than or equal to x_min for bbo"),
    "warned of": ["RGBShift", "PadIfNeeded", "SafeRotate"],
}
if found != EXPECTED:
    sys.exit(f"It has changed: wanted {EXPECTED}")
PYTHON
