"""Semantic masks: pasted, paired, soft and dominant, against a painter that follows the ids of every pixel."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
import tiers
from forms import bits, both_backends, host, memory

from mixtransforms.core.errors import InputError, ParameterError, PlanError
from mixtransforms.kernels import compiled, rows
from mixtransforms.methods import CutMix, MixUp, OneOf
from mixtransforms.plan import BatchSpec, Boxes, Layer, Mask, Plan
from mixtransforms.targets.kind import Mixed, Scene
from mixtransforms.targets.mask import FORMS, MaskPair, SemanticMask

SIZE, SHAPE, CLASSES, IGNORED = 4, (5, 7), 6, 255
SPEC = BatchSpec(SIZE, SHAPE)
BLENDING = Scene(SHAPE, first=True, blends=True)
PASTING = Scene(SHAPE, first=True, blends=False)
LAST = Scene(SHAPE, first=False, blends=True)
BACKENDS = ("numpy", "torch")
Ids = np.ndarray[Any, Any]


# The painter -------------------------------------------------------------------------------------------------------


OF_MASKS = ("soft", "pair", "dominant")
"""The forms whose masks have the shape of those that came in, or classes in place of channels; `test_mixes.py` has the other."""


@dataclass
class Painted:
    """What the rules of the three forms give, pixel by pixel.

    Attributes:
        own: Ids of the samples, ``(B, H, W)``.
        partner: Ids of what was blended in.
        weight: Weight of the samples' ids, ``(B, H, W)``; inside the region of a blend only.
        scalar: Weight of a row by its one blend, ``(B,)``.
        blends: How many layers blend into a row.
        mass: ``(B, H, W)`` dicts of the weight of every id.
    """

    own: Ids
    partner: Ids
    weight: Ids
    scalar: Ids
    blends: Ids
    mass: Any


def field(layer: Layer, index: int, y: int, x: int) -> float:
    opacity = float(layer.opacity[index])
    if layer.region is None:
        return opacity
    if isinstance(layer.region, Mask):
        return opacity * float(layer.region.values[index, y, x])
    (top, left), (bottom, right) = layer.region.start[index], layer.region.stop[index]
    return opacity * float(top <= y < bottom and left <= x < right)


def taken(layer: Layer, index: int, y: int, x: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The pixel of the source that is seen at a pixel."""
    if layer.crop is None:
        return y, x
    boxes = isinstance(layer.region, Boxes)
    start = layer.region.start[index].tolist() if boxes else [0, 0]
    stop = layer.region.stop[index].tolist() if boxes else list(shape)
    low, high = layer.crop.start[index].tolist(), layer.crop.stop[index].tolist()
    return tuple(
        low[a] + (2 * (p - start[a]) + 1) * (high[a] - low[a]) // (2 * (stop[a] - start[a]))
        for a, p in enumerate((y, x))
    )


def painted(plan: Plan, ids: Ids) -> Painted:
    """One layer after the other, one row after the other, one pixel after the other."""
    shape = ids.shape[1:]
    own, partner, weight, scalar = ids.copy(), ids.copy(), np.ones(ids.shape), np.ones(len(ids))
    blends = np.zeros(len(ids), int)
    mass = np.empty(ids.shape, object)
    for cell in np.ndindex(ids.shape):
        mass[cell] = {ids[cell].item(): 1.0}
    for layer in plan.layers:
        for index, (row, source) in enumerate(zip(layer.rows.tolist(), layer.source.tolist(), strict=True)):
            shares = [field(layer, index, y, x) for y, x in np.ndindex(shape)]
            constant = not isinstance(layer.region, Mask) or layer.region.values.dtype == bool
            between = [0 < s < 1 for s in ([float(layer.opacity[index])] if constant else shares)]
            blends[row] += any(between)
            if any(between) and constant:
                scalar[row] = 1 - layer.opacity[index]
            for (y, x), share in zip(np.ndindex(shape), shares, strict=True):
                if share == 0:
                    continue
                new = ids[(source, *taken(layer, index, y, x, shape))]
                partner[row, y, x] = new
                if any(between):
                    weight[row, y, x] = 1 - share
                if share == 1:
                    own[row, y, x] = new
                kept = {i: w * (1 - share) for i, w in mass[row, y, x].items() if share < 1}
                kept[new.item()] = kept.get(new.item(), 0.0) + share
                mass[row, y, x] = kept
    return Painted(own, partner, weight, scalar, blends, mass)


def soft(painting: Painted, classes: int, ignored: int | None) -> Ids:
    maps = np.zeros((*painting.own.shape, classes))
    for cell in np.ndindex(painting.own.shape):
        for number, share in painting.mass[cell].items():
            if number != ignored:
                maps[(*cell, number)] = share
    return maps


# Plans -------------------------------------------------------------------------------------------------------------


def corners(rng: np.random.Generator, count: int, *, empty: bool) -> Boxes:
    ends = np.sort(rng.integers(0, np.array(SHAPE) + 1, (2, count, 2)), axis=0)
    if not empty:
        ends[0] = np.minimum(ends[0], np.array(SHAPE) - 1)
        ends[1] = np.maximum(ends[1], ends[0] + 1)
    return Boxes(*ends)


def random_layer(rng: np.random.Generator, opacities: Callable[[int], Ids], *, soft_edges: bool) -> Layer:
    count = int(rng.integers(1, SIZE + 1))
    rows, source = rng.permutation(SIZE)[:count], rng.integers(0, SIZE, count)
    region: Any = None
    kind = rng.choice(["everywhere", "boxes", "bool", "soft"] if soft_edges else ["everywhere", "boxes", "bool"])
    if kind == "boxes":
        region = corners(rng, count, empty=True)
    elif kind == "bool":
        region = Mask(rng.random((count, *SHAPE)) < 0.5)
    elif kind == "soft":
        region = Mask(np.clip(rng.random((count, *SHAPE)) * 2 - 0.5, 0, 1))
    crop = corners(rng, count, empty=False) if rng.random() < 0.5 else None
    return Layer(rows, source, opacities(count), region, crop)


def random_pastes(seed: int) -> Plan:
    """Up to four layers that copy, moved, resized or in place."""
    rng = np.random.default_rng(seed)
    return Plan(
        SPEC,
        tuple(
            random_layer(rng, lambda n: rng.integers(0, 2, n).astype(float), soft_edges=False)
            for _ in range(rng.integers(0, 5))
        ),
    )


def random_blend(seed: int, *, soft_edges: bool = False) -> Plan:
    """Pastes, one layer that blends, and pastes again."""
    rng = np.random.default_rng(1000 + seed)
    blend = random_layer(rng, lambda n: rng.choice([0.0, 1.0, 0.5, 0.3, 0.8], n), soft_edges=soft_edges)
    return Plan(SPEC, (*random_pastes(seed).layers, blend, *random_pastes(seed + 500).layers))


def soft_blend(seed: int) -> Plan:
    """A soft-edged layer for sure, between pastes."""
    rng = np.random.default_rng(2000 + seed)
    edges = Mask(np.clip(rng.random((3, *SHAPE)) * 2 - 0.5, 0, 1))
    layer = Layer(rng.permutation(SIZE)[:3], rng.integers(0, SIZE, 3), np.array([1.0, 0.6, 0.0]), edges)
    return Plan(SPEC, (*random_pastes(seed).layers, layer, *random_pastes(seed + 500).layers))


def everywhere(rows: list[int], source: list[int], opacity: list[float]) -> Layer:
    return Layer(np.array(rows), np.array(source), np.array(opacity))


EVALUATION = Plan(SPEC)
PLANS = [EVALUATION, *(random_blend(seed) for seed in range(12))]


# Masks -------------------------------------------------------------------------------------------------------------


def ids(seed: int = 0, dtype: str = "int64", ignored: int | None = IGNORED) -> Ids:
    """Ids ``(B, H, W)``, some of them ignored."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2 if dtype == "bool" else CLASSES, (SIZE, *SHAPE))
    if ignored is not None and dtype != "bool":
        values[rng.random(values.shape) < 0.2] = ignored
    return values.astype(dtype)


def own(backend: str, array: Ids) -> Any:
    if backend == "numpy":
        return array
    return pytest.importorskip("torch", reason="torch is not installed").from_numpy(array)


def mix(kind: SemanticMask, plan: Plan, value: Any, scene: Scene = BLENDING) -> Mixed:
    """Checked, mixed, and the input unharmed."""
    before = bits(value)
    kind.check(value, "mask", scene)
    mixed = kind.mix(plan, value, scene)
    assert bits(value) == before
    for result in (mixed.value, *mixed.beside.values()):
        assert memory(result) != memory(value), "results have memory of their own"
    return mixed


def pair(mixed: Mixed) -> MaskPair:
    assert list(mixed.beside) == ["_partner", "_weight"]
    assert mixed.together is MaskPair
    return MaskPair(mixed.value, *mixed.beside.values())


# Pastes ------------------------------------------------------------------------------------------------------------


@both_backends
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "int32", "int64", "float16", "float32"])
def test_pastes_copy_ids(dtype: str, backend: str) -> None:
    values = ids(dtype=dtype)
    for seed in range(15):
        plan = random_pastes(seed)
        mixed = mix(SemanticMask(), plan, own(backend, values), PASTING)
        assert not mixed.beside
        assert mixed.together is None
        assert host(mixed.value).dtype == values.dtype
        np.testing.assert_array_equal(host(mixed.value), painted(plan, values).own)


@pytest.mark.parametrize("form", [None, *FORMS])
def test_a_method_that_only_pastes_has_one_form(form: str | None) -> None:
    values = ids()
    plan = CutMix(placement="inside").draw(SPEC, np.random.default_rng(0))
    mixed = mix(SemanticMask(form=form), plan, values, PASTING)
    np.testing.assert_array_equal(mixed.value, painted(plan, values).own)
    assert not mixed.beside


@pytest.mark.parametrize("backend", BACKENDS)
def test_resized_crops_have_no_new_ids(backend: str) -> None:
    """Ids far apart: a mean of any two would be seen."""
    values = np.random.default_rng(5).choice(np.array([0, 2, 100, 255]), (SIZE, *SHAPE)).astype(np.uint8)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        layer = Layer(
            np.arange(SIZE), np.roll(np.arange(SIZE), 1), np.ones(SIZE),
            corners(rng, SIZE, empty=True), corners(rng, SIZE, empty=False),
        )  # fmt: skip
        plan = Plan(SPEC, (layer,))
        for scene in (PASTING, BLENDING):
            seen = host(mix(SemanticMask(), plan, own(backend, values), scene).value)
            assert set(seen.flat) <= set(values.flat)
            np.testing.assert_array_equal(seen, painted(plan, values).own)


@pytest.mark.parametrize("backend", BACKENDS)
def test_ignored_pixels_travel(backend: str) -> None:
    values = ids(ignored=None)
    values[1] = IGNORED
    plan = Plan(SPEC, (Layer([0], [1], [1.0], Boxes(np.array([[1, 2]]), np.array([[4, 6]]))),))
    seen = host(mix(SemanticMask(), plan, own(backend, values), PASTING).value)
    inside = np.zeros(SHAPE, bool)
    inside[1:4, 2:6] = True
    np.testing.assert_array_equal(seen[0] == IGNORED, inside)


# Shapes and memory -------------------------------------------------------------------------------------------------


@both_backends
@pytest.mark.parametrize(("scene", "axis"), [(BLENDING, None), (LAST, None), (BLENDING, 1), (LAST, 3)])
@pytest.mark.parametrize("form", OF_MASKS)
def test_the_axis_of_channels(form: str, scene: Scene, axis: int | None, backend: str) -> None:
    values = ids()
    kind, plan = SemanticMask(CLASSES, IGNORED, form), random_blend(3)
    given = values if axis is None else np.expand_dims(values, axis)
    seen, plain = (mix(kind, plan, own(backend, array), scene) for array in (given, values))
    if form == "soft":
        assert tuple(seen.value.shape) == ((SIZE, CLASSES, *SHAPE) if scene.first else (SIZE, *SHAPE, CLASSES))
        np.testing.assert_array_equal(host(seen.value), host(plain.value))
        return
    for result, flat in zip(
        (seen.value, seen.beside.get("_partner")), (plain.value, plain.beside.get("_partner")), strict=True
    ):
        if result is not None:
            assert tuple(result.shape) == given.shape
            np.testing.assert_array_equal(host(result).reshape(values.shape), host(flat))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("scene", "axis"), [(BLENDING, None), (LAST, None), (BLENDING, 1), (LAST, 3)])
def test_a_map_of_weights_looks_like_the_mask(scene: Scene, axis: int | None, backend: str) -> None:
    values, plan = ids(), soft_blend(1)
    given = values if axis is None else np.expand_dims(values, axis)
    weight = pair(mix(SemanticMask(), plan, own(backend, given), scene)).weight
    assert tuple(weight.shape) == given.shape
    wanted = mix(SemanticMask(), plan, values).beside["_weight"]
    np.testing.assert_array_equal(host(weight).reshape(values.shape), wanted)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(9,), (3, 4, 5)], ids=str)
@pytest.mark.parametrize("form", OF_MASKS)
def test_other_numbers_of_axes(form: str, shape: tuple[int, ...], backend: str) -> None:
    """A box of the partner's, half transparent, cut out of a span or a volume."""
    values = np.random.default_rng(6).integers(0, CLASSES, (2, *shape))
    start, stop = np.ones((1, len(shape)), int), np.array([shape]) - 1
    inside = (0, *(slice(1, length - 1) for length in shape))
    for first, opacity in product((True, False), (0.25, 1.0)):
        plan = Plan(BatchSpec(2, shape), (Layer([0], [1], [opacity], Boxes(start, stop)),))
        given = values[:, None] if first else values[..., None]
        seen = mix(SemanticMask(CLASSES, form=form), plan, own(backend, given), Scene(shape, first, blends=True))
        if form == "soft":
            wanted = np.eye(CLASSES)[values]
            wanted[inside] = (1 - opacity) * wanted[inside] + opacity * wanted[(1, *inside[1:])]
            np.testing.assert_allclose(host(seen.value), np.moveaxis(wanted, -1, 1) if first else wanted, atol=1e-7)
            continue
        wanted = values.copy()
        wanted[inside] = values[(1, *inside[1:])]
        np.testing.assert_array_equal(host(seen.value).reshape(values.shape), wanted if opacity == 1 else values)
        if form == "pair":
            np.testing.assert_array_equal(host(seen.beside["_partner"]).reshape(values.shape), wanted)


@both_backends
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("layout", ["strided", "transposed"])
def test_views(layout: str, backend: str, form: str) -> None:
    values, plan = ids(), random_blend(4)
    if layout == "strided":
        view = own(backend, np.repeat(values, 2, axis=-1))[..., ::2]
    else:
        view = own(backend, np.ascontiguousarray(values.swapaxes(1, 2))).swapaxes(1, 2)
    seen, wanted = (mix(SemanticMask(CLASSES, IGNORED, form), plan, array) for array in (view, own(backend, values)))
    for name in ("value", *wanted.beside):
        a, b = (host(m.value if name == "value" else m.beside[name]) for m in (seen, wanted))
        np.testing.assert_array_equal(a, b)
    if layout == "transposed" and form in OF_MASKS[1:]:
        strides = seen.value.strides if backend == "numpy" else seen.value.stride()
        assert strides[1] < strides[2], "memory lies as it did"


def test_large_tensors_are_painted_in_host_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    used: list[Any] = []
    real = rows.paint
    monkeypatch.setattr(compiled, "LIBRARY", None)
    monkeypatch.setattr(rows, "paint", lambda *args, **more: used.append(type(args[2])) or real(*args, **more))
    shape = (300, 300)
    plan = OneOf([MixUp(alpha=1.0), CutMix()]).draw(BatchSpec(6, shape), np.random.default_rng(4))
    values = np.random.default_rng(0).integers(0, 9, (6, *shape)).astype(np.uint8)
    scene = Scene(shape, first=True, blends=True)
    seen = pair(mix(SemanticMask(), plan, torch.from_numpy(values), scene))
    assert set(used) == {np.ndarray}
    wanted = pair(mix(SemanticMask(), plan, values, scene))
    for a, b in zip(seen, wanted, strict=True):
        np.testing.assert_array_equal(host(a), b)


# Pairs -------------------------------------------------------------------------------------------------------------


@both_backends
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64", "float32"])
@pytest.mark.parametrize("form", ["pair", None])
def test_pairs(form: str | None, dtype: str, backend: str) -> None:
    values = ids(dtype=dtype)
    for plan in PLANS:
        seen, wanted = pair(mix(SemanticMask(form=form), plan, own(backend, values))), painted(plan, values)
        assert host(seen.mask).dtype == host(seen.partner).dtype == values.dtype
        np.testing.assert_array_equal(host(seen.mask), wanted.own)
        np.testing.assert_array_equal(host(seen.partner), wanted.partner)
        assert host(seen.weight).dtype == np.float32
        np.testing.assert_array_equal(host(seen.weight), wanted.scalar.astype(np.float32))


@pytest.mark.parametrize("backend", BACKENDS)
def test_pairs_under_soft_edges(backend: str) -> None:
    values = ids()
    for seed in range(12):
        plan = soft_blend(seed)
        seen, wanted = pair(mix(SemanticMask(), plan, own(backend, values))), painted(plan, values)
        np.testing.assert_array_equal(host(seen.mask), wanted.own)
        np.testing.assert_array_equal(host(seen.partner), wanted.partner)
        assert host(seen.weight).dtype == np.float32
        blended = host(seen.mask) != host(seen.partner)
        np.testing.assert_allclose(host(seen.weight)[blended], wanted.weight[blended], atol=1e-7)


def test_weights_under_soft_edges_are_what_is_left() -> None:
    edges = Mask(np.clip(np.linspace(-0.5, 1.5, 35).reshape(1, *SHAPE), 0, 1))
    plan = Plan(SPEC, (Layer([2], [0], [1.0], edges),))
    weight = pair(mix(SemanticMask(), plan, ids())).weight
    np.testing.assert_array_equal(weight[2], (1 - edges.values[0]).astype(np.float32))
    np.testing.assert_array_equal(weight[[0, 1, 3]], 1)


def test_soft_edges_fix_the_form_even_where_they_are_hard() -> None:
    """The map of weights comes with the type of the region, not with the values that were drawn."""
    edges = Mask((np.random.default_rng(0).random((1, *SHAPE)) < 0.5).astype(float))
    values = ids()
    seen = pair(mix(SemanticMask(), Plan(SPEC, (Layer([0], [1], [1.0], edges),)), values))
    assert seen.weight.shape == values.shape
    assert (seen.weight == 1).all()
    np.testing.assert_array_equal(seen.mask[0], np.where(edges.values[0] == 1, values[1], values[0]))
    np.testing.assert_array_equal(seen.partner, seen.mask)


def test_what_is_pasted_is_the_same_in_both() -> None:
    """Before a blend and behind it, on the same row."""
    values = np.arange(SIZE)[:, None, None] * np.ones(SHAPE, np.int64)
    left, top = Boxes(np.array([[0, 0]]), np.array([[5, 3]])), Boxes(np.array([[0, 0]]), np.array([[2, 7]]))
    layers = (Layer([0], [1], [1.0], left), everywhere([0], [2], [0.25]), Layer([0], [3], [1.0], top))
    seen = pair(mix(SemanticMask(), Plan(SPEC, layers), values))
    assert (seen.mask[0, :2] == 3).all()
    assert (seen.partner[0, :2] == 3).all()
    assert (seen.mask[0, 2:, :3] == 1).all()
    assert (seen.mask[0, 2:, 3:] == 0).all()
    assert (seen.partner[0, 2:] == 2).all()
    np.testing.assert_array_equal(seen.weight, np.float32([0.75, 1, 1, 1]))


@pytest.mark.parametrize("opacity", [0.0, 1.0])
def test_opacities_of_nothing_and_everything(opacity: float) -> None:
    """Neither is a blend: a second one and a third are allowed."""
    values = ids()
    plan = Plan(SPEC, (everywhere([0], [1], [opacity]), everywhere([0], [2], [0.5]), everywhere([0], [3], [opacity])))
    seen = pair(mix(SemanticMask(), plan, values))
    np.testing.assert_array_equal(seen.mask[0], values[3] if opacity else values[0])
    np.testing.assert_array_equal(seen.partner[0], values[3] if opacity else values[2])


@pytest.mark.parametrize("form", ["pair", "dominant"])
def test_a_second_blend_is_refused(form: str) -> None:
    layers = (everywhere([0, 1], [1, 0], [0.5, 0.5]), everywhere([3, 1], [2, 2], [0.5, 0.9]))
    with pytest.raises(PlanError, match=r"Several layers blend .* got rows \[1\]; .* Use masks='mix' or masks='soft'"):
        SemanticMask(form=form).mix(Plan(SPEC, layers), ids(), BLENDING)
    edges = Mask(np.full((1, *SHAPE), 0.5))
    with pytest.raises(PlanError, match=r"got rows \[0\]; wanted at most one blend a sample"):
        SemanticMask(form=form).mix(Plan(SPEC, (layers[0], Layer([0], [3], [1.0], edges))), ids(), BLENDING)


@pytest.mark.parametrize("method", [MixUp(alpha=1.0), OneOf([MixUp(alpha=1.0), CutMix()])], ids=["MixUp", "OneOf"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_methods(method: Any, backend: str) -> None:
    values = ids()
    for seed in range(10):
        plan = method.draw(SPEC, np.random.default_rng(seed))
        wanted = painted(plan, values)
        seen = pair(mix(SemanticMask(), plan, own(backend, values)))
        np.testing.assert_array_equal(host(seen.mask), wanted.own)
        np.testing.assert_array_equal(host(seen.partner), wanted.partner)
        np.testing.assert_array_equal(host(seen.weight), wanted.scalar.astype(np.float32))
        kind = SemanticMask(CLASSES, IGNORED, "soft")
        maps = host(mix(kind, plan, own(backend, values), LAST if backend == "numpy" else BLENDING).value)
        maps = maps if backend == "numpy" else np.moveaxis(maps, 1, -1)
        np.testing.assert_allclose(maps, soft(wanted, CLASSES, IGNORED), atol=1e-6)


def test_the_weight_of_mixup_is_the_plans() -> None:
    plan = MixUp(alpha=1.0).draw(SPEC, np.random.default_rng(0))
    seen = pair(mix(SemanticMask(), plan, values := ids()))
    np.testing.assert_array_equal(seen.weight, plan.weight.astype(np.float32))
    np.testing.assert_array_equal(seen.mask, values)
    np.testing.assert_array_equal(seen.partner, values[plan.partner])


# Soft maps ---------------------------------------------------------------------------------------------------------


@both_backends
@tiers.each(ignored=[IGNORED, 2], dtype=["uint8", "uint16", "int32", "int64"])
def test_soft_maps(ignored: int, dtype: str, backend: str) -> None:
    values = ids(dtype=dtype, ignored=ignored)
    kind = SemanticMask(CLASSES, ignored, "soft")
    plans = [
        *PLANS,
        *(soft_blend(seed) for seed in range(4)),
        *(random_blend(seed, soft_edges=True) for seed in range(4)),
    ]
    for plan in plans:
        mixed = mix(kind, plan, own(backend, values))
        assert not mixed.beside
        assert host(mixed.value).dtype == np.float32
        seen = np.moveaxis(host(mixed.value), 1, -1)
        np.testing.assert_allclose(seen, soft(painted(plan, values), CLASSES, ignored), atol=1e-6)
        np.testing.assert_array_equal(host(mix(kind, plan, own(backend, values), LAST).value), seen)


def test_any_number_of_blends_adds_up_in_soft_maps() -> None:
    values = ids()
    plan = Plan(SPEC, (everywhere([0], [1], [0.5]), everywhere([0], [2], [0.25]), everywhere([0], [3], [0.8])))
    seen = mix(SemanticMask(CLASSES, IGNORED, "soft"), plan, values, LAST).value
    np.testing.assert_allclose(seen, soft(painted(plan, values), CLASSES, IGNORED), atol=1e-6)


@pytest.mark.parametrize("weight", [0.25, 0.5, 0.7])
@pytest.mark.parametrize("backend", BACKENDS)
def test_the_mass_of_a_pixel(backend: str, weight: float) -> None:
    """0, the sample's, the partner's, or both: by which of the two are ignored there."""
    values = ids()
    values[:, 0, 0] = IGNORED
    plan = Plan(SPEC, (everywhere([0, 2], [1, 3], [1 - weight] * 2),))
    mass = host(mix(SemanticMask(CLASSES, IGNORED, "soft"), plan, own(backend, values), LAST).value).sum(axis=-1)
    valid = values != IGNORED
    np.testing.assert_allclose(mass[0], weight * valid[0] + (1 - weight) * valid[1], atol=1e-6)
    np.testing.assert_allclose(mass[2], weight * valid[2] + (1 - weight) * valid[3], atol=1e-6)
    np.testing.assert_array_equal(mass[[1, 3]], valid[[1, 3]])
    assert len(np.unique(mass[0].round(5))) == (3 if weight == 0.5 else 4)


@pytest.mark.parametrize("backend", BACKENDS)
def test_bools_are_two_classes(backend: str) -> None:
    values = ids(dtype="bool")
    plan = random_blend(5)
    seen = host(mix(SemanticMask(2, form="soft"), plan, own(backend, values), LAST).value)
    np.testing.assert_allclose(seen, soft(painted(plan, values.astype(int)), 2, None), atol=1e-6)


def test_soft_maps_are_pairs_in_other_words() -> None:
    values = ids(ignored=None)
    for plan in (*PLANS, *(soft_blend(seed) for seed in range(4))):
        maps = mix(SemanticMask(CLASSES, form="soft"), plan, values, LAST).value
        both = pair(mix(SemanticMask(), plan, values))
        weight = both.weight if both.weight.ndim == 3 else both.weight[:, None, None]
        wanted = np.eye(CLASSES)[both.mask] * weight[..., None] + np.eye(CLASSES)[both.partner] * (
            1 - weight[..., None]
        )
        np.testing.assert_allclose(maps, wanted, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_of_soft_maps_is_that_of_the_pair(seed: int) -> None:
    """Cross-entropy over all that carries mass, where some pixels are ignored."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(SIZE, *SHAPE, CLASSES))
    logs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    values, plan = ids(seed), random_blend(seed)
    maps = mix(SemanticMask(CLASSES, IGNORED, "soft"), plan, values, LAST).value.astype(np.float64)
    both = pair(mix(SemanticMask(), plan, values))

    def entropy(mask: Ids) -> tuple[Ids, Ids]:
        """Sum of the losses and number of the valid pixels of every sample."""
        valid = mask != IGNORED
        losses = -np.take_along_axis(logs, np.where(valid, mask, 0)[..., None], axis=-1)[..., 0]
        return (losses * valid).sum(axis=(1, 2)), valid.sum(axis=(1, 2))

    (own_loss, own_valid), (partner_loss, partner_valid) = entropy(both.mask), entropy(both.partner)
    weight = both.weight.astype(np.float64)
    total = weight * own_loss + (1 - weight) * partner_loss
    valid = weight * own_valid + (1 - weight) * partner_valid
    np.testing.assert_allclose(-(maps * logs).sum() / maps.sum(), total.sum() / valid.sum(), rtol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("scene", [BLENDING, LAST], ids=["first", "last"])
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32", "float64"])
def test_one_hot_maps_are_painted_as_ids_are(dtype: str, scene: Scene, backend: str) -> None:
    values = ids(ignored=None)
    hot = np.eye(CLASSES)[values].astype(dtype)
    hot = np.ascontiguousarray(np.moveaxis(hot, -1, 1)) if scene.first else hot
    for plan in (*PLANS, soft_blend(0)):
        seen = host(mix(SemanticMask(form="soft"), plan, own(backend, hot), scene).value)
        assert seen.dtype == (np.float64 if dtype == "float64" else np.float32)
        wanted = host(mix(SemanticMask(CLASSES, form="soft"), plan, own(backend, values), scene).value)
        np.testing.assert_allclose(seen, wanted, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", ["pair", "dominant"])
def test_maps_are_pasted_whole(form: str, backend: str) -> None:
    maps = np.random.default_rng(0).random((SIZE, CLASSES, *SHAPE)).astype(np.float32)
    names = np.arange(SIZE * 35).reshape(SIZE, *SHAPE)
    for plan in PLANS:
        seen, who = mix(SemanticMask(form=form), plan, own(backend, maps)), mix(SemanticMask(form=form), plan, names)
        flat = np.moveaxis(maps, 1, -1).reshape(-1, CLASSES)
        np.testing.assert_array_equal(np.moveaxis(host(seen.value), 1, -1), flat[who.value])


# Dominant ----------------------------------------------------------------------------------------------------------


@both_backends
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float32"])
def test_dominant(dtype: str, backend: str) -> None:
    values = ids(dtype=dtype)
    for plan in (*PLANS, *(soft_blend(seed) for seed in range(6))):
        mixed, wanted = mix(SemanticMask(form="dominant"), plan, own(backend, values)), painted(plan, values)
        assert not mixed.beside
        assert host(mixed.value).dtype == values.dtype
        np.testing.assert_array_equal(host(mixed.value), np.where(wanted.weight >= 0.5, wanted.own, wanted.partner))


@pytest.mark.parametrize(("opacity", "source"), [(0.4, 0), (0.5, 0), (0.6, 1)])
def test_ties_are_the_samples(opacity: float, source: int) -> None:
    values = ids()
    for region in (None, Mask(np.ones((1, *SHAPE)))):
        plan = Plan(SPEC, (Layer([0], [1], [opacity], region),))
        np.testing.assert_array_equal(mix(SemanticMask(form="dominant"), plan, values).value[0], values[source])


# What comes out whatever was drawn ---------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("form", FORMS)
def test_the_form_does_not_depend_on_the_draw(form: str, backend: str) -> None:
    values = own(backend, ids(dtype="uint8"))
    kind = SemanticMask(CLASSES, IGNORED, form)
    forms = set()
    for plan in (EVALUATION, random_pastes(1), random_blend(1), Plan(SPEC, (everywhere([0], [1], [0.0]),))):
        mixed = mix(kind, plan, values)
        results = {"": mixed.value, **mixed.beside}
        forms.add(tuple((name, tuple(a.shape), str(a.dtype)) for name, a in results.items()))
    assert len(forms) == 1


@pytest.mark.parametrize("form", FORMS)
def test_values_are_those_that_came_in(form: str) -> None:
    values = ids()
    for plan in (*PLANS, *(soft_blend(seed) for seed in range(4))):
        mixed = mix(SemanticMask(CLASSES, IGNORED, form), plan, values)
        if form == "soft":
            np.testing.assert_array_equal(mixed.value[..., 0, 0].shape, (SIZE, CLASSES))
            assert mixed.value.min() >= 0
            assert mixed.value.max() <= 1 + 1e-6
        else:
            for masks in (mixed.value, mixed.beside.get("_partner", mixed.value)):
                assert set(masks.flat) <= set(values.flat)


@pytest.mark.parametrize("form", FORMS)
def test_backends_give_the_same_bits(form: str) -> None:
    kind = SemanticMask(CLASSES, IGNORED, form)
    for plan in (*PLANS, soft_blend(2)):
        first, second = (mix(kind, plan, own(backend, ids())) for backend in BACKENDS)
        if form == "soft":
            np.testing.assert_allclose(host(second.value), first.value, atol=1e-6)
            continue
        for a, b in zip((first.value, *first.beside.values()), (second.value, *second.beside.values()), strict=True):
            assert bits(host(a)) == bits(host(b))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("form", FORMS)
def test_tv_tensors(form: str) -> None:
    tv_tensors = pytest.importorskip("torchvision.tv_tensors", reason="torchvision is not installed")
    torch = pytest.importorskip("torch")
    mask = tv_tensors.Mask(torch.from_numpy(ids())[:, None])
    kind = SemanticMask(CLASSES, IGNORED, form)
    for plan in (EVALUATION, random_pastes(2), random_blend(2), soft_blend(2)):
        mixed = mix(kind, plan, mask)
        assert type(mixed.value) is tv_tensors.Mask
        plain = mix(kind, plan, mask.as_subclass(torch.Tensor))
        assert type(plain.value) is torch.Tensor
        assert bits(mixed.value) == bits(plain.value)
        if form == "pair":
            assert type(mixed.beside["_partner"]) is tv_tensors.Mask
            over_pixels = mixed.beside["_weight"].ndim > 1
            assert type(mixed.beside["_weight"]) is (tv_tensors.Mask if over_pixels else torch.Tensor)
    assert type(mix(kind, random_pastes(2), mask, PASTING).value) is tv_tensors.Mask


def test_an_empty_batch() -> None:
    empty = Plan(BatchSpec(0, SHAPE))
    for backend, form in product(BACKENDS, FORMS):
        mixed = SemanticMask(CLASSES, IGNORED, form).mix(empty, own(backend, np.zeros((0, *SHAPE), int)), BLENDING)
        assert len(mixed.value) == 0


# What is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("scene", [BLENDING, LAST, PASTING], ids=["first", "last", "pasting"])
@pytest.mark.parametrize("shape", [(4, 10, 14), (4, 5), (4,), (4, 5, 7, 2, 2), (4, 1, 10, 14), (4, 2, 5, 7, 1)])
def test_masks_of_another_size(shape: tuple[int, ...], scene: Scene, backend: str) -> None:
    array = own(backend, np.zeros(shape, int))
    with pytest.raises(
        InputError,
        match=rf"another size than the images \(batch.seg\): got shape \({shape[0]}.*axes \(5, 7\).* Resize",
    ):
        SemanticMask(CLASSES).check(array, "batch.seg", scene)


@pytest.mark.parametrize(
    ("scene", "shape", "side"),
    [(BLENDING, (4, 5, 7, 1), "before"), (LAST, (4, 1, 5, 7), "behind")],
    ids=["first", "last"],
)
def test_channels_on_the_wrong_side(scene: Scene, shape: tuple[int, ...], side: str) -> None:
    with pytest.raises(InputError, match=rf"with channels, if any, {side}\. .* or move the axis of channels"):
        SemanticMask().check(np.zeros(shape, int), "mask", scene)


@pytest.mark.parametrize("backend", BACKENDS)
def test_soft_maps_need_the_number_of_classes(backend: str) -> None:
    with pytest.raises(
        InputError, match=r"number of classes .* \(mask\): .* num_classes=\.\.\. or kinds=.*SemanticMask\(21"
    ):
        SemanticMask(form="soft").check(own(backend, ids()), "mask", BLENDING)
    for form in ("pair", "dominant", None):
        SemanticMask(form=form).check(own(backend, ids()), "mask", BLENDING)
    SemanticMask(form="soft").check(own(backend, ids()), "mask", PASTING)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int64"])
def test_ids_out_of_range_are_listed(dtype: str, backend: str) -> None:
    values = own(backend, ids(dtype=dtype))
    with pytest.raises(
        InputError, match=r"ids out of range \(mask\): got \[5, 255\]; wanted .* below num_classes=5\. "
    ):
        SemanticMask(5, form="soft").check(values, "mask", BLENDING)
    with pytest.raises(
        InputError, match=r"got \[5\]; .* below num_classes=5, or ignore_index=255\. .*SemanticMask\(21\)"
    ):
        SemanticMask(5, 255, "soft").check(values, "mask", BLENDING)
    SemanticMask(6, 255, "soft").check(values, "mask", BLENDING)
    if dtype == "int64":
        with pytest.raises(InputError, match=r"got \[-1, 254\]"):
            SemanticMask(5, 4, "soft").check(values - 1, "mask", BLENDING)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint32", "uint64"])
def test_large_ids_are_compared_as_whole_numbers(dtype: str, backend: str) -> None:
    """float32 takes 2**24 + 1 for 2**24."""
    values = np.zeros((SIZE, *SHAPE), dtype)
    values[1, 2, 3] = 2**24 + 1
    for classes, ignored in ((2**24 + 1, None), (5, 2**24), (5, 2**24 + 2)):
        with pytest.raises(InputError, match=r"Class ids out of range \(mask\): got \[16777217\]"):
            SemanticMask(classes, ignored, "soft").check(own(backend, values), "mask", BLENDING)
    for classes, ignored in ((2**24 + 2, None), (5, 2**24 + 1)):
        SemanticMask(classes, ignored, "soft").check(own(backend, values), "mask", BLENDING)
    ids = np.where(values > 0, values, 3)
    maps = mix(SemanticMask(5, 2**24 + 1, "soft"), Plan(SPEC), own(backend, ids)).value
    np.testing.assert_array_equal(host(maps).sum(axis=1), ids == 3)


@pytest.mark.parametrize("backend", BACKENDS)
def test_alpha_mattes(backend: str) -> None:
    """Floats in one channel: copied by pairs and the dominant source; no class ids."""
    matte = own(backend, np.random.default_rng(0).random((SIZE, 1, *SHAPE)).astype(np.float32))
    with pytest.raises(InputError, match=r"Floats in one channel are not class ids .* masks='pair' for alpha mattes"):
        SemanticMask(CLASSES, form="soft").check(matte, "mask", BLENDING)
    plan = Plan(SPEC, (everywhere([0, 1], [1, 2], [0.3, 0.7]),))
    both = pair(mix(SemanticMask(), plan, matte))
    np.testing.assert_array_equal(host(both.mask), host(matte))
    np.testing.assert_array_equal(host(both.partner), host(matte)[[1, 2, 2, 3]])
    heavier = mix(SemanticMask(form="dominant"), plan, matte).value
    np.testing.assert_array_equal(host(heavier), host(matte)[[0, 2, 2, 3]])


@pytest.mark.parametrize("backend", BACKENDS)
def test_maps_that_soft_ones_cannot_be_made_of(backend: str) -> None:
    maps = own(backend, np.zeros((SIZE, 3, *SHAPE), np.float32))
    with pytest.raises(InputError, match=r"3 channels; wanted 6, because num_classes=6\. .*SemanticMask\(3\)"):
        SemanticMask(CLASSES, form="soft").check(maps, "mask", BLENDING)
    SemanticMask(CLASSES).check(maps, "mask", BLENDING)
    picture = own(backend, np.full((SIZE, 3, *SHAPE), 77, np.uint8))
    with pytest.raises(
        InputError, match=r"not one-hot \(mask\): got shape \(4, 3, 5, 7\) .*uint8; wanted zeros and ones"
    ):
        SemanticMask(form="soft").check(picture, "mask", BLENDING)


def test_parameters() -> None:
    with pytest.raises(
        ParameterError, match=r"'form' \(SemanticMask\): got 'hard'; wanted None or one of 'pair', 'mix', 'soft'"
    ):
        SemanticMask(form="hard")
    with pytest.raises(ParameterError, match=r"'form' \(SemanticMask\): got \['soft'\]"):
        SemanticMask(form=["soft"])
    with pytest.raises(ParameterError, match="num_classes"):
        SemanticMask(0)
    assert repr(SemanticMask(21, form="soft")) == "SemanticMask(num_classes=21, form='soft')"
    assert SemanticMask.name == "mask"


def test_what_is_not_said_is_the_transforms() -> None:
    class Options:
        num_classes, ignore_index, masks = 10, 255, "dominant"

    assert SemanticMask().within(Options) == SemanticMask(10, 255, "dominant")
    assert SemanticMask(21, 0, "soft").within(Options) == SemanticMask(21, 0, "soft")
