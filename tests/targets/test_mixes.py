"""Labels and masks of several sources: equally many whatever was drawn, and together what the soft form says."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from forms import host
from plans import BACKENDS, given

import mixtransforms
from mixtransforms import (
    BatchSpec,
    Boxes,
    ConfigError,
    CutMix,
    InputError,
    Label,
    LabelMix,
    Layer,
    Mask,
    MaskMix,
    MixUp,
    Mosaic,
    MultiLabel,
    OneOf,
    ParameterError,
    Plan,
    PlanError,
    Regression,
    SemanticMask,
)
from mixtransforms.targets.kind import Scene
from mixtransforms.targets.united import united

SIZE, SHAPE, CLASSES = 5, (7, 9), 4
METHODS = {
    "MixUp": (lambda **options: MixUp(1.0, **options), 2),
    "CutMix": (CutMix, 2),
    "Mosaic": (Mosaic, 4),
    "nine": (lambda **options: Mosaic(3, **options), 9),
    "OneOf": (lambda **options: OneOf([MixUp(1.0), Mosaic(), OneOf([CutMix()])], **options), 4),
}


def random_plan(seed: int, layers: int = 4) -> Plan:
    """Layers over each other: pastes and blends, everywhere, in boxes and through masks, some of a sample itself."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(rng.integers(1, layers + 1)):
        rows = np.flatnonzero(rng.random(SIZE) < 0.8)
        count = len(rows)
        start = rng.integers(0, SHAPE, (count, 2))
        regions = [
            None,
            Boxes(start, rng.integers(start, np.array(SHAPE) + 1)),
            Mask(rng.random((count, *SHAPE)) < 0.5),
            Mask(np.rint(4 * rng.random((count, *SHAPE))) / 4),
        ]
        opacity = rng.choice([0.0, 0.25, 0.7, 1.0], count)
        made.append(Layer(rows, rng.integers(0, SIZE, count), opacity, regions[rng.integers(4)]))
    return Plan(BatchSpec(SIZE, SHAPE), tuple(made))


def mixed(kind: Any, plan: Plan, value: Any, scene: Scene) -> Any:
    kind.check(value, "value", scene)
    return kind.mix(plan, value, scene)


# ------------------------------------------------------------------------------------------------------ labels


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", METHODS)
def test_a_mix_of_labels_says_what_soft_labels_say(name: str, backend: str) -> None:
    make, count = METHODS[name]
    images, ids = given(np.zeros((SIZE, 8, 8, 3)), "float32", backend), given(np.arange(SIZE), "int64", backend)
    for seed, p in product(range(5), (1.0, 0.5, 0.0)):
        _, mix = make(seed=seed, p=p, labels="mix", layout="channels_last")(images, ids)
        _, soft = make(seed=seed, p=p, num_classes=SIZE, layout="channels_last")(images, ids)
        assert type(mix) is LabelMix
        assert tuple(mix.labels.shape) == tuple(mix.share.shape) == (SIZE, count)
        assert mix.labels.dtype == ids.dtype
        labels, share = host(mix.labels), host(mix.share)
        np.testing.assert_array_equal(labels[:, 0], np.arange(SIZE))
        np.testing.assert_allclose((share[..., None] * np.eye(SIZE)[labels]).sum(axis=1), host(soft), atol=1e-6)
        np.testing.assert_array_equal(labels[share == 0], labels[share == 0])
        assert share.dtype == np.float32
        assert (p > 0) or (share[:, 0] == 1).all()


@pytest.mark.parametrize("seed", range(20))
def test_a_sample_that_is_painted_on_itself_is_there_once(seed: int) -> None:
    plan = random_plan(seed)
    sources, share = united(plan, 5)
    assert sources.shape == share.shape == (SIZE, 5)
    table = np.zeros((2, SIZE, SIZE))
    for column in range(5):
        np.add.at(table[0], (np.arange(SIZE), sources[:, column]), share[:, column])
    for column in range(plan.sources.shape[1]):
        np.add.at(table[1], (np.arange(SIZE), plan.sources[:, column]), plan.target_share[:, column])
    np.testing.assert_allclose(table[0], table[1], atol=1e-6)
    assert (share[:, 1:][sources[:, 1:] == np.arange(SIZE)[:, None]] == 0).all()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Label(form="mix"), np.eye(SIZE, 7)),
        (MultiLabel(form="mix"), np.eye(SIZE, 7)),
        (Regression(form="mix"), np.arange(SIZE * 6.0).reshape(SIZE, 3, 2)),
    ],
    ids=["rows", "tags", "landmarks"],
)
def test_rows_of_several_sources(kind: Any, values: Any, backend: str) -> None:
    plan = random_plan(3)
    scene = Scene(SHAPE, first=True, blends=True, sources=6)
    mix = mixed(kind, plan, given(values, "float64", backend), scene).value
    assert tuple(mix.labels.shape) == (SIZE, 6, *values.shape[1:])
    total = np.einsum("bs,bs...->b...", host(mix.share), host(mix.labels))
    soft = mixed(type(kind)(form="soft"), plan, given(values, "float64", backend), scene).value
    np.testing.assert_allclose(total, host(soft), atol=1e-5)


def test_declared_shares_are_those_of_a_mix() -> None:
    layers = (Layer([0], [1], [0.5]), Layer([0], [2], [0.5]))
    plan = Plan(BatchSpec(3), layers, np.array([[0.1, 0.2, 0.7], [1, 0, 0], [1, 0, 0]]))
    mix = Label(form="mix").mix(plan, np.arange(3), Scene((), first=True, blends=True, sources=3)).value
    np.testing.assert_allclose(mix.share[0], [0.1, 0.2, 0.7], atol=1e-7)
    np.testing.assert_array_equal(mix.labels, [[0, 1, 2], [1, 1, 1], [2, 2, 2]])


def test_a_replayed_plan_may_have_more_sources() -> None:
    plan = random_plan(1)
    most = plan.sources.shape[1]
    images = np.zeros((SIZE, *SHAPE, 1), np.float32)
    for keep in (False, True):
        _, mix = MixUp(labels="mix", keep_originals=keep).replay(plan, images, np.arange(SIZE))
        assert 2 <= mix.labels.shape[1] <= most
        assert mix.labels.shape[0] == SIZE * (1 + keep)


def test_more_sources_than_were_declared_are_refused() -> None:
    plan = Plan(BatchSpec(3), (Layer([0], [1], [0.5]), Layer([0], [2], [0.5])))
    with pytest.raises(PlanError, match=r"More sources .* got 3 .* at most 2.* most_sources"):
        Label(form="mix").mix(plan, np.arange(3), Scene((), first=True, blends=True))


# ------------------------------------------------------------------------------------------------------- masks


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("first", "axis"), [(True, None), (True, 1), (False, 3)], ids=str)
def test_a_mix_of_masks_says_what_soft_maps_say(first: bool, axis: int | None, backend: str) -> None:
    """The sum of shares times one-hot masks, pixel by pixel, of any number of blends and pastes over each other."""
    ids = np.random.default_rng(0).integers(0, CLASSES, (SIZE, *SHAPE))
    array = given(ids if axis is None else np.expand_dims(ids, axis), "uint8", backend)
    maps = 0
    for seed in range(60):
        plan = random_plan(seed)
        cuts = any(layer.region is not None for layer in plan.layers)
        scene = Scene(SHAPE, first=first, blends=True, cuts=cuts, blended=5)
        result = mixed(SemanticMask(form="mix"), plan, array, scene)
        masks, share = host(result.value), host(result.beside["_share"])
        assert masks.shape == (SIZE, 5, *array.shape[1:])
        assert masks.dtype == np.uint8
        assert share.dtype == np.float32
        soft = host(mixed(SemanticMask(CLASSES, form="soft"), plan, array, scene).value)
        wanted = np.moveaxis(soft, 1, -1) if first else soft
        plain = masks.reshape(SIZE, 5, *SHAPE)
        weight = share.reshape(SIZE, 5, 1, 1) if share.ndim == 2 else share.reshape(plain.shape)
        assert share.ndim == 2 or share.shape == masks.shape
        maps += share.ndim > 2
        np.testing.assert_allclose((weight[..., None] * np.eye(CLASSES)[plain]).sum(axis=1), wanted, atol=1e-6)
    assert 0 < maps < 60


def test_a_mix_of_two_is_a_pair() -> None:
    ids = np.random.default_rng(0).integers(0, CLASSES, (SIZE, 8, 8))
    batch = {"image": np.zeros((SIZE, 8, 8, 3), np.float32), "mask": ids}
    for method in (MixUp(1.0), OneOf([MixUp(1.0), Mosaic(), CutMix()])):
        make = type(method)
        more = {"transforms": method.transforms} if isinstance(method, OneOf) else {"alpha": 1.0}
        pair, mix = (make(**more, masks=masks, seed=3)(batch) for masks in ("pair", "mix"))
        assert list(mix) == ["image", "mask", "mask_share"]
        assert mix["mask"].shape == (SIZE, 2, 8, 8)
        np.testing.assert_array_equal(mix["mask"][:, 0], pair["mask"])
        np.testing.assert_array_equal(mix["mask"][:, 1], pair["mask_partner"])
        np.testing.assert_array_equal(mix["mask_share"][:, 0], pair["mask_weight"])
        np.testing.assert_allclose(mix["mask_share"].sum(axis=1), 1, atol=1e-7)


def test_pastes_leave_one_mask() -> None:
    batch = {"image": np.zeros((SIZE, 8, 8, 3), np.float32), "mask": np.zeros((SIZE, 8, 8), np.uint8)}
    assert list(Mosaic(masks="mix", seed=0)(batch)) == ["image", "mask"]


def test_masks_of_a_tuple_come_together() -> None:
    masks = np.zeros((SIZE, 8, 8), np.uint8)
    _, mix = MixUp(masks="mix", kinds={1: "mask"}, seed=0)((np.zeros((SIZE, 8, 8, 3), np.float32), masks))
    assert type(mix) is MaskMix
    assert mix.masks.shape == (SIZE, 2, 8, 8)
    assert mix.share.shape == (SIZE, 2)


def test_masks_keep_their_type() -> None:
    torch, tv_tensors = pytest.importorskip("torch"), pytest.importorskip("torchvision.tv_tensors")
    mask = tv_tensors.Mask(torch.zeros((SIZE, 8, 8), dtype=torch.uint8))
    out = MixUp(masks="mix", seed=0)({"image": torch.zeros((SIZE, 3, 8, 8)), "mask": mask})
    assert type(out["mask"]) is tv_tensors.Mask
    assert tuple(out["mask"].shape) == (SIZE, 2, 8, 8)


def test_the_originals_come_first() -> None:
    ids = np.random.default_rng(0).integers(0, CLASSES, (SIZE, 8, 8))
    batch = {"image": np.zeros((SIZE, 8, 8, 3), np.float32), "mask": ids, "label": np.arange(SIZE)}
    out = MixUp(masks="mix", labels="mix", keep_originals=True, seed=0)(batch)
    np.testing.assert_array_equal(out["mask"][:SIZE], np.stack([ids, ids], axis=1))
    np.testing.assert_array_equal(out["mask_share"][:SIZE], [[1, 0]] * SIZE)
    np.testing.assert_array_equal(out["label"].share[:SIZE], [[1, 0]] * SIZE)


def test_what_is_mixed_once_is_not_mixed_again() -> None:
    batch = {"image": np.zeros((SIZE, 8, 8, 3), np.float32), "mask": np.zeros((SIZE, 8, 8), np.uint8)}
    with pytest.raises(InputError, match=r"mixed already \(batch\['mask_share'\]\)"):
        CutMix(seed=0)(MixUp(masks="mix", seed=0)(batch))
    with pytest.raises(InputError, match="mixed already"):
        CutMix(seed=0)(MixUp(labels="mix", seed=0)(batch["image"], np.arange(SIZE)))


# ------------------------------------------------------------------------------------------------- when built


@pytest.mark.parametrize(
    "make",
    [
        lambda form: Mosaic(labels=form),
        lambda form: OneOf([MixUp(), Mosaic()], labels=form),
        lambda form: Mosaic(kinds={"fine": Label(form=form)}),
    ],
)
def test_pairs_of_several_are_refused_when_built(make: Any) -> None:
    with pytest.raises(ParameterError, match=r"Pairs tell of two sources \(.*got 'pair', and up to 4.* Say 'mix'"):
        make("pair")
    make("mix")


def test_pairs_of_several_are_refused_in_files() -> None:
    data = mixtransforms.to_dict(Mosaic(labels="mix"))
    data["pipeline"]["args"]["labels"] = "pair"
    with pytest.raises(ConfigError, match=r"Pairs tell of two sources.* Say 'mix'"):
        mixtransforms.from_dict(data)


def test_methods_that_blend_two_take_pairs_of_masks() -> None:
    """A mosaic pastes: what it pastes is in both masks."""
    OneOf([MixUp(), Mosaic()], masks="pair")
    Mosaic(masks="pair")


def test_files_know_the_form() -> None:
    mix = MixUp(labels="mix", masks="mix", kinds={"fine": Label(form="mix")})
    again = mixtransforms.from_dict(mixtransforms.to_dict(mix))
    assert (again.labels, again.masks, again.kinds["fine"].form) == ("mix", "mix", "mix")


SOFT_EDGED = {
    "SmoothMix": mixtransforms.SmoothMix,
    "OneOf": lambda **options: OneOf([mixtransforms.SmoothMix(), CutMix(), MixUp(1.0)], **options),
    "nobody mixed": lambda **options: mixtransforms.SmoothMix(p=0.0, **options),
}


@pytest.mark.parametrize("backend", [*BACKENDS, "tv_tensors", "list"])
@pytest.mark.parametrize("channel", [False, True])
@pytest.mark.parametrize("form", ["pair", "mix"])
@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("method", list(SOFT_EDGED))
def test_originals_have_maps_of_ones_where_mixed_masks_have_weights_at_every_place(
    method: str, size: int, form: str, channel: bool, backend: str
) -> None:
    def batch() -> Any:
        rng = np.random.default_rng(size)
        images, masks = rng.random((size, *SHAPE, 3), np.float32), rng.integers(0, CLASSES, (size, *SHAPE))
        masks = masks[..., None] if channel else masks
        if backend == "numpy":
            return {"image": images, "mask": masks}
        torch = pytest.importorskip("torch")
        images, masks = torch.from_numpy(images).movedim(-1, 1), torch.from_numpy(masks)
        masks = masks.movedim(-1, 1) if channel else masks
        if backend == "tv_tensors":
            masks = pytest.importorskip("torchvision.tv_tensors").Mask(masks)
        return {"image": images, "mask": list(masks) if backend == "list" else masks}

    def stacked(value: Any) -> np.ndarray:
        return np.stack([host(item) for item in value]) if isinstance(value, list) else host(value)

    options: dict[str, Any] = {"masks": form, "seed": 3}
    made = SOFT_EDGED[method]
    alone, both = made(**options)(batch()), made(keep_originals=True, **options)(batch())
    assert both.keys() == alone.keys()
    own = batch()["mask"]
    for name, value in alone.items():
        whole = stacked(both[name])
        kept, mixed = whole[:size], whole[size:]
        assert type(both[name]) is type(value)
        assert (mixed == stacked(value)).all()
        if name == "mask_weight":
            assert (kept == 1).all()
        elif name == "mask_share":
            assert (kept[:, 0] == 1).all()
            assert (kept[:, 1:] == 0).all()
        elif name.startswith("mask"):
            expected = stacked(own)
            assert (kept == (expected[:, None] if form == "mix" else expected)).all()
