"""Methods as values: checked fields, equality, text, copies."""

import copy
import pickle
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mixtransforms import ParameterError
from mixtransforms.methods import CutMix, MixUp, OneOf

NUMBER = r"wanted 0 or a number within \[1e-06, 1e\+06\], or a schedule of such numbers"


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize(
    "alpha", [-1, -1e-9, np.nan, np.inf, -np.inf, 1e-7, 1e7, 10**400, "0.2", True, None, 1j, [0.2], np.array([1])]
)
def test_bad_alpha(method: type, alpha: Any) -> None:
    with pytest.raises(
        ParameterError, match=rf"Bad value for 'alpha' \({method.__name__}\): got .*; {NUMBER}\. Both parameters"
    ):
        method(alpha=alpha)


@pytest.mark.parametrize("alpha", [0, 0.2, 1, 1e-6, 1e6, np.float32(0.25), np.int64(2), Fraction(1, 4)])
def test_good_alpha_is_a_float(alpha: Any) -> None:
    assert type(MixUp(alpha).alpha) is float
    assert MixUp(alpha).alpha == float(alpha)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MixUp(p=-0.1), r"Bad value for 'p' \(MixUp\): got -0\.1; wanted a number within \[0, 1\]"),
        (lambda: MixUp(p=1.1), r"'p' \(MixUp\): got 1\.1"),
        (lambda: CutMix(p=np.nan), r"'p' \(CutMix\): got nan"),
        (lambda: OneOf([MixUp()], p=2), r"'p' \(OneOf\): got 2"),
        (lambda: MixUp(p=True), r"'p' \(MixUp\): got True"),
        (lambda: MixUp(per="image"), r"'per' \(MixUp\): got 'image'; wanted one of 'sample', 'pair', 'batch'"),
        (lambda: MixUp(pairing="random"), r"'pairing' \(MixUp\): got 'random'; wanted one of 'cycle', 'mat"),
        (lambda: MixUp(fold=1), r"'fold' \(MixUp\): got 1; wanted True or False"),
        (lambda: MixUp(per="pair", pairing="roll"), r"per='pair' needs .* got pairing='roll'; wanted 'matching' or"),
        (lambda: CutMix(placement="centre"), r"'placement' \(CutMix\): got 'centre'; wanted one of 'clip', 'in"),
        (lambda: CutMix(placement="minmax"), r"belong together \(CutMix\): .* wanted both or neither"),
        (lambda: CutMix(minmax=(0.1, 0.2)), r"belong together \(CutMix\): got CutMix\(minmax=\(0\.1, 0\.2\)\)"),
        (lambda: CutMix(placement="minmax", minmax=(0.1, 0.2), correct_weight=False), r"draws no weight .* correct_w"),
        (lambda: CutMix(correct_weight=0), r"'correct_weight' \(CutMix\): got 0; wanted True or False"),
        (lambda: OneOf([]), r"'transforms' \(OneOf\): got \[\]; wanted a non-empty list of mixing methods"),
        (lambda: OneOf(MixUp()), r"'transforms' \(OneOf\): got MixUp\(\)"),
        (lambda: OneOf([MixUp(), "CutMix"]), r"'transforms' \(OneOf\)"),
        (lambda: OneOf([MixUp()], weights=(0.5, 0.5)), r"2 weights for 1 methods \(OneOf\): .* wanted one weight"),
        (lambda: OneOf([MixUp(), CutMix()], weights=(0.6, 0.5)), r"'weights' \(OneOf\): got \(0\.6, 0\.5\); wanted"),
        (lambda: OneOf([MixUp(), CutMix()], weights=(-0.1, 0.5)), r"'weights' \(OneOf\)"),
        (lambda: OneOf([MixUp(), CutMix()], weights=(np.nan, 0.5)), r"'weights' \(OneOf\)"),
        (lambda: OneOf([MixUp()], weights=(True,)), r"'weights' \(OneOf\)"),
        (lambda: OneOf([MixUp()], weights=0.5), r"'weights' \(OneOf\): got 0\.5"),
        (lambda: OneOf([MixUp()], per="pair"), r"'per' \(OneOf\): got 'pair'; wanted one of 'sample', 'batch'"),
    ],
)  # fmt: skip
def test_bad_parameters(make: Any, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        make()


@pytest.mark.parametrize(
    "minmax", [(0.5,), (0.5, 0.4), (-0.1, 0.5), (0.5, 1.1), (np.nan, 0.5), ("a", "b"), 0.5, (True, 1)]
)
def test_bad_minmax(minmax: Any) -> None:
    with pytest.raises(
        ParameterError, match=r"'minmax' \(CutMix\): got .*; wanted None or two fractions \(low, high\)"
    ):
        CutMix(placement="minmax", minmax=minmax)


METHODS = (
    MixUp(), MixUp(0.3, p=0.5, per="pair", fold=True), CutMix(), CutMix(placement="minmax", minmax=[0.1, 0.5]),
    OneOf([MixUp(), CutMix(0.5)], weights=[0.5, 0.25], per="batch"),
)  # fmt: skip


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_methods_are_values(method: Any) -> None:
    names = {"MixUp": MixUp, "CutMix": CutMix, "OneOf": OneOf}
    for twin in (copy.deepcopy(method), pickle.loads(pickle.dumps(method)), replace(method), eval(repr(method), names)):
        assert twin == method
        assert hash(twin) == hash(method)
    assert sum(method == other for other in METHODS) == 1
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'p'"):
        method.p = 0.1


def test_changed_copies_are_checked() -> None:
    with pytest.raises(ParameterError, match="'alpha'"):
        replace(MixUp(), alpha=-1)


def test_only_what_differs_is_shown() -> None:
    assert repr(MixUp()) == "MixUp()"
    assert repr(MixUp(0.2)) == "MixUp()"
    assert repr(CutMix(0.5, placement="minmax", minmax=[0.1, 0.5])) == (
        "CutMix(alpha=0.5, placement='minmax', minmax=(0.1, 0.5))"
    )
    assert repr(OneOf([MixUp()], per="batch")) == "OneOf(transforms=(MixUp(),), per='batch')"


@pytest.mark.parametrize("method", METHODS, ids=repr)
def test_forced_opens_the_gate(method: Any) -> None:
    assert method.forced() == replace(method, p=1.0)
