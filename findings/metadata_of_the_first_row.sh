#!/usr/bin/env bash
# What a batch of medical images says of its rows depends on whether somebody has called a function before.
#
# One would assume: torch's default collation, of a DataLoader or called by itself, makes of MetaTensors what MONAI's own
#   loader makes of them: a batch that has the affine and the file name of every row.
# What really happens: MONAI tells torch how its tensors are collated inside of `list_data_collate`, when that runs for
#   the first time in a process. Until then torch stacks the numbers of all rows and keeps the metadata of the first:
#   one affine of 4 x 4, one file name, `is_batch` False, without a word. Afterwards the same call on the same tensors
#   gives an affine for every row, a list of names, and `is_batch` True. It holds for every process by itself: workers
#   that are spawned begin anew, whatever the main process has called.
# Versions: monai 1.6.1, torch 2.14.1, numpy 2.4.6, Python 3.11, on the CPU.
# Date: 2026-11-30.
# Why it matters to people who mix: samples are collated before they are mixed, and partners are of other scans with
#   other spacings. Whoever collates by torch, or in a collate function of their own, saves and resamples every row with
#   the affine of the first. The way out: call `monai.data.utils.collate_meta_tensor_fn` or `list_data_collate`, in the
#   process that collates.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "monai==1.6.1" "torch==2.14.1" "numpy==2.4.6"

"$folder/env/bin/python" -W ignore - <<'PYTHON'
import sys

import torch
from monai.data import MetaTensor, list_data_collate
from torch.utils.data import default_collate


def scans():
    """Three images of one pixel size each, and the files that they come from."""
    return [
        MetaTensor(torch.zeros(1, 4, 4), affine=torch.eye(4) * (row + 1), meta={"filename": f"{row}.nii"})
        for row in range(3)
    ]


def told(batch):
    return tuple(batch.affine.shape), batch.meta["filename"], batch.is_batch


before = told(default_collate(scans()))
list_data_collate([{"image": scan} for scan in scans()])
after = told(default_collate(scans()))
print("before:", before)
print("after: ", after)
if before != ((4, 4), "0.nii", False) or after != ((3, 4, 4), ["0.nii", "1.nii", "2.nii"], True):
    sys.exit("It has changed.")
PYTHON
