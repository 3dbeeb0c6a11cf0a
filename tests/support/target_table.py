"""Every kind of target as one table: how it may come in, and what must become of it under any plan.

Values are NumPy arrays here, pictures with channels last; :mod:`target_forms` makes of them what a door takes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from plans import follow
from seen import amounts, coats, objects_left, sight_of, sights, write_box

from mixtransforms import (
    BoxRules,
    Keypoints,
    Label,
    LabelPair,
    MultiLabel,
    Padding,
    Plan,
    Regression,
    SemanticMask,
    Table,
)
from mixtransforms.objects.box_formats import FORMATS

SIZE, SHAPE = 5, (8, 16)  # powers of two: fractions of them are exact
CLASSES = 4
VOID = 255

Entries = dict[str, Any]
Expect = Callable[[Plan, Entries, bool], Entries]


@dataclass(frozen=True)
class TargetKind:
    """A kind of target in one of its forms.

    Attributes:
        name: What tests call it.
        build: Values by name, from a generator.
        expect: What they become under a plan; it is told whether the method may blend.
        options: What a transform must be told.
        images: The samples themselves; ``None`` for pictures.
        typed: Types of torchvision by name, which values then have where they are tensors.
        cuts: Whether methods that cut take it.
    """

    name: str
    build: Callable[[np.random.Generator], Entries]
    expect: Expect
    options: Mapping[str, Any] = field(default_factory=dict)
    images: Callable[[np.random.Generator], Entries] | None = None
    typed: Mapping[str, str] = field(default_factory=dict)
    cuts: bool = True

    def __str__(self) -> str:
        return self.name

    def batch(self, seed: int = 0) -> Entries:
        """Images and the target."""
        rng = np.random.default_rng(seed)
        return (self.images or pictures)(rng) | self.build(rng)


def pictures(rng: np.random.Generator) -> Entries:
    return {"images": rng.random((SIZE, *SHAPE, 3)).astype(np.float32)}


# ------------------------------------------------------------------------------------------ one value a sample


def _mean(plan: Plan, rows: Any) -> Any:
    return follow(plan) @ np.asarray(rows, np.float64)


def _onehot(ids: Any, classes: int = CLASSES) -> Any:
    return (np.asarray(ids)[:, None] == np.arange(classes)).astype(np.float64)


def soft_labels(name: str, classes: int = CLASSES) -> Expect:
    def expect(plan: Plan, given: Entries, blends: bool) -> Entries:
        rows = given[name] if given[name].ndim == 2 else _onehot(given[name], classes)
        return {name: _mean(plan, rows).astype(np.float32)}

    return expect


def pair_labels(name: str) -> Expect:
    """The last that was painted on a sample is its partner; a share of the sample itself is not the partner's."""

    def expect(plan: Plan, given: Entries, blends: bool) -> Entries:
        partner, weight = np.arange(plan.size), np.ones(plan.size, np.float32)
        for row in range(plan.size):
            for layer, index, strength in coats(plan, row):
                partner[row], weight[row] = layer.source[index], 1 - strength.mean()
        return {name: LabelPair(given[name], given[name][partner], weight)}

    return expect


def _heads(plan: Plan, given: Entries, blends: bool) -> Entries:
    return soft_labels("fine", 6)(plan, given, blends) | pair_labels("coarse")(plan, given, blends)


def _union(plan: Plan, given: Entries, blends: bool) -> Entries:
    rows = np.array(given["tags"], np.float32)
    heard = [rows[share > 0].max(axis=0) for share in follow(plan)]
    return {"tags": np.array(heard, np.float32)}


def known_labels(union: bool) -> Expect:
    def expect(plan: Plan, given: Entries, blends: bool) -> Entries:
        rows, known = given["tags"], given["tags"] != -1
        mixed, weight = np.zeros(rows.shape), np.zeros(rows.shape)
        for row, shares in enumerate(follow(plan)):
            for column in range(rows.shape[1]):
                heard = [(share, rows[n, column]) for n, share in enumerate(shares) if share and known[n, column]]
                weight[row, column] = sum(share for share, _ in heard)
                if union and heard:
                    mixed[row, column] = max(value for _, value in heard)
                    weight[row, column] = 1.0 if mixed[row, column] == 1 else weight[row, column]
                elif heard:
                    mixed[row, column] = sum(share * value for share, value in heard) / weight[row, column]
        return {"tags": mixed.astype(np.float32), "tags_weight": weight.astype(np.float32)}

    return expect


def mixed_numbers(name: str) -> Expect:
    def expect(plan: Plan, given: Entries, blends: bool) -> Entries:
        return {name: _mean(plan, given[name]).astype(np.result_type(given[name].dtype, np.float32).type)}

    return expect


def _table(plan: Plan, given: Entries, blends: bool) -> Entries:
    """Numbers follow the shares of the pixels; categories whoever has most of them, the sample itself at a draw."""
    rows, share = given["table"], amounts(plan)
    mixed = (share @ rows).astype(rows.dtype)
    for row in range(plan.size):
        share[row, row] += 1e-9
        mixed[row, 1] = rows[share[row].argmax(), 1]
    return {"table": mixed}


# ------------------------------------------------------------------------------------------ masks


def _masks_pair(plan: Plan, given: Entries, blends: bool) -> Entries:
    """What is opaque stands in both masks, what blends in the partner's; edges that are soft have weights by place."""
    own, partner, weight = given["mask"].copy(), given["mask"].copy(), np.ones(plan.size, np.float32)
    if any(layer.soft_edged for layer in plan.layers):
        weight = np.ones((plan.size, *plan.spec.shape), np.float32)
    for row in range(plan.size):
        for layer, index, strength in coats(plan, row):
            source = sight_of(layer, index, strength, row).brought(given["mask"][layer.source[index]])
            own[row][strength == 1], partner[row][strength > 0] = source[strength == 1], source[strength > 0]
            if weight.ndim > 1:
                weight[row] = np.where(strength > 0, 1 - strength, weight[row])
            else:
                weight[row] = 1 - strength.max() if 0 < strength.max() < 1 else weight[row]
    return {"mask": own} | ({"mask_partner": partner, "mask_weight": weight} if blends else {})


def _masks_dominant(plan: Plan, given: Entries, blends: bool) -> Entries:
    out = given["mask"].copy()
    for row in range(plan.size):
        for layer, index, strength in coats(plan, row):
            source = sight_of(layer, index, strength, row).brought(given["mask"][layer.source[index]])
            out[row][strength > 0.5] = source[strength > 0.5]
    return {"mask": out}


def _masks_soft(plan: Plan, given: Entries, blends: bool) -> Entries:
    """The share of every class at every pixel; a method that only pastes leaves ids."""
    if not blends:
        return _masks_dominant(plan, given, blends)
    ids = given["mask"]
    maps = ids.astype(np.float64)
    if ids.ndim == 3 or ids.shape[-1] == 1:
        maps = (ids.reshape(ids.shape[:3])[..., None] == np.arange(CLASSES)).astype(np.float64)
    out = np.zeros(maps.shape)
    for row in range(plan.size):
        for sight in sights(plan, row):
            out[row] += sight.weight[..., None] * sight.brought(maps[sight.source])
    return {"mask": out.astype(np.float32)}


def _class_ids(shape: tuple[int, ...], dtype: str) -> Callable[[np.random.Generator], Entries]:
    def build(rng: np.random.Generator) -> Entries:
        ids = rng.integers(0, CLASSES, (SIZE, *SHAPE, *shape)).astype(dtype)
        ids[rng.random(ids.shape) < 0.1] = VOID
        return {"mask": ids}

    return build


def _class_maps(dtype: str) -> Callable[[np.random.Generator], Entries]:
    def build(rng: np.random.Generator) -> Entries:
        if dtype == "float32":
            return {"mask": rng.random((SIZE, *SHAPE, CLASSES)).astype(np.float32)}
        return {"mask": (rng.integers(0, CLASSES, (SIZE, *SHAPE))[..., None] == np.arange(CLASSES)).astype(dtype)}

    return build


_MASKS = {
    "BHW": _class_ids((), "uint8"),
    "BHW1": _class_ids((1,), "int64"),
    "one-hot": _class_maps("uint8"),
    "maps": _class_maps("float32"),
}
MASK_FORMS: dict[str, Expect] = {"pair": _masks_pair, "soft": _masks_soft, "dominant": _masks_dominant}

MASKS = tuple(
    TargetKind(
        f"mask-{shape}-{form}", build, expect,
        {"masks": form, "kinds": {"mask": SemanticMask(CLASSES, ignore_index=VOID)}},
    )
    for shape, build in _MASKS.items()
    for form, expect in MASK_FORMS.items()
)  # fmt: skip

# ------------------------------------------------------------------------------------------ objects

RULES = BoxRules(fields=("track",))
COUNTS = (3, 0, 4, 1, 2)
KEYPOINTS = 3


def random_boxes(rng: np.random.Generator, count: int) -> Any:
    """Boxes of whole pixels, ``(N, 4)``."""
    start = rng.integers(0, np.array(SHAPE[::-1]) - 1, (count, 2))
    stop = rng.integers(start + 1, np.array(SHAPE[::-1]) + 1)
    return np.concatenate([start, stop], axis=1)


def _fields(rng: np.random.Generator) -> Entries:
    """What is told of every object, each with a number of its own."""
    first = np.cumsum([0, *COUNTS])
    numbers = [np.arange(start, start + count) for start, count in zip(first, COUNTS, strict=False)]
    return {
        "labels": [n + 100 for n in numbers],
        "area": [(n + 8.0).astype(np.float32) for n in numbers],
        "iscrowd": [(n % 2).astype(np.uint8) for n in numbers],
        "scores": [n / 64 for n in numbers],
        "track": [np.stack([n, -n], axis=1) for n in numbers],
    }


def _boxes(form: str, dtype: str = "float32") -> Callable[[np.random.Generator], Entries]:
    def build(rng: np.random.Generator) -> Entries:
        width = FORMATS[form].columns
        drawn = [random_boxes(rng, count) for count in COUNTS]
        written = [np.array([write_box(box, form, SHAPE) for box in boxes]).reshape(-1, width) for boxes in drawn]
        return {"boxes": [boxes.astype(dtype) for boxes in written]} | _fields(rng)

    return build


def _instances(rng: np.random.Generator) -> Any:
    masks = [rng.random((count, *SHAPE)) < 0.3 for count in COUNTS]
    for mask in (mask for image in masks for mask in image):
        left, top, right, bottom = random_boxes(rng, 1)[0]
        mask[:top] = mask[bottom:] = mask[:, :left] = mask[:, right:] = False
        mask[top, left] = True
    return [image.astype(np.uint8) for image in masks]


def _boxes_and_masks(rng: np.random.Generator) -> Entries:
    masks, boxes = _instances(rng), []
    for image in masks:
        ends = [np.nonzero(mask) for mask in image]
        tight = [(x.min(), y.min(), x.max() + 1, y.max() + 1) for y, x in ends]
        boxes.append(np.array(tight, np.float32).reshape(-1, 4))
    return {"boxes": boxes, "masks": masks} | _fields(rng)


def _points(width: int, *, single: bool = False) -> Callable[[np.random.Generator], Entries]:
    """Points on whole and half pixels, some outside of the image; a third of them unlabelled."""

    def build(rng: np.random.Generator) -> Entries:
        made = []
        for count in COUNTS:
            shape = (count,) if single else (count, KEYPOINTS)
            points = np.zeros((*shape, width), np.float32)
            points[..., 0] = rng.integers(-2, 2 * SHAPE[1] + 2, shape) / 2
            points[..., 1] = rng.integers(-2, 2 * SHAPE[0] + 2, shape) / 2
            points[..., 2:] = rng.integers(0, 3, (*shape, width - 2))
            made.append(points)
        return {"keypoints": made}

    return build


def _together(*builders: Callable[[np.random.Generator], Entries]) -> Callable[[np.random.Generator], Entries]:
    return lambda rng: {name: value for build in builders for name, value in build(rng).items()}


def _named(name: str, build: Callable[[np.random.Generator], Any]) -> Callable[[np.random.Generator], Entries]:
    return lambda rng: {name: build(rng)}


def _objects(form: str = "xyxy", masks: str = "masks") -> Expect:
    def expect(plan: Plan, given: Entries, blends: bool) -> Entries:
        told = {"masks" if name == masks else name: value for name, value in given.items()}
        left = objects_left(plan, told, form, RULES)
        return {masks if name == "masks" else name: value for name, value in left.items()}

    return expect


def _former_weights(rng: np.random.Generator) -> Entries:
    return {"box_weights": [rng.random(count).astype(np.float32) for count in COUNTS]}


_HOST_FORMATS = ("xyxy", "xywh", "cxcywh", "xywhr", "cxcywhr", "xyxyxyxy")

BOXES = (
    *(
        TargetKind(
            f"boxes-{form}", _boxes(form), _objects(form), {"boxes": BoxRules(format=form, fields=("track",))}
        )
        for form in FORMATS
    ),
    *(
        TargetKind(f"boxes-tv-{form}", _boxes(form), _objects(form), {"boxes": RULES}, typed={"boxes": form})
        for form in _HOST_FORMATS
    ),
    TargetKind("boxes-int64", _boxes("xyxy", "int64"), _objects(), {"boxes": RULES}),
    TargetKind("boxes-weighted", _together(_boxes("xyxy"), _former_weights), _objects(), {"boxes": RULES}),
)  # fmt: skip
POINTS = (
    TargetKind(
        "keypoints-NK3", _together(_points(3), _fields), _objects(),
        {"kinds": {"keypoints": Keypoints(fields=("track",))}},
    ),
    TargetKind(
        "keypoints-NK2", _together(_points(2), _fields), _objects(),
        {"kinds": {"keypoints": Keypoints("xy", fields=("track",))}},
    ),
    TargetKind("keypoints-P2", _points(2, single=True), _objects()),
    TargetKind("keypoints-P3", _points(3, single=True), _objects()),
    TargetKind("boxes-and-keypoints", _together(_boxes("xyxy"), _points(3)), _objects(), {"boxes": RULES}),
    TargetKind("boxes-and-keypoints-xy", _together(_boxes("xyxy"), _points(2)), _objects(), {"boxes": RULES}),
)  # fmt: skip
INSTANCES = (
    TargetKind("boxes-and-masks", _boxes_and_masks, _objects(), {"boxes": RULES}),
    TargetKind(
        "instance_masks", _together(_named("instance_masks", _instances), _fields), _objects(masks="instance_masks"),
        {"boxes": RULES},
    ),
    TargetKind("everything-of-objects", _together(_boxes_and_masks, _points(3)), _objects(), {"boxes": RULES}),
)  # fmt: skip
OBJECTS = BOXES + POINTS + INSTANCES

# ------------------------------------------------------------------------------------------ sequences and tables

STEPS = 12


def _tokens(rng: np.random.Generator) -> Entries:
    return {"inputs": rng.random((SIZE, STEPS, 3)).astype(np.float32)}


def _lengths(name: str, inverted: bool, dtype: str) -> Callable[[np.random.Generator], Entries]:
    def build(rng: np.random.Generator) -> Entries:
        there = np.arange(STEPS) < rng.integers(0, STEPS + 1, (SIZE, 1))
        return {name: (there != inverted).astype(dtype)}

    return build


def _padding(name: str, inverted: bool) -> Expect:
    def expect(plan: Plan, given: Entries, blends: bool) -> Entries:
        there, out = given[name].astype(bool) != inverted, np.zeros(given[name].shape, bool)
        for row in range(plan.size):
            for sight in sights(plan, row):
                out[row] |= (sight.weight > 0) & sight.brought(there[sight.source])
        return {name: (out != inverted).astype(given[name].dtype)}

    return expect


def _features(name: str) -> Callable[[np.random.Generator], Entries]:
    def build(rng: np.random.Generator) -> Entries:
        rows = rng.random((SIZE, 4)).astype(np.float32)
        rows[:, 1] = rng.permutation(SIZE)
        return {name: rows}

    return build


SEQUENCES = (
    TargetKind(
        "padding", _lengths("attention_mask", False, "int64"), _padding("attention_mask", False),
        {"layout": "BTC"}, _tokens,
    ),
    TargetKind(
        "padding-inverted", _lengths("pad", True, "bool"), _padding("pad", True),
        {"layout": "BTC", "kinds": {"pad": Padding(inverted=True)}}, _tokens,
    ),
)  # fmt: skip

# ------------------------------------------------------------------------------------------ the table


def _ids(rng: np.random.Generator) -> Any:
    return rng.integers(0, CLASSES, SIZE)


def _tags(values: tuple[float, ...], dtype: str) -> Callable[[np.random.Generator], Entries]:
    return lambda rng: {"tags": rng.choice(values, (SIZE, 6)).astype(dtype)}


SINGLE = (
    TargetKind("ids", _named("labels", _ids), soft_labels("labels"), {"num_classes": CLASSES}),
    TargetKind(
        "rows", _named("labels", lambda rng: rng.dirichlet(np.ones(CLASSES), SIZE).astype(np.float32)), soft_labels("labels")
    ),
    TargetKind(
        "one-hot", _named("labels", lambda rng: _onehot(_ids(rng)).astype(np.int64)), soft_labels("labels"),
        {"num_classes": CLASSES},
    ),
    TargetKind("pair", _named("labels", _ids), pair_labels("labels"), {"labels": "pair"}),
    TargetKind(
        "pair-rows", _named("labels", lambda rng: _onehot(_ids(rng)).astype(np.float32)), pair_labels("labels"),
        {"labels": "pair"},
    ),
    TargetKind(
        "heads", _together(_named("fine", _ids), _named("coarse", lambda rng: _ids(rng).astype(np.int32))), _heads,
        {"kinds": {"fine": Label(6), "coarse": Label(form="pair")}},
    ),
    TargetKind("multilabel", _tags((0, 1), "int64"), soft_labels("tags"), {"kinds": {"tags": "multilabel"}}),
    TargetKind("union", _tags((0, 0.25, 1), "float32"), _union, {"kinds": {"tags": MultiLabel(union=True)}}),
    TargetKind("unknown", _tags((0, 1, -1), "int64"), known_labels(False), {"kinds": {"tags": MultiLabel(unknown=-1)}}),
    TargetKind(
        "unknown-union", _tags((0, 1, -1), "float32"), known_labels(True),
        {"kinds": {"tags": MultiLabel(union=True, unknown=-1)}},
    ),
    TargetKind(
        "regression", _named("age", lambda rng: rng.random(SIZE)), mixed_numbers("age"), {"kinds": {"age": "regression"}}
    ),
    TargetKind(
        "regression-rows", _named("pose", lambda rng: rng.random((SIZE, 3)).astype(np.float32)), mixed_numbers("pose"),
        {"kinds": {"pose": Regression()}},
    ),
    TargetKind(
        "sample_weights", _named("sample_weights", lambda rng: rng.random(SIZE).astype(np.float32)),
        mixed_numbers("sample_weights"),
    ),
    TargetKind("table", _features("table"), _table, {"kinds": {"table": Table((1,))}}),
)  # fmt: skip

KINDS = (*SINGLE, *MASKS, *OBJECTS, *SEQUENCES)
"""Every kind of target in its forms."""
