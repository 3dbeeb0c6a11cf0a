"""Ten thousand random plans on odd and non-square sizes pass the provenance oracle; three thousand in the first tier."""

import numpy as np
import tiers
from doors import examples, reads_images_alone
from forms import WAYS, Form, painted_by
from oracles import measured, provenance
from told import hints

from mixtransforms import BatchSpec
from mixtransforms.methods.registry import METHODS

PLANS = 10_000 if tiers.everything else 3_000
SHAPES = ((7, 5), (8, 8), (16, 3), (1, 9), (5, 1), (3, 11), (1, 1), (2, 13))
FORMS = (Form("numpy", "float64"), Form("torch", "float64", "channels_last"), Form("numpy", "uint8"))


def test_random_plans() -> None:
    rng = np.random.default_rng(20240)
    methods = [METHODS[name](**options) for name in filter(reads_images_alone, METHODS) for options in examples(name)]
    batches = {(size, shape): provenance(size, shape) for size in (2, 3, 5) for shape in SHAPES}
    images = {(key, form): form.build(batches[key] * form.full) for key in batches for form in FORMS}
    keys, worst = list(batches), 0.0
    for number in range(PLANS):
        key, form = keys[number % len(keys)], FORMS[number % len(FORMS)]
        method, spec = methods[number % len(methods)], BatchSpec(*key)
        plan = method.draw(spec, rng, hints(method, spec))
        with painted_by(WAYS[number // 7 % len(WAYS)]):
            seen = form.read(plan.apply(images[key, form], form.layout)).mean(axis=(1, 2)) / form.full
        error = np.abs(seen - measured(plan)).max()
        assert error < 1e-6 + form.resolution, (plan, number)
        worst = max(worst, error if not form.integer else 0.0)
    assert worst < 1e-14
