"""Masked arrays: what is masked is missing, and a mean of it is no number; without a masked value they are arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mixtransforms import CutMix, InputError, MixUp, Regression

X = np.random.default_rng(0).random((4, 8, 8, 3)).astype(np.float32)
BOX = np.array([[0.0, 0.0, 5.0, 5.0]])


def masked(values: Any, last: bool = True) -> Any:
    """The last value is missing, or none is."""
    hidden = np.zeros(np.shape(values), bool)
    hidden.reshape(-1)[-1:] = last
    return np.ma.masked_array(values, hidden)


FORMS: dict[str, tuple[Callable[[bool], Any], dict[str, Any]]] = {
    "image": (lambda m: masked(X, m), {}),
    "large image": (lambda m: masked(np.zeros((4, 96, 96, 3)), m), {}),
    "list of images": (lambda m: {"image": [masked(x, m) for x in X]}, {}),
    "samples": (lambda m: [masked(x, m) for x in X], {}),
    "large samples": (lambda m: [masked(np.zeros((96, 96, 3)), m) for _ in X], {}),
    "unequal samples": (lambda m: [masked(np.zeros((96 + i, 96, 3)), m) for i in range(4)], {"pad": "max"}),
    "ids": (lambda m: (X, masked(np.arange(4), m)), {"num_classes": 4}),
    "rows": (lambda m: (X, masked(np.eye(4), m)), {}),
    "numbers": (lambda m: (X, masked(np.arange(4.0), m)), {"kinds": {1: Regression()}}),
    "numbers of samples": (lambda m: [(x, masked(np.ones(2), m)) for x in X], {"kinds": {1: Regression()}}),
    "mask": (lambda m: {"image": X, "mask": masked(np.ones((4, 8, 8), int), m)}, {}),
    "table": (lambda m: masked(np.ones((4, 5)), m), {"layout": "BF"}),
    "boxes": (lambda m: {"image": X, "boxes": [masked(BOX, m)] * 4}, {}),
    "boxes of records": (lambda m: (X, [{"boxes": masked(BOX, m)}] * 4), {}),
    "boxes of samples": (lambda m: [{"image": x, "boxes": masked(BOX, m)} for x in X], {}),
    "stacked boxes": (lambda m: {"image": X, "boxes": masked([BOX] * 4, m)}, {}),
    "labels of boxes": (lambda m: (X, [{"boxes": BOX, "labels": masked([1], m)}] * 4), {}),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_missing_values_are_refused_wherever_they_are_mixed(method: Any, name: str) -> None:
    """Also after a batch of the same structure in which nothing was missing, and before one."""
    made, options = FORMS[name]
    if method is CutMix and options.keys() & {"pad", "layout"}:
        pytest.skip("nothing to paste")
    mix = method(p=0.0, **options)
    mix(made(False))
    for _ in range(2):
        with pytest.raises(
            InputError, match=r"Masked values cannot be mixed \(batch.*\): got \d+ of \d+ values masked;"
        ):
            mix(made(True))
    mix(made(False))


def test_without_a_missing_value_they_are_their_data() -> None:
    wanted, labels = MixUp(alpha=1.0, seed=0, num_classes=4)(X, np.arange(4))
    images, ids = MixUp(alpha=1.0, seed=0, num_classes=4)(masked(X, False), masked(np.arange(4), False))
    assert type(images) is type(ids) is np.ndarray
    np.testing.assert_array_equal(images, wanted)
    np.testing.assert_array_equal(ids, labels)
    unmasked = np.ma.masked_array(X)
    assert unmasked.mask is np.ma.nomask
    np.testing.assert_array_equal(MixUp(alpha=1.0, seed=0)(unmasked), wanted)


def test_the_steps_that_are_named_lead_on() -> None:
    ids = masked(np.arange(4))
    with pytest.raises(InputError, match=r"Fill them, array\.filled\(0\), class ids with that of ignore_index"):
        MixUp(num_classes=4)(X, ids)
    labels = MixUp(p=0.0, num_classes=4, ignore_index=-1)(X, ids.filled(-1))[1]
    np.testing.assert_array_equal(labels, np.eye(4) * [[1], [1], [1], [0]])


def test_what_passes_keeps_its_mask() -> None:
    """Stacked, and repeated beside originals: NumPy's own stack and concatenate drop masks."""
    given = masked(np.arange(8).reshape(4, 2))
    kept = MixUp(passthrough="depth", keep_originals=True)({"image": X, "depth": given})["depth"]
    np.testing.assert_array_equal(kept.mask, np.concatenate([given.mask] * 2))
    stacked = MixUp(passthrough="depth")([{"image": x, "depth": row} for x, row in zip(X, given, strict=True)])["depth"]
    np.testing.assert_array_equal(stacked.mask, given.mask)


def test_plans_refuse_them_too() -> None:
    plan = MixUp(alpha=1.0, seed=0).plan(X)
    with pytest.raises(InputError, match=r"Masked values cannot be mixed \(plan\.apply\)"):
        plan.apply(masked(X))
    assert type(plan.apply(masked(X, False))) is np.ndarray
