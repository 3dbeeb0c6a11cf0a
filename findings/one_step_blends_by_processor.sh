#!/usr/bin/env bash
# Blends in one call of torch give other bits on a processor without fused multiply-add; two products and a sum do not.
#
# One would assume: `torch.lerp(a, b, 0.3)`, `torch.add(x, b, alpha=0.3)` and `torch.addcmul(x, b, weight)` are shorter
#   ways to write the same sum, and that the same seed on the CPU gives the same batch on the next machine.
# What really happens: with the vector code for AVX2 and AVX-512 the product inside is not rounded, with the plain code it
#   is, and thousands of pixels differ in the last place. `a * 0.7 + b * 0.3` is the same on all three. Of halves,
#   `add(alpha=...)` differs as well.
# Versions: torch 2.14.1, NumPy 2.4.6, Python 3.11, on the CPU (x86-64 with AVX2); torch 2.11.0 does the same.
#   ATEN_CPU_CAPABILITY chooses the code that another processor would run.
# Date: 2026-11-30.
# Why it matters to people who mix: these calls are how MixUp is made faster, one pass instead of three. Digests of batches
#   and tests of exact equality then hold on one kind of machine only; machines of a cluster that are not alike train on
#   batches that are not either.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install -q "torch==2.14.1" "numpy==2.4.6"

cat >"$folder/blend.py" <<'PYTHON'
import sys

import numpy as np
import torch

torch.set_num_threads(1)
rng = np.random.default_rng(0)
first, second = (torch.from_numpy(rng.random(1 << 14, dtype=np.float32)) for _ in range(2))
found = {}
for dtype in (torch.float32, torch.float16):
    a, b = first.to(dtype), second.to(dtype)
    weight = torch.full_like(b, 0.3)
    blends = {
        "two products and a sum": a * 0.7 + b * 0.3,
        "lerp": torch.lerp(a, b, 0.3),
        "add with alpha": torch.add(a * 0.7, b, alpha=0.3),
        "addcmul": torch.addcmul(a * 0.7, b, weight),
    }
    found |= {f"{str(dtype)[6:]}, {name}": blend.float().numpy() for name, blend in blends.items()}
np.savez(sys.argv[1], **found)
PYTHON

for code in default avx2; do
    ATEN_CPU_CAPABILITY=$code "$folder/env/bin/python" "$folder/blend.py" "$folder/$code.npz"
done

"$folder/env/bin/python" - "$folder/default.npz" "$folder/avx2.npz" <<'PYTHON'
import sys

import numpy as np

plain, vectors = map(np.load, sys.argv[1:])
moved = {name: int((plain[name] != vectors[name]).sum()) for name in plain}
for name, count in moved.items():
    print(f"{name:35} {count:5} of {plain[name].size} differ")
fixed = [name for name in moved if "two products" in name]
odd = ["float32, lerp", "float32, add with alpha", "float32, addcmul", "float16, add with alpha"]
sys.exit(not (all(moved[name] == 0 for name in fixed) and all(moved[name] > 100 for name in odd)))
PYTHON
