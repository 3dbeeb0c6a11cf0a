"""What is found in which container, and that the container comes back."""

import copy
import pickle
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest
from forms import Form, bits, host

from mixtransforms import (
    CutMix,
    InputError,
    KnownLabels,
    LabelPair,
    MaskPair,
    MixUp,
    VisibleKeypoints,
    WeightedObjects,
)
from mixtransforms.containers.mixed import MixedObjects, MixedValue, is_mixed

SIZE = 3
BACKENDS = ("numpy", "torch")


class Pair(NamedTuple):
    image: Any
    label: Any


class Odd(NamedTuple):
    first: Any
    second: Any


@dataclass
class Sample:
    image: Any
    label: Any
    name: str = "?"


@dataclass(frozen=True)
class Frozen:
    pixel_values: Any
    target: Any
    note: str = field(default="", init=False)


class Tagged(dict):
    """A dict of somebody's own, with something else on it."""

    tag = "mine"


class Parts(NamedTuple):
    """A batch of a backend."""

    images: Any
    ids: Any


@pytest.fixture(params=BACKENDS)
def batch(request: pytest.FixtureRequest) -> Parts:
    form = Form(request.param)
    return Parts(form.build(np.random.default_rng(0).random((SIZE, 5, 6, 3))), form.own(np.arange(SIZE)))


def expected(batch: Parts) -> tuple[Any, Any]:
    """What every container's images and labels must become."""
    return MixUp(alpha=1.0, num_classes=SIZE, seed=3)(batch.images, batch.ids)


def mix(value: Any, **options: Any) -> Any:
    return MixUp(alpha=1.0, num_classes=SIZE, seed=3, **options)(value)


def equal(first: Any, second: Any) -> bool:
    return bits(first) == bits(second)


CONTAINERS = {
    "tuple": (lambda x, y: (x, y), lambda b: (b[0], b[1])),
    "list": (lambda x, y: [x, y], lambda b: (b[0], b[1])),
    "dict": (lambda x, y: {"image": x, "label": y}, lambda b: (b["image"], b["label"])),
    "labels first": (lambda x, y: {"targets": y, "imgs": x}, lambda b: (b["imgs"], b["targets"])),
    "capitals": (lambda x, y: {"Image": x, "Label": y}, lambda b: (b["Image"], b["Label"])),
    "nested dict": (
        lambda x, y: {"data": {"pixel_values": x}, "meta": {"y": y}},
        lambda b: (b["data"]["pixel_values"], b["meta"]["y"]),
    ),
    "dict in tuple": (lambda x, y: (x, {"class": y, "id": ["a", "b", "c"]}), lambda b: (b[0], b[1]["class"])),
    "namedtuple": (Pair, lambda b: (b.image, b.label)),
    "dataclass": (Sample, lambda b: (b.image, b.label)),
    "frozen dataclass": (Frozen, lambda b: (b.pixel_values, b.target)),
    "dict subclass": (lambda x, y: Tagged(x=x, y=y), lambda b: (b["x"], b["y"])),
    "OrderedDict": (lambda x, y: OrderedDict(y=y, x=x), lambda b: (b["x"], b["y"])),
    "defaultdict": (lambda x, y: defaultdict(list, inputs=x, labels=y), lambda b: (b["inputs"], b["labels"])),
    "strings and None": (
        lambda x, y: {
            "image": x, "label": y, "name": ["a", "b", "c"], "path": "/x", "none": None, "scale": 0.5, "crop": (1, 2)
        },
        lambda b: (b["image"], b["label"]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_come_back(name: str, batch: Parts) -> None:
    wrap, unwrap = CONTAINERS[name]
    given = wrap(*batch)
    result = mix(given)
    images, labels = unwrap(result)
    wanted_images, wanted_labels = expected(batch)
    assert equal(images, wanted_images)
    assert equal(labels, wanted_labels)
    assert type(result) is type(given)
    assert unwrap(given)[0] is batch.images, "what was passed in still holds what it held"
    assert unwrap(given)[1] is batch.ids
    if isinstance(given, dict):
        assert list(result) == list(given)
        assert {k: v for k, v in result.items() if k in ("name", "path", "none", "scale", "crop")} == {
            k: v for k, v in given.items() if k in ("name", "path", "none", "scale", "crop")
        }


def test_odd_containers_keep_what_they_have(batch: Parts) -> None:
    assert mix(Tagged(x=batch.images, y=batch.ids)).tag == "mine"
    assert mix(defaultdict(list, x=batch.images, y=batch.ids)).default_factory is list
    assert mix(Sample(*batch, name="two")).name == "two"
    frozen = Frozen(*batch)
    object.__setattr__(frozen, "note", "kept")
    assert mix(frozen).note == "kept"


def test_ways_to_pass_a_batch(batch: Parts) -> None:
    wanted = expected(batch)
    transform = MixUp(alpha=1.0, num_classes=SIZE, seed=3)
    by_name = MixUp(alpha=1.0, num_classes=SIZE, seed=3)(images=batch.images, labels=batch.ids)
    assert type(by_name) is dict
    assert equal(by_name["images"], wanted[0])
    images, labels = transform(batch.images, batch.ids)
    assert equal(images, wanted[0])
    assert equal(labels, wanted[1])
    assert equal(MixUp(alpha=1.0, seed=3)(batch.images), wanted[0])
    assert equal(MixUp(alpha=1.0, seed=3)((batch.images,))[0], wanted[0])


@pytest.mark.parametrize("call", ["__call__", "plan", "trace"])
def test_a_batch_is_passed_one_way(call: str, batch: Parts) -> None:
    transform = MixUp()
    for args, named in (((), {}), ((batch.images,), {"labels": batch.ids})):
        with pytest.raises(TypeError, match=r"either by position, .* or by keyword, not both or neither"):
            getattr(transform, call)(*args, **named)


@pytest.mark.parametrize(
    "name",
    [
        "image",
        "images",
        "img",
        "imgs",
        "pixel_values",
        "video",
        "volume",
        "audio",
        "waveform",
        "inputs",
        "x",
        "X",
        "Image",
    ],
)
def test_names_of_images(name: str) -> None:
    images = np.random.default_rng(0).random((3, 4, 4, 1))
    assert not np.array_equal(MixUp(alpha=1.0, seed=0)({name: images})[name], images)


@pytest.mark.parametrize("name", ["label", "labels", "target", "targets", "class", "classes", "y", "Y", "Labels"])
def test_names_of_labels(name: str) -> None:
    mixed = MixUp(num_classes=3)({"image": np.zeros((3, 4, 4, 1)), name: np.arange(3)})
    assert mixed[name].shape == (3, 3)


def test_several_images_get_one_plan(batch: Parts) -> None:
    mixed = mix({"image": batch.images, "img": batch.images, "views": {"x": batch.images}, "y": batch.ids})
    assert equal(mixed["image"], mixed["img"])
    assert equal(mixed["image"], mixed["views"]["x"])


def test_images_of_a_list_of_views(batch: Parts) -> None:
    mixed = mix(
        {"images": {"left": batch.images, "right": batch.images}, "label": batch.ids}, kinds={"images": "image"}
    )
    assert equal(mixed["images"]["left"], mixed["images"]["right"])
    assert equal(mixed["images"]["left"], expected(batch)[0])


def test_declared_kinds(batch: Parts) -> None:
    wanted_images, wanted_labels = expected(batch)
    mixed = mix({"scan": batch.images, "fine": batch.ids}, kinds={"scan": "image", "fine": "label"})
    assert equal(mixed["scan"], wanted_images)
    assert equal(mixed["fine"], wanted_labels)
    mixed = mix({"a": {"b": batch.images}, "c": {"b": batch.ids}}, kinds={"a.b": "image", "c.b": "label"})
    assert equal(mixed["a"]["b"], wanted_images)
    assert equal(mixed["c"]["b"], wanted_labels)
    mixed = mix((batch.ids, batch.images), kinds={0: "label", 1: "image"})
    assert equal(mixed[1], wanted_images)
    assert equal(mixed[0], wanted_labels)
    mixed = mix((batch.images, batch.ids, batch.images), kinds={2: "image"})
    assert equal(mixed[2], wanted_images)
    mixed = mix(Odd(*batch), kinds={"first": "image", "second": "label"})
    assert equal(mixed.first, wanted_images)
    mixed = mix({"label": batch.images, "image": batch.ids}, kinds={"label": "image", "image": "label"})
    assert equal(mixed["label"], wanted_images), "what is declared goes before what is usual"


def test_passthrough(batch: Parts) -> None:
    mixed = mix(
        {"image": batch.images, "label": batch.ids, "index": batch.ids, "depth": batch.images},
        passthrough=("index", "depth"),
    )
    assert mixed["index"] is batch.ids
    assert mixed["depth"] is batch.images
    mixed = mix((batch.images, batch.ids, batch.ids), passthrough=2)
    mixed = mix(
        {"image": batch.images, "meta": {"ids": batch.ids, "more": [batch.ids]}, "y": batch.ids}, passthrough="meta"
    )
    assert mixed["meta"]["ids"] is batch.ids
    assert mixed["meta"]["more"][0] is batch.ids
    mixed = mix({"image": batch.images, "a": {"label": batch.ids}, "b": {"label": batch.ids}}, passthrough="b.label")
    assert mixed["b"]["label"] is batch.ids
    assert tuple(mixed["a"]["label"].shape) == (SIZE, SIZE)
    assert MixUp(passthrough="index").passthrough == ("index",)


def test_keep_originals_repeats_the_rest(batch: Parts) -> None:
    given = {
        "image": batch.images, "label": batch.ids, "index": batch.ids, "name": ["a", "b", "c"],
        "sizes": [(1, 2), (3, 4), (5, 6)], "note": "one for all", "scale": 2.0,
    }  # fmt: skip
    mixed = mix(given, keep_originals=True, passthrough=("index", "sizes"))
    assert tuple(mixed["image"].shape) == (2 * SIZE, *batch.images.shape[1:])
    np.testing.assert_array_equal(host(mixed["index"]), [0, 1, 2, 0, 1, 2])
    assert mixed["name"] == ["a", "b", "c"] * 2
    assert mixed["sizes"] == given["sizes"] * 2
    assert mixed["note"] == "one for all"
    assert mixed["scale"] == 2.0
    assert given["name"] == ["a", "b", "c"]


def test_lists_of_images_stay_lists(batch: Parts) -> None:
    images, labels = mix((list(batch.images), batch.ids.tolist()))
    assert type(images) is list
    assert len(images) == SIZE
    wanted_images, wanted_labels = expected(batch)
    for image, wanted in zip(images, wanted_images, strict=True):
        assert equal(image, wanted)
    assert equal(labels, wanted_labels)


SAMPLES = {
    "tuples": lambda x, y: [(image, int(label)) for image, label in zip(x, y, strict=True)],
    "dicts": lambda x, y: [
        {"image": image, "label": int(label), "name": str(label)} for image, label in zip(x, y, strict=True)
    ],
    "namedtuples": lambda x, y: [Pair(image, int(label)) for image, label in zip(x, y, strict=True)],
    "dataclasses": lambda x, y: [Sample(image, int(label)) for image, label in zip(x, y, strict=True)],
    "array labels": lambda x, y: [(image, label) for image, label in zip(x, y, strict=True)],
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_lists_of_samples_are_collated(name: str, batch: Parts) -> None:
    """Any transform is a ``collate_fn``."""
    samples = SAMPLES[name](*batch)
    result = MixUp(alpha=1.0, num_classes=SIZE)(samples)
    if name in ("tuples", "array labels"):
        assert type(result) is list, "as default collation has it"
        images, labels = result
    elif name == "dicts":
        images, labels = result["image"], result["label"]
        assert len(result["name"]) == SIZE
    else:
        assert type(result) is type(samples[0])
        images, labels = result.image, result.label
    assert tuple(images.shape) == tuple(batch.images.shape)
    assert type(images) is type(batch.images)
    assert tuple(labels.shape) == (SIZE, SIZE)
    np.testing.assert_allclose(host(labels).sum(axis=1), 1, atol=1e-6)


def test_bare_images_are_collated(batch: Parts) -> None:
    result = CutMix()(list(batch.images))
    assert type(result) is type(batch.images)
    assert tuple(result.shape) == tuple(batch.images.shape)


def test_samples_are_keyed_by_their_content(batch: Parts) -> None:
    """A seeded collate function draws the same for the same samples, in whatever order batches are made."""
    samples = SAMPLES["tuples"](*batch)
    transform = MixUp(alpha=1.0, num_classes=SIZE, seed=5)
    first, other, again = transform(samples), transform(samples[::-1]), transform(samples)
    assert equal(first[0], again[0])
    assert equal(first[1], again[1])
    assert not equal(first[0], other[0])


def test_collation_is_the_default_one() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from torch.utils.data import default_collate

    samples = [
        {"image": torch.rand(3, 4, 4), "label": i, "score": 0.5 * i, "flag": i > 0, "name": str(i), "pair": (i, 1.5)}
        for i in range(4)
    ]
    transform = MixUp(alpha=0.0, num_classes=4, passthrough=("score", "flag", "pair"))
    ours, theirs = transform(samples), default_collate(samples)
    assert list(ours) == list(theirs)
    for name in ("image", "score", "flag"):
        assert ours[name].dtype == theirs[name].dtype
        assert torch.equal(ours[name], theirs[name])
    assert ours["name"] == theirs["name"]
    assert [type(part) for part in ours["pair"]] == [torch.Tensor, torch.Tensor]
    assert all(torch.equal(a, b) for a, b in zip(ours["pair"], theirs["pair"], strict=True))


@pytest.mark.parametrize("size", [4, 128])
@pytest.mark.parametrize("dtypes", [("uint8", "float32"), ("float64", "int64"), ("float16", "bool")], ids=str)
def test_whole_numbers_and_floats_are_not_collated(dtypes: tuple[str, str], size: int) -> None:
    """White is 255 in one of them and 1.0 in the other; a larger float is as good as a smaller one."""
    images = [np.ones((size, size, 3), dtype) for dtype in dtypes]
    with pytest.raises(
        InputError, match=rf"different dtypes \(batch\[0\]\): got {dtypes[1]} in sample 1, {dtypes[0]} in"
    ):
        MixUp(num_classes=3)([(image, 0) for image in images])
    torch = pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(InputError, match=r"different dtypes \(batch\[0\]\)"):
        MixUp(num_classes=3)([(torch.from_numpy(image), 0) for image in images])
    mixed, _ = MixUp(num_classes=3)([(np.ones((size, size, 3), dtype), 0) for dtype in ("float32", "float64")])
    assert (mixed == 1).all()


@pytest.mark.parametrize("value", [[], (), {}], ids=repr)
def test_an_empty_batch_has_a_form(value: Any) -> None:
    with pytest.raises(InputError, match=r"Nothing to mix \(batch\): got an empty .* such as torch.zeros\(0, 3, 224"):
        MixUp(num_classes=3)(value)
    torch = pytest.importorskip("torch", reason="torch is not installed")
    assert MixUp()(torch.zeros(0, 3, 224, 224)).shape == (0, 3, 224, 224)


@pytest.mark.parametrize("value", [None, "text", 3, [1, 2], {"label": np.arange(3)}, (None, None)], ids=repr)
def test_nothing_to_mix(value: Any) -> None:
    with pytest.raises(InputError, match=r"Nothing to mix \(batch\): got .* wanted a batch of images.* kinds="):
        MixUp(num_classes=3)(value)


@pytest.mark.parametrize("pad", [None, "max"])
@pytest.mark.parametrize("empty", [[], (), [[]], [[], []]], ids=repr)
def test_images_that_are_none(empty: Any, pad: Any) -> None:
    """An empty list under the name of images; an empty array has a form, and passes."""
    mix = MixUp(pad=pad, labels="soft", num_classes=3)
    for batch in ({"image": empty}, {"images": empty, "label": []}, *([] if empty else [(empty, [])])):
        with pytest.raises(InputError, match=r"A list without images \(batch.*Leave empty batches out"):
            mix(batch)
    images = np.zeros((0, 8, 8, 3), np.float32)
    assert mix({"image": images, "label": np.zeros(0, np.int64)})["label"].shape == (0, 3)


# ------------------------------------------------------------------------------------------ what mixing has made


class Mine(LabelPair):
    """Somebody's subclass of one of ours."""


OURS = {LabelPair: False, MaskPair: False, KnownLabels: False, WeightedObjects: True, VisibleKeypoints: True}


@pytest.mark.parametrize("kind", [LabelPair, MaskPair, KnownLabels, WeightedObjects, VisibleKeypoints, Mine])
def test_what_mixing_has_made_is_known_by_its_class(kind: Any) -> None:
    """By itself, copied, pickled, and as a subclass."""
    value = kind(*map(np.array, range(len(kind._fields))))
    for twin in (value, copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
        assert type(twin) is kind
        assert isinstance(twin, MixedValue)
        assert isinstance(twin, MixedObjects) == OURS.get(kind, False)
        assert is_mixed(twin) != isinstance(twin, MixedObjects)
    assert repr(value).startswith(kind.__name__ + "(" + kind._fields[0] + "=")


@pytest.mark.parametrize("kind", [*OURS, Mine])
def test_what_mixing_has_made_can_be_built_from_one_iterable(kind: Any) -> None:
    """As trainers do it that move tuples to a device, whatever sort of tuple it is."""
    parts = [np.full(3, number) for number in range(len(kind._fields))]
    value = kind(*parts)
    built = [
        type(value)(part for part in value),
        kind(parts),
        kind(**dict(zip(kind._fields, parts, strict=True))),
        kind._make(iter(parts)),
        value._replace(**{kind._fields[-1]: parts[-1]}),
        kind(value),
    ]
    for twin in [*built, *pickle.loads(pickle.dumps(built))]:
        assert type(twin) is kind
        assert [part.tolist() for part in twin] == [part.tolist() for part in parts]
    for wrong in ([parts[0]] * 7, iter(parts[:1])):
        with pytest.raises(TypeError, match="argument"):
            kind(wrong)
    with pytest.raises(TypeError, match="argument"):
        kind()


def test_pairs_are_named_tuples_to_torch() -> None:
    pytree = pytest.importorskip("torch.utils._pytree")
    pair = LabelPair(np.zeros(2), np.ones(2), np.ones(2))
    leaves, form = pytree.tree_flatten(pair)
    assert len(leaves) == 3
    assert type(pytree.tree_unflatten(leaves, form)) is LabelPair


@pytest.mark.parametrize("name", ["LabelPair", "MaskPair", "KnownLabels", "WeightedObjects"])
def test_a_name_makes_no_class_ours(name: str, batch: Parts) -> None:
    """Classes of users are mixed by the names of their fields, whatever they are called."""
    theirs: Any = namedtuple(name, "image label")
    got = mix(theirs(*batch))
    assert type(got) is theirs
    assert [bits(host(value)) for value in got] == [bits(host(value)) for value in expected(batch)]


def test_boxes_in_a_users_class_of_our_name() -> None:
    theirs: Any = namedtuple("VisibleKeypoints", "boxes labels box_weights")
    images, box = np.zeros((2, 8, 8, 3)), np.array([[0.0, 0.0, 4.0, 4.0]])
    _, told = mix((images, [theirs(box, np.array([n]), np.ones(1)) for n in range(2)]))
    assert all(type(item) is theirs for item in told)
    assert [item.labels.tolist() for item in told] == [[0, 1], [1, 0]]


@pytest.mark.parametrize("kind", [LabelPair, MaskPair, KnownLabels, Mine])
def test_what_is_mixed_is_not_mixed_again(kind: Any, batch: Parts) -> None:
    mixed = kind(*[batch.ids] * len(kind._fields))
    for value in (mixed, pickle.loads(pickle.dumps(mixed))):
        with pytest.raises(InputError, match=f"Values that are mixed already.*got {kind.__name__}"):
            MixUp(num_classes=3)((batch.images, value))
