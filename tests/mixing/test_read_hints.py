"""Hints: what a method asks for is what the batch says, as NumPy, at every door and of every back end."""

import json
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

import mixtransforms
from mixtransforms import BatchSpec, ConfigError, InputError, MixUp, ParameterError, Plan, register_hint
from mixtransforms.authoring import NO_HINTS, Hints, PairMethod, parameter, register
from mixtransforms.methods import base, registry
from mixtransforms.mixing import hints as table

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")
pytest.importorskip("albumentations", reason="albumentations is not installed")

from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv
from mixtransforms.mixing.transform import MixTransform

SIZE, HEIGHT, WIDTH = 3, 5, 7
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (SIZE, HEIGHT, WIDTH, 3), np.uint8)
MAPS = RNG.integers(0, 4, (SIZE, HEIGHT, WIDTH))
BOXES = [np.array([[0.0, 1, 4, 5], [2, 2, 7, 3]]), np.zeros((0, 4)), np.array([[1.0, 0, 3, 2]])]


@dataclass(frozen=True, repr=False)
class Reader(PairMethod):
    """Writes down what it is told, and draws as MixUp with a fixed weight."""

    asks: str = parameter("classes", str, "names of hints", "What it asks for.", {"type": "string"})
    seen: ClassVar[list[Hints]] = []

    @property
    def needs(self) -> frozenset[str]:
        return frozenset(self.asks.split())

    def draw(self, spec: BatchSpec, rng: np.random.Generator, hints: Hints = NO_HINTS) -> Plan:
        self.seen.append(hints)
        pairs = self.pairs(spec, rng, hints)
        return self.paint(spec, pairs, rng.random(len(pairs.rows)))


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """While a test runs, and no longer."""
    register(Reader)
    yield
    registry._methods.pop("Reader")
    Reader.seen.clear()
    for name in [name for name in table._REGISTERED if name.startswith("test ")]:
        del table._REGISTERED[name]


def as_torch(value: Any) -> Any:
    """A batch of NumPy arrays as tensors, images with their channels first."""
    if isinstance(value, list):
        return [as_torch(item) for item in value]
    tensor = torch.from_numpy(value)
    return tensor.movedim(-1, 1) if value.dtype == np.uint8 and value.ndim == 4 else tensor


def by_torch(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: as_torch(value) for name, value in batch.items()}


def by_keyword(mix: Any, batch: dict[str, Any], **more: Any) -> Any:
    return mix(**batch, **more)


def as_dict(mix: Any, batch: dict[str, Any], **more: Any) -> Any:
    return mix(batch, **more)


def as_samples(mix: Any, batch: dict[str, Any], **more: Any) -> Any:
    return mix([{name: value[i] for name, value in batch.items()} for i in range(SIZE)], **more)


DOORS: dict[str, tuple[Any, Callable[[dict[str, Any]], Any], Callable[..., Any]]] = {
    "neutral": (MixTransform, lambda batch: batch, as_dict),
    "neutral, torch": (MixTransform, by_torch, as_dict),
    "neutral, by name": (MixTransform, lambda batch: batch, by_keyword),
    "neutral, samples": (MixTransform, lambda batch: batch, as_samples),
    "torchvision": (tv.Transform, by_torch, as_dict),
    "torchvision, samples": (tv.Transform, by_torch, as_samples),
    "albumentations": (al.Transform, lambda batch: batch, by_keyword),
    "albumentations, samples": (al.Transform, lambda batch: batch, as_samples),
}


def reader(door: type, asks: str, **options: Any) -> Any:
    return type("Reader", (door, Reader), {})(asks=asks, **options)


def told(door: str, asks: str, batch: dict[str, Any], given: Hints = NO_HINTS, **options: Any) -> Any:
    """What a method is told at a door."""
    base_class, convert, call = DOORS[door]
    more = {"hints": given} if given else {}
    call(reader(base_class, asks, **options), convert({"image": IMAGES, **batch}), **more)
    (seen,) = Reader.seen
    assert set(seen) == {asks}
    return seen[asks]


def same(found: Any, wanted: Any) -> None:
    if isinstance(wanted, list):
        assert type(found) is list
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            same(one, other)
        return
    assert type(found) is np.ndarray
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    np.testing.assert_array_equal(found, wanted)


LABELS, AGES, POSES = np.array([2, 0, 1]), np.array([0.5, 3, -1]), RNG.normal(size=(SIZE, 2)).astype(np.float32)
INSTANCES = [RNG.random((n, HEIGHT, WIDTH)) < 0.5 for n in (2, 0, 1)]
HEAT = RNG.random((SIZE, HEIGHT, WIDTH))

CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], Any]] = {
    "classes": ("classes", {"label": LABELS}, {"num_classes": 3}, LABELS),
    "one-hot classes": ("classes", {"label": np.eye(3)[LABELS]}, {}, LABELS),
    "values": ("values", {"age": AGES}, {"kinds": {"age": "regression"}}, AGES[:, None]),
    "rows of values": (
        "values",
        {"pose": POSES, "age": AGES, "sample_weight": np.ones(SIZE)},
        {"kinds": {"age": "regression", "pose": "regression"}},
        np.concatenate([POSES.astype(np.float64), AGES[:, None]], axis=1),
    ),
    "masks": ("masks", {"mask": MAPS}, {}, MAPS),
    "masks of another name": ("masks", {"seg": MAPS}, {"kinds": {"seg": "mask"}}, MAPS),
    "boxes": ("boxes", {"boxes": BOXES}, {}, BOXES),
    "boxes as they are written": (
        "boxes",
        {"boxes": [np.concatenate([each[:, :2], each[:, 2:] - each[:, :2]], axis=1) for each in BOXES]},
        {"boxes": mixtransforms.BoxRules(format="xywh")},
        BOXES,
    ),
    "instances": ("instances", {"boxes": BOXES, "masks": INSTANCES}, {}, INSTANCES),
    "instances alone": (
        "instances",
        {"instance_masks": [(each * 255).astype(np.uint8) for each in INSTANCES]},
        {},
        INSTANCES,
    ),
    "images": ("images", {}, {}, IMAGES),
    "a saliency in the batch": (
        "saliency",
        {"heat": HEAT},
        {"passthrough": ("heat",), "hints": {"saliency": "value:heat"}},
        HEAT,
    ),
    "a saliency of the images": (
        "saliency",
        {},
        {"hints": {"saliency": lambda images: images.max(axis=-1)}},
        IMAGES.max(axis=-1).astype(np.float64),
    ),
    "other classes": (
        "classes",
        {"label": LABELS, "super": LABELS % 2},
        {"num_classes": 3, "passthrough": ("super",), "hints": {"classes": "value:super"}},
        LABELS % 2,
    ),
    "a named value": ("value:domain", {"domain": LABELS}, {"passthrough": ("domain",)}, LABELS),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("door", DOORS)
def test_a_method_is_told_what_the_batch_says(door: str, case: str) -> None:
    asks, batch, options, wanted = CASES[case]
    same(told(door, asks, batch, **options), wanted)


@pytest.mark.parametrize("door", DOORS)
def test_a_saliency_may_be_given_with_the_call(door: str) -> None:
    given = torch.from_numpy(HEAT) if "torch" in door else HEAT
    same(told(door, "saliency", {}, {"saliency": given}), HEAT)


def test_it_may_be_given_to_plan_and_trace() -> None:
    mix = reader(MixTransform, "saliency", seed=0)
    plans = [mix.plan(IMAGES, hints={"saliency": HEAT}), mix.trace(IMAGES, hints={"saliency": HEAT}).plans[0]]
    assert all(len(plan.layers) == 1 for plan in plans)
    for seen in Reader.seen:
        same(seen["saliency"], HEAT)
    assert len(Reader.seen) == 2


def test_what_is_given_with_a_call_stands_before_what_the_batch_has() -> None:
    mix = reader(MixTransform, "classes", num_classes=3)
    mix(IMAGES, LABELS, hints={"classes": np.array([7, 7, 7])})
    same(Reader.seen[0]["classes"], np.array([7, 7, 7]))


@pytest.mark.parametrize("layout", ["BHWC", "BCHW", "channels_first"])
def test_images_have_their_channels_last(layout: str) -> None:
    batch = IMAGES if layout == "BHWC" else IMAGES.transpose(0, 3, 1, 2)
    reader(MixTransform, "images", layout=layout)(batch)
    same(Reader.seen[0]["images"], IMAGES)


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_any_number_of_samples(size: int) -> None:
    mix = reader(MixTransform, "images values masks", kinds={"age": "regression"})
    mix({"image": np.zeros((size, 6, 4, 3)), "age": np.zeros(size), "mask": np.zeros((size, 6, 4), int)})
    (seen,) = Reader.seen
    assert {name: value.shape for name, value in seen.items()} == {
        "images": (size, 6, 4, 3),
        "values": (size, 1),
        "masks": (size, 6, 4),
    }


def test_axes_that_are_not_mixed_are_channels_of_images() -> None:
    video = RNG.random((2, 4, 3, 5, 6))
    reader(MixTransform, "images", layout="BTCHW")(video)
    found = Reader.seen[0]["images"]
    assert found.shape == (2, 5, 6, 12)
    for t, c in np.ndindex(4, 3):
        np.testing.assert_array_equal(found[..., t * 3 + c], video[:, t, c])


@pytest.mark.parametrize("form", ["channel", "maps", "stride"])
def test_label_maps_of_every_form(form: str) -> None:
    fine = np.repeat(np.repeat(RNG.integers(0, 4, (SIZE, 4, 3)), 2, axis=1), 2, axis=2)
    images = np.zeros((SIZE, 8, 6, 3), np.uint8)
    masks = {"channel": fine[..., None], "maps": np.eye(4)[fine], "stride": fine[:, ::2, ::2]}[form]
    reader(MixTransform, "masks")({"image": images, "mask": masks})
    np.testing.assert_array_equal(Reader.seen[0]["masks"], fine)


def test_large_images_that_are_not_collated_yet_are_read() -> None:
    samples = [RNG.integers(0, 256, (300, 200, 3), np.uint8) for _ in range(3)]
    reader(MixTransform, "images")(samples)
    same(Reader.seen[0]["images"], np.stack(samples))


def test_boxes_without_an_area_are_zeros_and_rotated_ones_are_upright() -> None:
    boxes = [np.array([[1.0, 1, 3, 4], [4, 4, 4, 5]]), np.zeros((0, 4))]
    with pytest.warns(mixtransforms.DegenerateBoxWarning):
        reader(MixTransform, "boxes")({"image": np.zeros((2, 6, 6, 3)), "boxes": boxes})
    same(Reader.seen[0]["boxes"], [np.array([[1.0, 1, 3, 4], [0, 0, 0, 0]]), np.zeros((0, 4))])
    turned = [np.array([[3.0, 3, 2, 2, 45]])] * 2
    rules = mixtransforms.BoxRules(format="cxcywhr")
    reader(MixTransform, "boxes", boxes=rules)({"image": np.zeros((2, 6, 6, 3)), "boxes": turned})
    half = np.sqrt(2.0)
    np.testing.assert_allclose(Reader.seen[1]["boxes"][0], [[3 - half, 3 - half, 3 + half, 3 + half]])


# ------------------------------------------------------------------------------------------ keys


def sample_list(boxes: list[Any]) -> list[dict[str, Any]]:
    return [{"image": image, "boxes": each} for image, each in zip(IMAGES, boxes, strict=True)]


OTHER = [np.array([[0.0, 1, 4, 5], [2, 2, 7, 4]]), *BOXES[1:]]


@pytest.mark.parametrize("how", ["alone", "in a pipeline"])
def test_the_key_of_a_draw_has_what_it_reads(how: str) -> None:
    def drawn(asks: str, boxes: list[Any]) -> Plan:
        mix = reader(tv.Transform, asks, seed=None if how == "in a pipeline" else 3)
        if how == "in a pipeline":
            return tv.BatchCompose([mix], seed=3).trace(sample_list(boxes)).plans[0]
        return mix.plan(sample_list(boxes))

    assert drawn("boxes", BOXES) == drawn("boxes", BOXES)
    assert drawn("boxes", BOXES).key == drawn("boxes", BOXES).key
    assert drawn("boxes", BOXES) != drawn("boxes", OTHER)
    assert drawn("images", BOXES) == drawn("images", OTHER)
    assert drawn("images", BOXES).key == drawn("images", BOXES).key
    assert drawn("boxes", BOXES).key != drawn("images", BOXES).key
    assert drawn("saliency", BOXES).key == drawn("images", BOXES).key  # it follows from the images


def test_a_saliency_that_is_given_is_in_the_key_and_one_of_the_images_is_not() -> None:
    def key(**options: Any) -> Any:
        mix = reader(MixTransform, "saliency", seed=3, passthrough=("heat",), **options)
        return lambda heat=HEAT, **more: (
            mix.plan([{"image": image, "heat": own} for image, own in zip(IMAGES, heat, strict=True)], **more).key
        )

    plain = key()()
    assert key(hints={"saliency": brightness})() == key()(HEAT + 1) == plain
    of_batch = key(hints={"saliency": "value:heat"})
    assert of_batch(HEAT) == of_batch(HEAT.copy())
    assert len({plain, of_batch(HEAT), of_batch(HEAT + 1), key()(hints={"saliency": HEAT + 2})}) == 4


def test_a_ready_batch_elsewhere_has_the_key_of_its_samples() -> None:
    mix = reader(MixTransform, "boxes", seed=3)
    samples = mix.plan(sample_list(BOXES))
    mix._stream._home = pickle.loads(pickle.dumps(mix._stream))._home  # as in another process
    ready = mix.plan({"image": IMAGES, "boxes": BOXES})
    tensors = mix.plan({"image": as_torch(IMAGES), "boxes": as_torch(BOXES)})
    assert samples.key == ready.key == tensors.key


def test_class_ids_are_in_no_key() -> None:
    def key(asks: str, labels: Any) -> Any:
        mix = reader(MixTransform, asks, seed=3, labels="pair")
        return mix.plan([{"image": image, "label": label} for image, label in zip(IMAGES, labels, strict=True)]).key

    plain = MixUp(seed=3, labels="pair").plan([{"image": image, "label": 0} for image in IMAGES]).key
    assert key("classes", LABELS) == key("classes", LABELS[::-1].copy()) == key("", LABELS) == plain


def test_a_recorded_key_gives_the_plan_again() -> None:
    mix = reader(MixTransform, "boxes", seed=3)
    plan = mix.plan(sample_list(BOXES))
    assert mix.method.redraw(plan.key, plan.spec, {"boxes": BOXES}) == plan


# ------------------------------------------------------------------------------------------ files


def brightness(images: Any) -> Any:
    return images.mean(axis=-1)


@pytest.mark.parametrize("door", [mixtransforms, tv, al], ids=["neutral", "torchvision", "albumentations"])
def test_a_pipeline_with_a_bare_function_cannot_be_saved_and_one_with_a_name_can(door: Any) -> None:
    mix: Any = type("Reader", (getattr(door, "Transform", MixTransform), Reader), {"__module__": __name__})
    bare = mix(asks="saliency", hints={"saliency": brightness})
    with pytest.raises(ConfigError, match=r"args\.hints.*brightness.*register_hint"):
        mixtransforms.to_json(bare, allow=[mix])
    register_hint("test brightness")(brightness)
    for source in ("test brightness", brightness, "value:heat"):
        text = mixtransforms.to_json(mix(asks="saliency", hints={"saliency": source}), allow=[mix])
        wanted = source if isinstance(source, str) else "test brightness"
        assert json.loads(text)["pipeline"]["args"]["hints"] == {"saliency": wanted}
        again = mixtransforms.from_json(text, allow=[mix])
        assert again.hints == {"saliency": wanted}
        assert repr(wanted) in repr(again)
        assert mixtransforms.to_json(again, allow=[mix]) == text


def test_a_file_with_a_name_that_nobody_registered_says_what_to_import() -> None:
    register_hint("test brightness")(brightness)
    mix = reader(MixTransform, "saliency", hints={"saliency": brightness})
    text = mixtransforms.to_json(mix, allow=[type(mix)])
    del table._REGISTERED["test brightness"]
    with pytest.raises(ConfigError, match="Nothing is registered as 'test brightness': import the module"):
        mixtransforms.from_json(text, allow=[type(mix)])
    with pytest.raises(ParameterError, match=r"No such function.*import the module"):
        mix(IMAGES)


def test_files_of_others_are_as_before() -> None:
    assert "hints" not in mixtransforms.to_json(MixUp())
    assert "hints" not in repr(MixUp())
    assert replace(MixUp(), p=0.5).hints is None


# ------------------------------------------------------------------------------------------ what is refused

REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "no values": (
        lambda: reader(MixTransform, "values")({"image": IMAGES}),
        InputError,
        r"The method reads numbers to predict \(needs\): got a batch without.*kinds={'name': 'regression'}",
    ),
    "weights are no values": (
        lambda: reader(MixTransform, "values")({"image": IMAGES, "sample_weight": AGES}),
        InputError,
        "The method reads numbers to predict",
    ),
    "no masks": (lambda: reader(MixTransform, "masks")(IMAGES), InputError, "The method reads label maps.*masks="),
    "no instances": (
        lambda: reader(MixTransform, "instances")({"image": IMAGES, "boxes": BOXES}),
        InputError,
        "The method reads instance masks.*instance_masks=",
    ),
    "no boxes": (lambda: reader(MixTransform, "boxes")(IMAGES), InputError, "The method reads boxes.*boxes="),
    "no such value": (
        lambda: reader(MixTransform, "value:site")(IMAGES),
        InputError,
        r"The method reads 'site'.*passthrough=\('site',\)",
    ),
    "a value of another length": (
        lambda: reader(MixTransform, "value:site", passthrough=("site",))({"image": IMAGES, "site": np.arange(2)}),
        InputError,
        "Not one value a sample.*wanted 3 numbers",
    ),
    "a value of unlike items": (
        lambda: reader(MixTransform, "value:site", passthrough=("site",))(
            {"image": IMAGES, "site": [np.arange(i) for i in range(3)]}
        ),
        InputError,
        "Not one value a sample",
    ),
    "another shape": (
        lambda: reader(MixTransform, "saliency").plan(IMAGES, hints={"saliency": HEAT[:, :4]}),
        InputError,
        r"No saliency \(hints\['saliency'\]\): got shape \(3, 4, 7\) float64; wanted finite numbers from 0 on, of shape",
    ),
    "not finite": (
        lambda: reader(MixTransform, "saliency").plan(IMAGES, hints={"saliency": np.where(HEAT > 0.9, np.nan, HEAT)}),
        InputError,
        r"No saliency .*got nan in \d+ of 105 places",
    ),
    "negative": (
        lambda: reader(MixTransform, "saliency", hints={"saliency": lambda images: -images.mean(axis=-1)})(IMAGES),
        InputError,
        r"No saliency .*got -.* places",
    ),
    "texts": (
        lambda: reader(MixTransform, "saliency", hints={"saliency": lambda images: ["a", "b", "c"]})(IMAGES),
        InputError,
        "No saliency",
    ),
    "values that are not finite": (
        lambda: reader(MixTransform, "values", kinds={"age": "regression"})({"image": IMAGES, "age": AGES / 0}),
        InputError,
        r"No numbers to predict \(batch\['age'\]\): got inf",
    ),
    "a mask of floats": (
        lambda: reader(MixTransform, "masks")({"image": IMAGES, "mask": HEAT}),
        InputError,
        "No label maps.*float64",
    ),
    "masks of frames": (
        lambda: reader(MixTransform, "masks", layout="BTCHW")(
            {"image": np.zeros((2, 3, 3, 4, 4)), "mask": np.zeros((2, 3, 4, 4), int)}
        ),
        InputError,
        "Label maps along axes that are not mixed.*axes='cube'",
    ),
    "a hint that is not read": (
        lambda: MixUp()(IMAGES, hints={"saliency": HEAT}),
        InputError,
        r"A hint that nobody reads \(MixUp\): got hints={'saliency': ...} with the call; wanted no hints",
    ),
    "an option that is not read": (
        lambda: MixUp(hints={"saliency": brightness}),
        ParameterError,
        r"A hint that nobody reads \(MixUp\)",
    ),
    "an unknown hint": (
        lambda: reader(MixTransform, "saliency", hints={"depth": brightness}),
        ParameterError,
        "Bad value for 'hints'.*No such hint: 'depth'",
    ),
    "an unknown name": (
        lambda: reader(MixTransform, "saliency", hints={"saliency": "gleam"}),
        ParameterError,
        r"Bad value for 'hints'.*Nothing is registered as 'gleam': import the module with @register_hint\('gleam'\)",
    ),
    "no dict": (lambda: MixUp(hints=[1]), ParameterError, "Bad value for 'hints'"),
    "no source": (
        lambda: reader(MixTransform, "saliency", hints={"saliency": HEAT}),
        ParameterError,
        "Bad value for 'hints'",
    ),
    "no name": (lambda: register_hint("value:x"), ParameterError, "No name for a hint"),
}


@pytest.mark.parametrize(("make", "error", "match"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(make: Callable[[], Any], error: type[Exception], match: str) -> None:
    with np.errstate(all="ignore"), pytest.raises(error, match=match):
        make()


def test_the_ways_out_lead_on() -> None:
    """What each error says, done literally."""
    reader(MixTransform, "values", kinds={"age": "regression"})({"image": IMAGES, "age": AGES})
    reader(MixTransform, "masks")({"image": IMAGES, "masks": MAPS})
    reader(MixTransform, "instances")({"image": IMAGES, "instance_masks": INSTANCES})
    reader(MixTransform, "boxes")({"image": IMAGES, "boxes": BOXES})
    reader(MixTransform, "value:site", passthrough=("site",))({"image": IMAGES, "site": np.arange(3)})
    film = {"image": np.zeros((2, 3, 3, 4, 4)), "mask": np.zeros((2, 3, 4, 4), int)}
    reader(MixTransform, "masks", layout="BTCHW", axes="cube")(film)
    MixUp()(IMAGES)


def test_one_name_is_one_function() -> None:
    register_hint("test brightness")(brightness)
    register_hint("test brightness")(brightness)
    with pytest.raises(ParameterError, match="Two functions of one name"):
        register_hint("test brightness")(np.mean)


def test_a_choice_asks_for_what_its_methods_ask() -> None:
    mix = mixtransforms.OneOf([Reader(asks="saliency"), MixUp()], hints={"saliency": brightness})
    mix(IMAGES)
    assert set(Reader.seen[0]) == {"saliency"}


def test_every_hint_has_a_reader() -> None:
    assert list(table.READERS) == list(base.HINTS)
    assert set(table.CHECKS) <= set(base.HINTS)
