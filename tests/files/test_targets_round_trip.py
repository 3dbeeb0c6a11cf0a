"""What is said of targets, to JSON and back: equal rules, equal batches, also in a fresh process."""

import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import mixtransforms
from mixtransforms import (
    BoxRules,
    ConfigError,
    CutMix,
    Keypoints,
    Label,
    Lengths,
    MixUp,
    MultiLabel,
    OneOf,
    Padding,
    Regression,
    SemanticMask,
    Table,
)

KINDS: dict[str, Any] = {
    "fine": Label(100, ignore_index=-1),
    "pairs": Label(form="pair"),
    "tags": MultiLabel(union=True, unknown=-1.0),
    "age": Regression(),
    "labels": Regression(form="pair"),
    "joints": Keypoints("xyv", "unlabel", 2, ("side",)),
    "seg": SemanticMask(21, 255, "soft"),
    "table": Table(categorical=(3, 1)),
    "seen": Padding(inverted=True),
    "steps": Lengths(),
    "map": SemanticMask(any_size=True),
    "scan": "image",
    0: "image",
    "a.b": "mask",
}
BOXES = BoxRules(0.25, "keep", 2.0, 4.5, "visibility", ("speed", "colour"), "coco", "refit", strict=True)
TRANSFORMS: dict[str, Any] = {
    "kinds": MixUp(kinds=KINDS),
    "boxes": CutMix(boxes=BOXES, passthrough=("info", 3)),
    "masks": MixUp(masks="dominant", num_classes=5, ignore_index=255),
    "layout": CutMix(layout="BTCHW", axes="cube"),
    "letters": CutMix(layout="BFT", axes="FT"),
    "pad": MixUp(pad="max", ignore_index=0),
    "choice": OneOf([MixUp(alpha=1.0), CutMix()], kinds=KINDS, boxes=BOXES, masks="soft", num_classes=3, seed=4),
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_rules_come_back_equal(name: str) -> None:
    transform = TRANSFORMS[name]
    text = mixtransforms.to_json(transform)
    again = mixtransforms.from_json(text)
    assert type(again) is type(transform)
    assert repr(again) == repr(transform)
    assert mixtransforms.to_json(again) == text
    for option in ("kinds", "boxes", "masks", "layout", "axes", "pad", "passthrough", "ignore_index"):
        first, second = getattr(transform, option), getattr(again, option)
        assert first == second, option
        assert type(first) is type(second)
    for own, kind in (transform.kinds or {}).items():
        assert type(again.kinds[own]) is type(kind)
    assert "NaN" not in text


def detection() -> dict[str, Any]:
    """A batch with boxes, instances, points, fields, a mask and labels of several kinds."""
    rng = np.random.default_rng(0)
    counts = (2, 0, 3, 1)
    boxes = [rng.integers(0, 8, (n, 2)) for n in counts]
    return {
        "images": rng.random((4, 16, 16, 3)).astype(np.float32),
        "seg": rng.integers(0, 5, (4, 16, 16)).astype(np.uint8),
        "fine": np.array([0, 2, 1, 2]),
        "tags": np.array([[1, 0, -1], [0, 1, 1], [-1, -1, 0], [1, 1, 1]]),
        "bboxes": [np.concatenate([start, rng.integers(2, 8, start.shape)], 1).astype(np.float32) for start in boxes],
        "speed": [rng.random(n) for n in counts],
        "joints": [np.concatenate([rng.integers(0, 16, (n, 2, 2)), np.full((n, 2, 1), 2)], 2) for n in counts],
    }


def declared(**more: Any) -> dict[str, Any]:
    return {
        "kinds": {
            "fine": Label(3),
            "tags": MultiLabel(unknown=-1.0),
            "seg": SemanticMask(5, form="soft"),
            "joints": Keypoints(min_visible=0),
        },
        "boxes": BoxRules(0.25, weight="visibility", fields=("speed",), format="coco"),
        **more,
    }


def flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for name in sorted(value) for item in flat(value[name])]
    if isinstance(value, (list, tuple)):
        return [item for part in value for item in flat(part)]
    return [np.asarray(value)]


def assert_same(first: Any, second: Any) -> None:
    assert len(flat(first)) == len(flat(second))
    for one, other in zip(flat(first), flat(second), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_equal_batches(method: Any) -> None:
    transform = method(**declared(seed=5))
    again = mixtransforms.from_json(mixtransforms.to_json(transform))
    expected = transform(detection())
    assert_same(again(detection()), expected)
    assert "box_weights" in expected


RUN = """
import hashlib, sys
import numpy as np
sys.path[:0] = sys.argv[2].split(";")
from test_targets_round_trip import detection, flat
import mixtransforms

pipeline = mixtransforms.load(sys.argv[1])
batch = detection()
out = pipeline(**batch) if "albumentations" in type(pipeline).__module__ else pipeline(batch)
print(hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in flat(dict(out)))).hexdigest())
"""


def torchvision_pipeline() -> Any:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from mixtransforms.torchvision import BatchCompose
    from mixtransforms.torchvision import CutMix as Own

    return BatchCompose([Own(**declared())], seed=3)


def albumentations_pipeline() -> Any:
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")
    from mixtransforms.albumentations import BatchCompose
    from mixtransforms.albumentations import MixUp as Own

    rules = declared()
    kinds = {name: kind for name, kind in rules["kinds"].items() if name != "joints"}
    params = A.BboxParams("coco", label_fields=["speed"])
    return BatchCompose([Own(**rules | {"kinds": kinds, "passthrough": "joints"})], bbox_params=params, seed=3)


@pytest.mark.parametrize("make", [torchvision_pipeline, pytest.param(albumentations_pipeline, marks=pytest.mark.full)])
def test_a_fresh_process_gives_equal_batches(make: Any, tmp_path: Any) -> None:
    import hashlib
    from pathlib import Path

    pipeline = make()
    path = tmp_path / "pipeline.json"
    mixtransforms.save(pipeline, path)
    batch = detection()
    named = "albumentations" in type(pipeline).__module__
    out = pipeline(**batch) if named else pipeline(batch)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in flat(dict(out)))).hexdigest()
    here = Path(__file__).parent
    seen = subprocess.run(
        [sys.executable, "-c", RUN, str(path), f"{here};{here.parent / 'support'}"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"},
    ).stdout.strip()
    assert seen == digest


@pytest.mark.parametrize("name", [name for name in TRANSFORMS if name != "kinds"])
def test_the_hosts_own_files(name: str) -> None:
    """``A.to_dict`` and ``A.from_dict`` know the same options."""
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")
    from mixtransforms import albumentations as door

    neutral = TRANSFORMS[name]
    options = {
        option: getattr(neutral, option)
        for option in ("kinds", "boxes", "masks", "layout", "axes", "pad", "passthrough", "ignore_index", "num_classes")
    }
    if name == "choice":
        own = door.OneOf([door.MixUp(alpha=1.0), door.CutMix()], **options)
    else:
        own = getattr(door, type(neutral).__name__)(**options)
    written = json.loads(json.dumps(A.to_dict(door.BatchCompose([own], seed=1))))
    (again,) = A.from_dict(written).transforms
    assert repr(again) == repr(own)
    for option, value in options.items():
        assert getattr(again, option) == value


def changed(**args: Any) -> dict[str, Any]:
    """A file of one transform with other arguments."""
    data = mixtransforms.to_dict(MixUp())
    return data | {"pipeline": data["pipeline"] | {"args": data["pipeline"]["args"] | args}}


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"boxes": {"min_visibility": 2}}, r"'boxes' \(\$\.pipeline\.args\.boxes\.min_visibility\): got 2"),
        ({"boxes": {"min_visibilty": 0.5}}, r"\.args\.boxes\.min_visibilty\).*Did you mean 'min_visibility'"),
        ({"boxes": "xyxy"}, r"\(\$\.pipeline\.args\.boxes\): got 'xyxy'; wanted BoxRules"),
        ({"boxes": {"format": "xxyy"}}, r"\(\$\.pipeline\.args\.boxes\.format\): got 'xxyy'"),
        ({"kinds": {"fine": {"kind": "labl"}}}, r"\(\$\.pipeline\.args\.kinds\.fine\): got .*labl"),
        ({"kinds": {"fine": {"num_classes": 3}}}, r"\(\$\.pipeline\.args\.kinds\.fine\)"),
        (
            {"kinds": {"fine": {"kind": "label", "num_classes": 0}}},
            r"\(\$\.pipeline\.args\.kinds\.fine\.num_classes\): got 0",
        ),
        ({"kinds": {"fine": {"kind": "label", "classes": 3}}}, r"\$\.pipeline\.args.*classes"),
        ({"masks": "hard"}, r"\(\$\.pipeline\.args\.masks\): got 'hard'"),
        ({"layout": "HWC"}, r"\(\$\.pipeline\.args\.layout\): got 'HWC'"),
        ({"layout": "BHH"}, r"\(\$\.pipeline\.args\.layout\): got 'BHH'"),
        ({"axes": "C"}, r"\(\$\.pipeline\.args\.axes\): got 'C'"),
        ({"pad": "min"}, r"\(\$\.pipeline\.args\.pad\): got 'min'"),
    ],
    ids=str,
)
def test_bad_values_in_files_name_the_place(args: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        mixtransforms.from_dict(changed(**args))
