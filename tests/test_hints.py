"""Every way out leads on: what the last part of an error says is done, literally, and in the end the batch is mixed."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hints import given, keywords

import mixtransforms
from mixtransforms import BoxRules, InputError, Keypoints, MultiLabel, Regression, Table

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

Batch = Any
RNG = np.random.default_rng(0)
X = RNG.random((4, 8, 8, 3)).astype(np.float32)
WIDE = RNG.random((4, 8, 9, 3)).astype(np.float32)
IDS = np.array([0, 1, 2, 1])
BOXES = [
    np.array([[1.0, 1, 5, 5]]),
    np.array([[0.0, 0, 4, 4], [2, 2, 8, 8]]),
    np.zeros((0, 4)),
    np.array([[1.0, 2, 3, 4]]),
]
DEPTH = 4


class Found(NamedTuple):
    """Objects of an image, in a container that takes no more names."""

    boxes: Any
    box_weights: Any = None


class Narrow(NamedTuple):
    """The same without room for weights."""

    boxes: Any


class Foreign:
    """An array of another library."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.values

    def __len__(self) -> int:
        return len(self.values)


class Scored(NamedTuple):
    """The same of another dataset."""

    boxes: Any
    scores: Any
    box_weights: Any = None


class OnlyArrays:
    """A field that takes nothing but arrays of one channel."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"_{name}"

    def __get__(self, instance: Any, owner: type) -> Any:
        return None if instance is None else getattr(instance, self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        if type(value) is not np.ndarray or value.ndim > 3:
            raise TypeError(f"one array, and no {type(value).__name__}")
        setattr(instance, self.name, value)


@dataclass
class Checked:
    """A dataclass that checks what it is given."""

    image: Any
    gt_mask: Any = OnlyArrays()


@dataclass
class CheckedLabels:
    """The same with labels."""

    image: Any
    label: Any = OnlyArrays()


class Strict(NamedTuple):
    """Images and labels."""

    image: Any
    label: Any


def strict(cls: type, image: Any, label: Any) -> Any:
    if type(label) is not np.ndarray:
        raise AssertionError
    return tuple.__new__(cls, (image, label))


Strict.__new__ = strict  # type: ignore[method-assign, assignment]


@dataclass
class Alone:
    """A dataclass that is not to be copied."""

    image: Any

    def __copy__(self) -> Any:
        raise AssertionError


class Named(Mapping[str, Any]):
    """A mapping that cannot be built from a dict."""

    def __init__(self, image: Any, label: Any) -> None:
        self.own = {"image": image, "label": label}

    def __getitem__(self, name: str) -> Any:
        return self.own[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.own)

    def __len__(self) -> int:
        return len(self.own)


def typed_boxes(canvas: tuple[int, int]) -> Batch:
    from torchvision import tv_tensors

    boxes = tv_tensors.BoundingBoxes(torch.tensor([[1.0, 1, 5, 5]]), format="XYXY", canvas_size=canvas)
    return torch.zeros(2, 3, 8, 8), [{"boxes": boxes}] * 2


@dataclass(frozen=True)
class Case:
    """A batch that is refused.

    Attributes:
        what: What the error calls it.
        batch: The batch, which nobody changes.
        options: Of the transform.
        method: Which transform.
        mends: What the words of the hint say to do, one entry for each of its ways out that is not a keyword:
            the batch and the options afterwards.
        others: Keywords that the hint names for something else than this transform, such as an earlier one.
    """

    what: str
    batch: Batch
    options: Mapping[str, Any] = field(default_factory=dict)
    method: str = "MixUp"
    mends: tuple[tuple[Batch, Mapping[str, Any]], ...] = ()
    others: tuple[str, ...] = ()


def named(**values: Any) -> dict[str, Any]:
    return {"image": X, **values}


CASES: dict[str, Case] = {
    "unknown array": Case("An array that is neither known nor declared", named(depth=X)),
    "misspelt labels": Case(
        "An array that is neither known nor declared",
        named(lables=IDS),
        {"num_classes": 3},
        mends=((named(labels=IDS), {"num_classes": 3}),),
    ),
    "unknown position": Case("An array that is neither known nor declared", (X, IDS, X), {"num_classes": 3}),
    "unknown in a tuple": Case("An array that is neither known nor declared", named(a=(X, X))),
    "beside boxes": Case(
        "An array that is neither known nor declared",
        named(boxes=BOXES, colours=[np.arange(len(boxes)) for boxes in BOXES]),
    ),
    "no number of classes": Case(
        "The number of classes is not known", (X, IDS), mends=(((X, IDS), {"num_classes": 3}),)
    ),
    "ids out of range": Case(
        "Class ids out of range",
        (X, np.array([0, 1, 7, -100])),
        {"num_classes": 3},
        mends=(((X, np.array([0, 1, 7, -100])), {"num_classes": 8, "ignore_index": -100}),),
    ),
    "not labels": Case(
        "Not class labels",
        (X, RNG.random(4)),
        {"num_classes": 3},
        mends=(
            ((X, IDS), {"num_classes": 3}),
            ((X, RNG.random(4)), {"kinds": {1: "regression"}}),
            ((X, RNG.random(4)), {"passthrough": (1,)}),
        ),
    ),
    "width of rows": Case(
        "Label rows of another width",
        (X, np.eye(4)),
        {"num_classes": 3},
        mends=(((X, np.eye(4)), {"num_classes": 4}), ((X, np.eye(4)), {})),
    ),
    "rows of ids": Case(
        "Whole numbers in rows that are not one-hot",
        (X, np.array([[3, 0], [7, 1], [1, 0], [9, 2]])),
        mends=(((X, IDS), {"num_classes": 3}), ((X, np.full((4, 2), 0.5)), {}), ((X, IDS), {"passthrough": (1,)})),
    ),
    "no array": Case(
        "No array", named(label=["cat", "dog", "cat", "dog"]), {"num_classes": 3},
        mends=((named(label=IDS), {"num_classes": 3}),),
    ),
    "sizes of images": Case(
        "Images of different sizes", named(img=WIDE), {}, "CutMix", mends=((named(img=X), {}),)
    ),
    "sizes of samples": Case(
        "Samples of different sizes",
        [(X[0], 0), (WIDE[0], 1)],
        {"num_classes": 3},
        mends=(([(X[0], 0), (X[1], 1)], {"num_classes": 3}),),
    ),
    "padding and pastes": Case(
        "Images of different sizes",
        [(X[0], 0), (WIDE[0], 1)],
        {"num_classes": 3, "pad": "max"},
        "FMix",
        mends=(([(X[0], 0), (X[1], 1)], {"num_classes": 3}),),
    ),
    "batch sizes": Case("Batch sizes disagree", (X, IDS[:3]), {"num_classes": 3}, mends=(((X, IDS), {"num_classes": 3}),)),
    "structures": Case(
        "Samples of different structure",
        [{"image": X[0], "label": 0}, {"image": X[1]}],
        {"num_classes": 3},
        mends=(([{"image": X[0], "label": 0}, {"image": X[1], "label": 1}], {"num_classes": 3}),),
    ),
    "token ids": Case(
        "These values cannot be blended",
        (X * 255).astype(np.int64),
        mends=(((X * 255).astype(np.uint8), {}),),
    ),
    "one image": Case("Not a batch of images", np.zeros((20, 20, 3)), mends=((np.zeros((1, 20, 20, 3)), {}),)),
    "videos": Case("Not a batch of images", np.zeros((2, 4, 8, 8, 3))),
    "layout": Case(
        "The axes plainly say another layout",
        np.zeros((4, 3, 20, 20)),
        mends=((np.zeros((4, 20, 20, 3)), {}),),
    ),
    "signals": Case("Signals or gray images", np.zeros((8, 12, 256))),
    "axes of a layout": Case(
        "Another number of axes", X, {"layout": "BTCHW"}, mends=((X, {"layout": "BHWC"}), (X[:, None], {"layout": "BTHWC"}))
    ),
    "no such axis": Case("No such axis", X, {"axes": "temporal"}, mends=((X[:, None], {"axes": "temporal", "layout": "BTHWC"}), (X, {"axes": "spatial"})), others=("layout",)),
    "no images": Case("Nothing to mix", {"label": IDS}, {"num_classes": 3}, mends=((named(label=IDS), {"num_classes": 3}),)),
    "read-only": Case("Cannot be overwritten", np.broadcast_to(X[:1], X.shape), {"inplace": True}),
    "twice": Case("Two names for one memory", named(img=X), {"inplace": True}, mends=((named(), {"inplace": True}),)),
    "mixed already": Case(
        "Values that are mixed already",
        mixtransforms.MixUp(1.0, labels="pair", seed=0)(X, IDS),
        {"labels": "pair"},
        mends=((mixtransforms.MixUp(1.0, num_classes=3, seed=0)(X, IDS), {}),),
        others=("labels", "masks"),
    ),
    "no classes to pair by": Case(
        "pairing='same_class' reads class labels",
        X,
        {"pairing": "same_class"},
        mends=(((X, IDS), {"pairing": "same_class", "num_classes": 3}), (X, {"pairing": "cycle"})),
    ),
    "nothing to cut": Case(
        "CutMix needs axes to cut", np.zeros((4, 5)), {"layout": "BF"}, "CutMix", mends=((np.zeros((4, 5)), {"method": "MixUp", "layout": "BF"}),)
    ),
    "masks of another size": Case(
        "The mask is of another size than the images",
        named(mask=np.zeros((4, 7, 5), int)),
        {"masks": "dominant"},
        mends=((named(mask=np.zeros((4, 8, 8), int)), {"masks": "dominant"}),),
    ),
    "channels of masks": Case(
        "Masks with another number of channels", named(mask=np.zeros((4, 8, 8, 5), np.float32)), {"num_classes": 3, "masks": "soft"},
        mends=((named(mask=np.zeros((4, 8, 8, 5), np.float32)), {"num_classes": 5, "masks": "soft"}),),
    ),
    "float ids of masks": Case(
        "Floats in one channel are not class ids", named(mask=np.zeros((4, 8, 8), np.float32)), {"masks": "soft"},
        mends=((named(mask=np.zeros((4, 8, 8), int)), {"masks": "soft", "num_classes": 3}),),
    ),
    "classes of masks": Case(
        "The number of classes is not known", named(mask=np.zeros((4, 8, 8), int)), {"masks": "soft"},
        mends=((named(mask=np.zeros((4, 8, 8), int)), {"masks": "soft", "num_classes": 3}),),
    ),
    "ids of masks": Case(
        "Class ids out of range", named(mask=np.full((4, 8, 8), 9)), {"masks": "soft", "num_classes": 3},
        mends=((named(mask=np.full((4, 8, 8), 9)), {"masks": "soft", "num_classes": 10}),),
    ),
    "several labels": Case(
        "Not rows of several labels", named(label=IDS), {"kinds": {"label": MultiLabel()}},
        mends=((named(label=IDS), {"kinds": {"label": mixtransforms.Label(3)}}), (named(label=IDS), {"passthrough": ("label",)})),
    ),
    "entries of labels": Case(
        "Entries that are no labels", named(label=np.full((4, 3), -1.0)), {"kinds": {"label": MultiLabel()}},
        mends=(
            (named(label=np.full((4, 3), -1.0)), {"kinds": {"label": MultiLabel(unknown=-1)}}),
            (named(label=np.full((4, 3), -1.0)), {"kinds": {"label": Regression()}}),
        ),
    ),
    "bools to predict": Case(
        "Not numbers to predict", named(age=np.zeros((4, 2), bool)), {"kinds": {"age": "regression"}},
        mends=(
            (named(age=np.zeros((4, 2), bool)), {"kinds": {"age": MultiLabel()}}),
            (named(age=np.zeros((4, 2))), {"kinds": {"age": "regression"}}),
            (named(age=np.zeros((4, 2), bool)), {"passthrough": ("age",)}),
        ),
    ),
    "padding of other numbers": Case(
        "Other numbers than zeros and ones", {"inputs": np.zeros((4, 6, 5)), "attention_mask": np.full((4, 6), 3)}, {"layout": "BTC"},
        mends=(({"inputs": np.zeros((4, 6, 5)), "attention_mask": np.ones((4, 6), int)}, {"layout": "BTC"}),),
    ),
    "padding of other axes": Case(
        "Not a padding mask", {"inputs": np.zeros((4, 6, 5)), "attention_mask": np.ones((4, 6, 5, 2))}, {"layout": "BTC"},
        mends=(
            ({"inputs": np.zeros((4, 6, 5)), "attention_mask": np.ones((4, 6), int)}, {"layout": "BTC"}),
            ({"inputs": np.zeros((4, 6, 5)), "attention_mask": np.ones((4, 6, 5, 2))}, {"layout": "BTC", "passthrough": ("attention_mask",)}),
        ),
    ),
    "padding of others": Case(
        "The padding is of other sequences", {"inputs": np.zeros((4, 6, 5)), "attention_mask": np.ones((4, 7), int)}, {"layout": "BTC"},
        mends=(
            ({"inputs": np.zeros((4, 6, 5)), "attention_mask": np.ones((4, 6), int)}, {"layout": "BTC"}),
            ({"inputs": np.zeros((4, 6, 5)), "attention_mask": np.ones((4, 7), int)}, {"layout": "BTC", "passthrough": ("attention_mask",)}),
        ),
    ),
    "no table": Case(
        "Not a table", {"inputs": np.zeros((4, 5)), "rows": np.zeros((4, 5, 2))}, {"layout": "BF", "kinds": {"rows": "table"}},
        mends=(({"inputs": np.zeros((4, 5)), "rows": np.zeros((4, 5))}, {"layout": "BF", "kinds": {"rows": "table"}}),
               ({"inputs": np.zeros((4, 5)), "rows": np.zeros((4, 5, 2))}, {"layout": "BF", "passthrough": ("rows",)})),
    ),
    "columns of a table": Case(
        "Categorical columns that are not there", {"inputs": np.zeros((4, 5)), "rows": np.zeros((4, 5))},
        {"layout": "BF", "kinds": {"rows": Table(categorical=(9,))}},
        mends=(({"inputs": np.zeros((4, 5)), "rows": np.zeros((4, 5))}, {"layout": "BF", "kinds": {"rows": Table(categorical=(4,))}}),),
    ),
    "columns of whole numbers": Case(
        "Columns without means", {"inputs": np.zeros((4, 5)), "rows": np.zeros((4, 5), int)}, {"layout": "BF", "kinds": {"rows": "table"}},
        mends=(
            ({"inputs": np.zeros((4, 5)), "rows": np.zeros((4, 5), int)}, {"layout": "BF", "kinds": {"rows": Table(categorical=tuple(range(5)))}}),
            ({"inputs": np.zeros((4, 5)), "rows": np.zeros((4, 5))}, {"layout": "BF", "kinds": {"rows": "table"}}),
        ),
    ),
    "one box an image": Case(
        "Boxes of another form", named(boxes=[[0, 0, 5, 5]] * 4),
        mends=((named(boxes=[[[0, 0, 5, 5]]] * 4), {}),),
    ),
    "rows of objects": Case(
        "Objects of different number", named(boxes=BOXES, labels=[np.zeros(len(boxes) + 1, int) for boxes in BOXES]),
        mends=((named(boxes=BOXES, labels=[np.zeros(len(boxes), int) for boxes in BOXES]), {}),),
    ),
    "points of another width": Case(
        "Keypoints of another width", named(keypoints=[np.zeros((1, 5))] * 4),
        mends=((named(keypoints=[np.zeros((1, 5))] * 4), {"kinds": {"keypoints": Keypoints("xyvas")}}),),
    ),
    "masks of objects": Case(
        "Instance masks of another size", named(instance_masks=[np.ones((1, 4, 4), np.uint8)] * 4),
        mends=((named(instance_masks=[np.ones((1, 8, 8), np.uint8)] * 4), {}),),
    ),
    "objects of other forms": Case(
        "Objects of different forms", named(keypoints=[np.zeros((1, 2)), np.zeros((1, 3)), np.zeros((1, 2)), np.zeros((1, 2))]),
        mends=((named(keypoints=[np.zeros((1, 2))] * 4), {}),),
    ),
    "two sets of objects": Case(
        "Two sets of boxes in one container", named(boxes=BOXES, bboxes=BOXES),
        mends=((named(a={"boxes": BOXES}, b={"boxes": BOXES}), {}), (named(boxes=BOXES, bboxes=BOXES), {"passthrough": ("bboxes",)})),
    ),
    "objects without images": Case(
        "Objects without images", {"inputs": np.zeros((4, 5)), "boxes": BOXES}, {"layout": "BF"},
        mends=(({"inputs": np.zeros((4, 5)), "boxes": BOXES}, {"layout": "BF", "passthrough": ("boxes",)}),),
    ),
    "other records": Case(
        "Records of another number", (X, [{"boxes": BOXES[0]}] * 3), {},
        mends=(((X, [{"boxes": BOXES[0]}] * 4), {}),),
    ),
    "names of records": Case(
        "Records of different names",
        (X, [Found(BOXES[0]), Scored(BOXES[0], np.ones(1))] * 2),
        mends=(((X, [Scored(BOXES[0], np.ones(1))] * 4), {}),),
    ),
    "list of masks": Case(
        "A list of masks for one sample",
        [{"image": X[0], "mask": [np.zeros((8, 8), int)] * 2}] * 2,
        {"masks": "dominant"},
        mends=(([{"image": X[0], "mask": np.zeros((8, 8, 2), np.float32)}] * 2, {"masks": "dominant"}),),
    ),
    "a strange mapping": Case(
        "A mapping that cannot be rebuilt", Named(X, IDS), {"num_classes": 3}, mends=((dict(Named(X, IDS)), {"num_classes": 3}),)
    ),
    "canvas": Case(
        "Canvas sizes disagree",
        typed_boxes((9, 9)),
        mends=((typed_boxes((8, 8)), {}),),
    ),
    "axes of points": Case(
        "Keypoints of another form",
        named(keypoints=[np.zeros((1, 2, 2, 2))] * 4),
        mends=((named(keypoints=[np.zeros((1, 2, 2))] * 4), {}),),
    ),
    "ids of padded masks": Case(
        "No id for the padding of masks",
        named(image=[X[0], WIDE[0]], mask=[np.zeros((8, 8), np.uint8), np.zeros((8, 9), np.uint8)]),
        {"pad": "max", "masks": "dominant", "ignore_index": -100},
        mends=((named(image=[X[0], WIDE[0]], mask=[np.zeros((8, 8), np.int64), np.zeros((8, 9), np.int64)]),
                {"pad": "max", "masks": "dominant", "ignore_index": -100}),),
    ),
    "points without visibility": Case(
        "No visibility to unlabel covered keypoints by",
        named(keypoints=[np.zeros((1, 2))] * 4),
        {"kinds": {"keypoints": Keypoints(occluded="unlabel")}},
        mends=((named(keypoints=[np.ones((1, 3))] * 4), {"kinds": {"keypoints": Keypoints(occluded="unlabel")}}),
               (named(keypoints=[np.zeros((1, 2))] * 4), {"kinds": {"keypoints": Keypoints(occluded="hide")}})),
        others=("occluded",),
    ),
    "points of instances": Case(
        "Points of instances cannot be dropped one by one",
        named(keypoints=[np.ones((1, 2, 3))] * 4),
        {"kinds": {"keypoints": Keypoints(occluded="drop")}},
        mends=((named(keypoints=[np.ones((1, 2, 3))] * 4), {"kinds": {"keypoints": Keypoints(occluded="hide")}}),
               (named(keypoints=[np.ones((1, 2, 3))] * 4), {"kinds": {"keypoints": Keypoints(occluded="unlabel")}})),
        others=("occluded",),
    ),
    "words for boxes": Case(
        "Not rows of numbers",
        named(boxes=[[["a", 0, 5, 5]]] * 4),
        mends=((named(boxes=[[[0, 0, 5, 5]]] * 4, labels=[["a"]] * 4), {}),),
    ),
    "two backends": Case(
        "NumPy and torch in one batch", named(img=torch.zeros(4, 3, 8, 8)), mends=((named(img=torch.zeros(4, 8, 8, 3).numpy()), {}),)
    ),
    "two backends of samples": Case(
        "Samples of different backends",
        [torch.zeros(8, 8, 3), np.zeros((8, 8, 3))],
        mends=(([np.zeros((8, 8, 3))] * 2, {}),),
    ),
    "rows of samples": Case(
        "Rows of different lengths", [(X[0], [0, 1]), (X[1], [2])], {"num_classes": 3},
        mends=(([(X[0], [0, 1]), (X[1], [1, 0])], {}), ([(X[0], "a"), (X[1], "b")], {"passthrough": (1,)})),
    ),
    "rows or columns": Case(
        "Rows or columns", (X, [np.eye(4)[0]] * 4), {}, mends=(((X, np.stack([np.eye(4)[0]] * 4)), {}),)
    ),
    "polygons": Case(
        "Polygons cannot be pasted",
        named(boxes=BOXES, segmentation=[[[[0, 0, 5, 0, 5, 5]]]] * 4),
    ),
    "channels of whole numbers": Case(
        "Whole numbers in channels that are not one-hot",
        named(mask=np.full((4, 8, 8, 3), 5)), {"masks": "soft"},
        mends=((named(mask=np.full((4, 8, 8), 2)), {"masks": "soft", "num_classes": 3}), (named(mask=np.full((4, 8, 8, 3), 0.3)), {"masks": "soft"})),
    ),
    # ------------------------------------------------------------------------------------- what else is refused
    "fields of objects that pass": Case(
        "Fields of objects that would stay behind",
        named(boxes=BOXES, labels=[np.zeros(len(boxes), int) for boxes in BOXES]),
        {"passthrough": ("labels",)},
        mends=((named(boxes=BOXES, labels=[np.zeros(len(boxes), int) for boxes in BOXES]), {}),),
    ),
    "masks of objects or of classes": Case(
        "Masks of objects, or of classes",
        {
            "image": torch.zeros(4, 3, 8, 8),
            "masks": [torch.zeros((2, 8, 8), dtype=torch.bool)] * 4,
            "labels": [torch.tensor([0, 1])] * 4,
        },
    ),
    "masks of as many objects": Case(
        "Samples of different sizes",
        named(masks=[np.zeros((count, 8, 8), bool) for count in (1, 2, 0, 1)]),
    ),
    "labels of objects or of the sample": Case(
        "Labels of the objects or of the sample",
        (X, np.array([[0, 1]] * 4), [{"boxes": np.array([[1.0, 1, 5, 5], [2, 2, 8, 8]])}] * 4),
        mends=(
            ((X, [{"boxes": np.array([[1.0, 1, 5, 5], [2, 2, 8, 8]]), "labels": np.array([0, 1])}] * 4), {}),
        ),
    ),
    "labels beside single keypoints": Case(
        "Labels of the objects or of the sample",
        named(keypoints=[np.array([[1.0, 1], [2, 5]])] * 4, labels=np.array([[0, 1]] * 4)),
    ),
    "ids of objects that pass": Case(
        "Fields of objects that would stay behind",
        named(boxes=BOXES, track=[np.arange(len(boxes)) for boxes in BOXES]),
        {"passthrough": ("track",)},
        mends=(
            (named(boxes=BOXES, track=[np.arange(len(boxes)) for boxes in BOXES]), {"boxes": BoxRules(fields=("track",))}),
        ),
    ),
    "corners out of order": Case(
        "Boxes whose corners are out of order",
        named(boxes=[np.array([[5.0, 5, 2, 3]])] * 4),
        mends=tuple(
            (named(boxes=[np.array([[5.0, 5, 2, 3]])] * 4), {"boxes": BoxRules(format=form)}) for form in ("coco", "cxcywh")
        ),
        others=("format",),
    ),
    "whole numbers and floats": Case(
        "Samples of different dtypes",
        [X[0], (255 * X[1]).astype(np.uint8)],
        mends=(([X[0], X[1]], {}),),
        others=("scale",),
    ),
    "rows of unknown objects": Case(
        "Samples of different sizes",
        [{"image": X[0], "gt_bboxes": BOXES[0]}, {"image": X[1], "gt_bboxes": BOXES[1]}],
    ),
    "ids of unknown objects": Case(
        "Samples of different sizes",
        [{"image": X[index], "gt_bboxes": BOXES[index], "gt_ids": np.arange(index + 1)} for index in (0, 1)],
        {"kinds": {"gt_bboxes": "boxes"}},
        mends=(
            (
                [{"image": X[index], "gt_bboxes": BOXES[index], "gt_ids": np.arange(index + 1)} for index in (0, 1)],
                {"kinds": {"gt_bboxes": "boxes"}, "boxes": BoxRules(fields=("gt_ids",))},
            ),
        ),
    ),
    "a number for an image": Case(
        "One number for an image",
        [{"image": np.array(3.0), "label": 0}] * 2,
        {"num_classes": 3},
        mends=(([{"image": X[0], "label": 0}] * 2, {"num_classes": 3}),),
    ),
    "a number for all objects": Case(
        "One number for all objects",
        [{"image": X[0], "boxes": np.array(3.0)}] * 2,
        mends=(([{"image": X[0], "boxes": BOXES[0]}] * 2, {}),),
    ),
    "classes of every time": Case(
        "Classes, or cells of the mixed axis",
        {"spec": np.zeros((4, 64, 10), np.float32), "strong": np.zeros((4, 4, 10), np.float32)},
        {"layout": "BFT", "axes": "F", "kinds": {"spec": "image", "strong": "mask"}},
        "CutMix",
        mends=(
            (
                {"spec": np.zeros((4, 64, 10), np.float32), "strong": np.zeros((4, 64, 10, 4), np.float32)},
                {"layout": "BFT", "axes": "F", "kinds": {"spec": "image", "strong": "mask"}},
            ),
        ),
    ),
    "a missing label": Case(
        "A sample without a value",
        named(label=[0, None, 2, 1]),
        {"num_classes": 3},
        mends=((named(image=X[[0, 2, 3]], label=[0, 2, 1]), {"num_classes": 3}),),
    ),
    "columns of ids": Case(
        "Label rows of another width",
        (X, IDS[:, None]),
        {"num_classes": 3},
        mends=(((X, IDS), {"num_classes": 3}),),
    ),
    "labels first": Case(
        "Not a batch of images", (IDS, X), {"num_classes": 3}, mends=(((X, IDS), {"num_classes": 3}),)
    ),
    "promised labels": Case(
        "No labels found", named(), {"num_classes": 3}, mends=((named(label=IDS), {"num_classes": 3}), (named(), {}))
    ),
    "no images in a list": Case(
        "A list without images", {"image": []}, mends=(({"image": np.zeros((0, 224, 224, 3))}, {}),)
    ),
    "texts for numbers": Case(
        "Not numbers",
        named(label=Foreign(np.array(["a", "b", "a", "b"]))),
        {"num_classes": 3},
        mends=(
            (named(label=IDS), {"num_classes": 3}),
            (named(label=Foreign(np.array(["a", "b", "a", "b"]))), {"passthrough": ("label",)}),
        ),
    ),
    "missing values": Case(
        "Masked values cannot be mixed",
        (X, np.ma.masked_array(IDS, [0, 0, 1, 0])),
        {"num_classes": 3},
        mends=(
            ((X, np.ma.masked_array(IDS, [0, 0, 1, 0]).filled(0)), {"num_classes": 3}),
            ((X, np.ma.masked_array(IDS, [0, 0, 1, 0])), {"passthrough": (1,)}),
        ),
    ),
    "a sparse tensor": Case(
        "Not one cell for every index",
        torch.zeros(2, 3, 8, 8).to_sparse(),
        mends=((torch.zeros(2, 3, 8, 8).to_sparse().to_dense(), {}),),
    ),
    "originals beside a stranger": Case(
        "Cannot be repeated beside its samples",
        named(path=Foreign(np.array(["a", "b", "c", "d"]))),
        {"keep_originals": True, "passthrough": ("path",)},
        mends=(
            (
                named(path=np.asarray(Foreign(np.array(["a", "b", "c", "d"])))),
                {"keep_originals": True, "passthrough": ("path",)},
            ),
            (named(), {"keep_originals": True}),
        ),
    ),
    "no room for weights": Case(
        "No room for what mixing tells of objects",
        (X, [Narrow(boxes) for boxes in BOXES]),
        mends=(((X, [Found(boxes) for boxes in BOXES]), {}), ((X, [{"boxes": boxes} for boxes in BOXES]), {})),
    ),
    "annotations of COCO": Case(
        "Annotations object by object",
        [
            (X[0], [{"bbox": [1.0, 1, 5, 5], "category_id": 1}]),
            (X[1], [{"bbox": [1.0, 1, 5, 5], "category_id": 2}] * 2),
        ],
        mends=(
            (
                [
                    (X[0], {"boxes": [[1.0, 1, 5, 5]], "labels": [1]}),
                    (X[1], {"boxes": [[1.0, 1, 5, 5]] * 2, "labels": [2, 2]}),
                ],
                {"boxes": BoxRules(format="coco")},
            ),
        ),
        others=("boxes",),
    ),
    "colours of padded images": Case(
        "Images with different numbers of channels",
        [np.zeros((8, 8, 3)), np.zeros((8, 9, 1))],
        {"pad": "max"},
        mends=(([np.zeros((8, 8, 3)), np.zeros((8, 9, 3))], {"pad": "max"}),),
    ),
    "padded masks": Case(
        "A mask of another size than its image",
        named(image=[X[0], WIDE[0]], mask=[np.zeros((8, 9), int), np.zeros((8, 8), int)]),
        {"pad": "max", "masks": "dominant"},
        mends=(
            (
                named(image=[X[0], WIDE[0]], mask=[np.zeros((8, 8), int), np.zeros((8, 9), int)]),
                {"pad": "max", "masks": "dominant"},
            ),
        ),
    ),
    "channels of padded masks": Case(
        "Masks with different numbers of channels",
        named(image=[X[0], WIDE[0]], mask=[np.zeros((8, 8, 2)), np.zeros((8, 9, 3))]),
        {"pad": "max", "masks": "soft"},
        mends=(
            (
                named(image=[X[0], WIDE[0]], mask=[np.zeros((8, 8, 3)), np.zeros((8, 9, 3))]),
                {"pad": "max", "masks": "soft"},
            ),
        ),
    ),
    "floats beside boxes": Case(
        "Labels of the boxes or of the sample",
        named(boxes=np.array([[[1.0, 1, 5, 5], [2, 2, 8, 8]]] * 4), target=np.full((4, 2), 0.5)),
    ),
    "fractions": Case(
        "Boxes that look like fractions of the image",
        named(boxes=[np.array([[0.1, 0.1, 0.5, 0.5]])] * 4),
        mends=((named(boxes=[np.array([[0.1, 0.1, 0.5, 0.5]])] * 4), {"boxes": BoxRules(format="normalized_cxcywh")}),),
    ),
    "pixels": Case(
        "Boxes in pixels under a format of fractions",
        named(boxes=BOXES),
        {"boxes": BoxRules(format="yolo")},
        mends=((named(boxes=[np.array([[0.1, 0.1, 0.5, 0.5]])] * 4), {"boxes": BoxRules(format="yolo")}),),
    ),
    "no shares": Case(
        "Numbers that are no shares of classes",
        (X, np.array([[0.5, 7.0]] * 4)),
        mends=(
            ((X, np.array([[0.5, 7.0]] * 4)), {"kinds": {1: "regression"}}),
            ((X, np.array([[0.5, 7.0]] * 4)), {"passthrough": (1,)}),
        ),
    ),
    "channels of masks that fit both ways": Case(
        "Which axis of the mask is that of channels",
        {"image": np.zeros((2, 24, 12, 3)), "mask": np.zeros((2, 12, 6, 3))},
        {"masks": "soft"},
        mends=(
            ({"image": np.zeros((2, 24, 12, 3)), "mask": np.zeros((2, 12, 6), int)}, {"masks": "soft", "num_classes": 3}),
        ),
    ),
    "relative lengths": Case(
        "Not lengths",
        {"inputs": np.zeros((4, 6, 5)), "lengths": np.full(4, 0.5)},
        {"layout": "BTC"},
        mends=(
            ({"inputs": np.zeros((4, 6, 5)), "lengths": np.full(4, 3)}, {"layout": "BTC"}),
            (
                {"inputs": np.zeros((4, 6, 5)), "lengths": np.full(4, 0.5)},
                {"layout": "BTC", "passthrough": ("lengths",)},
            ),
        ),
    ),
    "lengths and pastes": Case(
        "Lengths beside a method that pastes",
        {"inputs": np.zeros((4, 6, 5)), "lengths": np.full(4, 3)},
        {"layout": "BTC"},
        "CutMix",
        mends=(
            ({"inputs": np.zeros((4, 6, 5)), "lengths": np.full(4, 3)}, {"layout": "BTC", "method": "MixUp"}),
            (
                {"inputs": np.zeros((4, 6, 5)), "attention_mask": np.arange(6) < np.full(4, 3)[:, None]},
                {"layout": "BTC"},
            ),
        ),
    ),
    "lengths of others": Case(
        "Lengths out of range",
        {"inputs": np.zeros((4, 6, 5)), "lengths": np.full(4, 7)},
        {"layout": "BTC"},
        mends=(({"inputs": np.zeros((4, 6, 5)), "lengths": np.full(4, 6)}, {"layout": "BTC"}),),
    ),
    "maps to predict": Case(
        "Numbers that have places in the images",
        named(heat=np.zeros((4, 8, 8))),
        {"kinds": {"heat": "regression"}},
        "CutMix",
        mends=(
            (named(heat=np.zeros((4, 8, 8))), {"kinds": {"heat": "mask"}}),
            (named(heat=np.zeros((4, 8, 8))), {"kinds": {"heat": "image"}}),
            (named(heat=np.zeros((4, 64))), {"kinds": {"heat": "regression"}}),
        ),
    ),
    # ------------------------------------------------------------------------- hints that have led round in a circle
    "one number a sample beside boxes": Case(  # which is no field, also where it is declared as one
        "An array that is neither known nor declared", named(boxes=BOXES, batch_idx=np.arange(4)), {"num_classes": 4}
    ),
    "a field that has no rows": Case(
        "An array that is neither known nor declared",
        named(boxes=BOXES, batch_idx=np.arange(4)),
        {"num_classes": 4, "boxes": BoxRules(fields=("batch_idx",))},
    ),
    "rows beside lists of boxes": Case(  # shares of every sample, and no row for every box
        "An array that is neither known nor declared", named(boxes=BOXES, odds=np.full((4, 3), 1 / 3))
    ),
    "rows beside stacked boxes": Case(
        "An array that is neither known nor declared",
        named(boxes=np.stack([BOXES[1]] * 4), odds=np.full((4, 2), 0.5)),
    ),
    "lists of numbers beside boxes": Case(
        "An array that is neither known nor declared", named(boxes=BOXES, colours=[[1], [2, 3], [], [4]])
    ),
    "images and labels in a tuple": Case(
        "An array that is neither known nor declared", named(a=(X, IDS)), {"num_classes": 3}
    ),
    "labels and images in a tuple": Case(
        "An array that is neither known nor declared", {"a": (IDS, X)}, {"num_classes": 3}
    ),
    "a tuple as long as the batch": Case(
        "An array that is neither known nor declared", {"image": X[:2], "a": (X[:2], IDS[:2])}, {"num_classes": 3}
    ),
    "an array a sample": Case(
        "An array that is neither known nor declared", named(depth=list(X))
    ),
    "misspelt labels in records": Case(
        "An array that is neither known nor declared",
        (X, [{"lables": int(number)} for number in IDS]),
        mends=(((X, [{"labels": int(number)} for number in IDS]), {"num_classes": 3}),),
    ),
    "a class that takes no pairs of masks": Case(
        "A class that refuses its new values", Checked(X, np.zeros((4, 8, 8), int)), {"kinds": {"gt_mask": "mask"}},
        mends=(({"image": X, "gt_mask": np.zeros((4, 8, 8), int)}, {"kinds": {"gt_mask": "mask"}}),),
    ),
    "a class that takes no soft masks": Case(
        "A class that refuses its new values", Checked(X, np.zeros((4, 8, 8), int)),
        {"kinds": {"gt_mask": "mask"}, "masks": "soft", "num_classes": 2},
    ),
    "a class that takes no pairs of labels": Case(
        "A class that refuses its new values", CheckedLabels(X, IDS), {"labels": "pair", "num_classes": 3}, others=("masks",)
    ),
    "a tuple that takes no pairs": Case(
        "A class that refuses its new values", Strict(X, IDS), {"labels": "pair", "num_classes": 3}, others=("masks",)
    ),
    "a class that is not copied": Case("A class that cannot be copied", Alone(X), mends=(({"image": X}, {}),)),
    "a map without channels": Case(
        "Not a batch of images",
        {"image": torch.zeros(4, 3, 8, 8), "map": torch.zeros(4, 8, 8)},
        {"kinds": {"map": "image"}},
        mends=(
            ({"image": torch.zeros(4, 3, 8, 8), "map": torch.zeros(4, 8, 8)[:, None]}, {"kinds": {"map": "image"}}),
            ({"image": torch.zeros(4, 3, 8, 8), "map": torch.zeros(4, 8, 8, dtype=torch.int64)}, {"kinds": {"map": "mask"}}),
        ),
    ),
    "lists of numbers for images": Case(
        "No array", named(a=[[1], [2, 3], [3], []]), {"kinds": {"a": "image"}}, mends=((named(a=X), {"kinds": {"a": "image"}}),)
    ),
}  # fmt: skip


def state(case: Case, batch: Batch, options: Mapping[str, Any]) -> InputError | None:
    """What a batch ends in: an error, or ``None`` where it is mixed."""
    given = {"alpha": 1.0, "seed": 0, "method": case.method, **options}
    transform = getattr(mixtransforms, given.pop("method"))(**given)
    try:
        transform(batch)
    except InputError as error:
        return error
    return None


def follow(case: Case, options: Mapping[str, Any], error: InputError, depth: int = DEPTH) -> bool:
    """Whether some chain of keywords ends in a mixed batch; every one of them must change what is said."""
    if depth == 0:
        return False
    ends = False
    for more in keywords(error.fix):
        if set(more) & set(case.others):
            continue
        after = given(options, more)
        then = state(case, case.batch, after)
        assert str(then) != str(error), f"{more} changes nothing: {error}"
        ends = then is None or follow(case, after, then, depth - 1) or ends
    return ends


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_hint_leads_on(case: Case) -> None:
    error = state(case, case.batch, case.options)
    assert error is not None
    assert error.what == case.what
    ends = follow(case, case.options, error)
    assert ends or case.mends, f"no way out: {error}"
    for batch, options in case.mends:
        assert state(case, batch, options) is None


ROOMS = ("batch", "containers", "core", "mixing", "objects", "targets", "methods")
ELSEWHERE = {
    # The neutral door has no labels_getter.
    "The labels are no value of the batch": "tests/torchvision_door/test_v2_filters.py",
    # Pipelines alone mix twice.
    "Two mixes that paste": "tests/torchvision_door/test_v2_compose.py",
    # Methods that say ``needs``.
    "A hint that nobody reads": "tests/mixing/test_read_hints.py",
    "Hints without names": "tests/mixing/test_pipeline_hints.py",
    "Not one value a sample": "tests/mixing/test_read_hints.py",
    "Label maps along axes that are not mixed": "tests/mixing/test_read_hints.py",
    "No groups": "tests/methods/test_pairing_objects.py",
    "Images that have no contrast": "tests/methods/test_saliencymix.py",
    # Methods that read more than a spec, or need axes of some kind.
    "Remix reads class labels": "tests/methods/test_remix.py",
    "Classes without a count": "tests/methods/test_remix.py",
    "ColumnSwap needs an axis of columns": "tests/methods/test_column_swap.py",
    "An output size of other axes than the samples": "tests/methods/test_mosaic_canvas.py",
    "CopyBlend needs boxes in images": "tests/methods/test_copyblend.py",
    # Methods that blend more than two.
    "Several samples may be blended in one place": "tests/methods/test_copyblend.py",
    # Gains alone scale.
    "Sounds that have no level": "tests/methods/test_gain.py",
    "These values cannot be scaled": "tests/methods/test_gain.py",
    # No transform reads attention.
    "An attention map that does not fit the plan": "tests/mixing/test_relabel.py",
    "An attention map without a share for anybody": "tests/mixing/test_relabel.py",
    # Second batches are given beside the batch.
    "No second batch": "tests/mixing/test_second_batches.py",
    "Nothing to mix with": "tests/mixing/test_second_batches.py",
    "No partners": "tests/mixing/test_second_batches.py",
    "A second batch of another structure": "tests/mixing/test_second_batches.py",
    "A second batch of another form": "tests/mixing/test_second_batches.py",
    "A second batch for a pipeline": "tests/mixing/test_second_batches.py",
    "Batches of different sizes": "tests/mixing/test_second_batches.py",
    "A pairing that knows nothing of second batches": "tests/mixing/test_second_batches.py",
    "A method that takes no partners from a second batch": "tests/mixing/test_second_batches.py",
    # Only of banks, which fill with the batches before.
    "Earlier samples of another form": "tests/mixing/test_earlier_samples.py",
    "Earlier samples where calls are not counted": "tests/mixing/test_earlier_samples.py",
    "Hints that know nothing of a bank": "tests/mixing/test_earlier_samples.py",
    # Stages of pipelines alone may change the sizes of samples.
    "Samples of a batch have got different sizes": "tests/torchvision_door/test_v2_stages.py",
    # Pipelines of a host alone read columns as samples.
    "A column of another length": "tests/torchvision_door/test_v2_forms.py",
    # Only of pipelines with hints, of partners as values, and of samples whose sizes somebody tells.
    "A hint of other samples than those that are mixed": "tests/mixing/test_pipeline_hints.py",
    "A name that is taken": "tests/mixing/test_partners.py",
    "No room for the index of partners": "tests/mixing/test_partners.py",
    "No sizes": "tests/mixing/test_unequal_sizes.py",
    "Sizes that the batch has told already": "tests/mixing/test_unequal_sizes.py",
    "Images of one sample differ in size": "tests/mixing/test_unequal_sizes.py",
    "Label maps of any size beside padding": "tests/mixing/test_unequal_sizes.py",
}
"""Errors that the table does not raise, and which test does."""


def raised() -> set[str]:
    """What the errors of batches are called, in the rooms that read them."""
    root = Path(mixtransforms.__file__).parent
    files = [path for room in ROOMS for path in (root / room).rglob("*.py")]
    calls = [
        node for path in files for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    named = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "InputError" and node.args]
    return {node.args[0].value for node in named if isinstance(node.args[0], ast.Constant)}


def test_every_error_of_a_batch_is_in_the_table() -> None:
    assert raised() - {case.what for case in CASES.values()} == set(ELSEWHERE)
