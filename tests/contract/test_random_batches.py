"""Any targets in any container are mixed as the plan says, or refused; nothing is passed over, nothing is modified."""

from typing import Any

import numpy as np
import pytest
from doors import ALBUMENTATIONS, NEUTRAL, TORCHVISION, Door
from forms import memory
from hypothesis import given
from hypothesis import strategies as st
from random_batches import CLASSES, KINDS, Contents, Shape, contents, folded, needs_room, shapes
from seen import objects_left
from target_forms import agree, content, leaves, read
from target_forms import given as in_backend
from target_table import MASK_FORMS, known_labels, mixed_numbers, pair_labels, soft_labels

from mixtransforms import BoxRules, CutMix, InputError, MixUp, Plan, methods

METHODS = {
    "MixUp": {"alpha": 1.0},
    "CutMix": {},
    "OneOf": {"transforms": (methods.MixUp(alpha=1.0), methods.CutMix())},
}


@st.composite
def transforms(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """A method's name and options."""
    method = draw(st.sampled_from(list(METHODS)))
    labels = draw(st.sampled_from([{"num_classes": CLASSES}, {"labels": "pair", "num_classes": CLASSES}]))
    return method, {
        **METHODS[method], **labels, "kinds": KINDS, "p": draw(st.sampled_from([1.0, 1.0, 0.5, 0.0])),
        "masks": draw(st.sampled_from(list(MASK_FORMS))), "keep_originals": draw(st.booleans()),
        "seed": draw(st.integers(0, 2**32)),
    }  # fmt: skip


def expected_of(plan: Plan, given_: Contents, options: dict[str, Any], blends: bool) -> dict[str, Any]:
    """Every target after the plan, by name."""
    entries = given_.entries
    rules = {
        "label": (pair_labels if options.get("labels") == "pair" else soft_labels)("label"),
        "mask": MASK_FORMS[options["masks"]],
        "tags": (pair_labels("tags") if options.get("labels") == "pair" else known_labels(False)),
        "age": (pair_labels if options.get("labels") == "pair" else mixed_numbers)("age"),
    }
    result: dict[str, Any] = {}
    for name, rule in rules.items():
        result |= rule(plan, entries, blends) if name in entries else {}
    told = {name: entries[name] for name in given_.objects}
    points = told.get("keypoints")
    if points and points[0].ndim == 2 and len(told) > 1:
        result |= objects_left(plan, {"keypoints": told.pop("keypoints")})
    if told:
        left = objects_left(plan, {"masks" if n == "instance_masks" else n: v for n, v in told.items()}, given_.form)
        result |= {"instance_masks" if n == "masks" and n not in told else n: value for n, value in left.items()}
    return result


def joined(first: Any, second: Any) -> Any:
    """Two batches as one."""
    if hasattr(first, "_fields"):
        return type(first)(*map(joined, first, second))
    return first + second if isinstance(first, list) else np.concatenate([first, second])


def by_rows(value: Any) -> Any:
    """A value of the batch, one a record."""
    if hasattr(value, "_fields"):
        return [type(value)(*parts) for parts in zip(*map(by_rows, value), strict=True)]
    return list(value)


def door_of(draw: Any, shape: Shape, backend: str) -> Door:
    doors = [NEUTRAL] + ([TORCHVISION] if backend == "torch" else [])
    if shape.holder == "dict" and shape.kind != "beside":
        doors.append(ALBUMENTATIONS)
    return draw(st.sampled_from(doors))


def called(door: Door, what: Any, batch: Any) -> Any:
    """A call of a door with a batch of any form."""
    return what(**batch) if door.named and isinstance(batch, dict) else what(batch)


def _is_array(leaf: Any) -> bool:
    """Whether a leaf has memory that others could write to."""
    return hasattr(leaf, "shape") and not isinstance(leaf, np.generic) and 0 not in leaf.shape


def kinds_of(contents: Contents) -> dict[str, Any]:
    """What has to be declared: only that tells shares of classes from a number for every object."""
    return {**KINDS, "label": "label"} if contents.looks_like_fields else KINDS


def classes_of(contents: Contents) -> int | None:
    """Their number, where anything has classes: it promises labels."""
    return CLASSES if {"label", "mask"} & contents.entries.keys() else None


@given(data=st.data(), given_=contents(), chosen=transforms(), backend=st.sampled_from(["numpy", "torch"]))
def test_every_target_of_any_batch_follows_the_plan(
    data: st.DataObject, given_: Contents, chosen: tuple[str, dict[str, Any]], backend: str
) -> None:
    """Each known target becomes what the plan says, in a container of the type that came in, in memory of its own."""
    shape = data.draw(shapes().filter(lambda s: given_.size or s.by == "batch"))
    door, (method, options) = door_of(data.draw, shape, backend), chosen
    if method == "OneOf":
        options = {name: value for name, value in options.items() if name != "alpha"}
    options = options | {"boxes": BoxRules(format=given_.form)}
    options |= {"kinds": kinds_of(given_), "num_classes": classes_of(given_)}
    transform, again = (door.transform(method, **options) for _ in range(2))
    entries = in_backend(given_.entries, backend)
    batch = shape.build(entries)
    before = content(batch)
    plan = transform.plan(**batch) if door.named and isinstance(batch, dict) else transform.plan(batch)
    expected = expected_of(plan, given_, options, transform.method.blends)
    if options["keep_originals"]:
        kept = expected_of(Plan(plan.spec), given_, options, transform.method.blends)
        expected = {name: joined(kept[name], value) for name, value in expected.items()}
    if not shape.takes_names and needs_room(expected):
        with pytest.raises(InputError, match="No room for what mixing tells of objects"):
            called(door, again, batch)
        assert content(batch) == before
        return
    result = called(door, again, batch)
    assert content(batch) == before
    expected = expected if shape.takes_names else folded(expected)
    found = shape.find(result, list(expected))
    rest = shape.rest(result)
    for name, value in expected.items():
        records = type(rest) is list
        agree(read(found[name], name), by_rows(value) if records else value, name)
    shape.check_types(batch, result)
    theirs = {memory(leaf) for _, leaf in leaves(batch) if _is_array(leaf)}
    assert not [
        path for path, leaf in leaves(result) if _is_array(leaf) and memory(leaf) in theirs
    ]  # fmt: skip
    images = read(found["image"], "image")
    assert images.dtype == given_.entries["image"].dtype
    assert len(images) == given_.size * (1 + options["keep_originals"])


STRANGERS = ("pixels", "lables", "maks", "bxoes", "keypionts", "features", "depth")
"""Names that nobody knows; some are misspelt ones."""


@given(
    data=st.data(), given_=contents(least=1), backend=st.sampled_from(["numpy", "torch"]),
    name=st.sampled_from(STRANGERS), width=st.sampled_from([(), (3,), (4, 4)]),
)  # fmt: skip
def test_unknown_arrays_are_refused_wherever_they_are(
    data: st.DataObject, given_: Contents, backend: str, name: str, width: tuple[int, ...]
) -> None:
    """An array under a name that nobody knows is an error, unless it is declared to pass; then it comes back itself."""
    # Named classes may have no room for what mixing tells of objects, which is another error.
    shape = data.draw(shapes().filter(lambda s: s.takes_names or not given_.objects))
    entries = in_backend(given_.entries | {name: np.zeros((given_.size, *width), np.float32)}, backend)
    batch = shape.build(entries)
    options = {
        "num_classes": classes_of(given_),
        "kinds": kinds_of(given_),
        "boxes": BoxRules(format=given_.form),
        "seed": 0,
    }
    records = type(shape.rest(MixUp(**options, passthrough=name)(batch))) is list
    if not (records and width == () and backend == "numpy"):  # plain numbers in a record may say anything of a sample
        with pytest.raises(InputError, match=rf"neither known nor declared \(batch.*'{name}'\]"):
            MixUp(**options)(batch)
    result = MixUp(**options, passthrough=name)(batch)
    passed = read(shape.find(result, [name])[name])
    np.testing.assert_array_equal(np.asarray(passed, np.float32), np.zeros((given_.size, *width)))


WRONG = {
    "label": lambda size: np.zeros(size + 1, np.int64),
    "mask": lambda size: np.zeros((size, 11, 12), np.uint8),
    "boxes": lambda size: [np.zeros((1, 3), np.float32)] * size,
    "masks": lambda size: np.zeros((size, 2, 3, 4, 5), np.uint8),
    "keypoints": lambda size: [np.zeros((2, 1, 7), np.float32)] * size,
    "instance_masks": lambda size: [np.zeros((2, 11, 12), np.uint8)] * size,
    "box_weights": lambda size: np.zeros((size, 2), np.float32),
    "attention_mask": lambda size: np.zeros((size, 4), np.int64),
}
"""Known targets in forms that they cannot have."""


@given(
    given_=contents(least=1), backend=st.sampled_from(["numpy", "torch"]), name=st.sampled_from(list(WRONG)),
    method=st.sampled_from([MixUp, CutMix]), holder=st.sampled_from(["dict", "namedtuple", "dataclass"]),
    kind=st.sampled_from(["flat", "nested", "beside"]),
)  # fmt: skip
def test_targets_of_impossible_forms_are_refused(
    given_: Contents, backend: str, name: str, method: type, holder: str, kind: str
) -> None:
    """A target that is known by its name and cannot be one is refused by name, and nothing is modified."""
    less = {own: value for own, value in given_.entries.items() if own not in given_.objects}
    entries = in_backend(less | {name: WRONG[name](given_.size)}, backend)
    batch = Shape(kind, holder, "batch").build(entries)
    before = content(batch)
    with pytest.raises(InputError, match=rf"\(batch.*'{name}'\]"):
        method(num_classes=CLASSES, kinds=KINDS)(batch)
    assert content(batch) == before
