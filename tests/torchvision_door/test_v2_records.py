"""Samples of every form and container in pipelines of torchvision: nothing that is told of an object loses it.

Every object is painted in a channel of its own, see ``painted_samples``, and everything told of it carries its number.
"""

import copy
import dataclasses
import functools
import hashlib
import pickle
import subprocess
import sys
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

import tiers
from painted_samples import COUNTS, FORMS, HOLDERS, ROOMY, RULES, SHAPE, assert_all_told, detection, read
from scenes import scenes
from torch.utils.data import DataLoader
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import InputError
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

FLIPS = [v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()]
forked = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")


def given(form: str = "plain", holder: str = "tuple", seed: int = 0) -> list[Any]:
    return detection(scenes(COUNTS, SHAPE, seed), form, holder)


def assert_true(batch: Any, **how: Any) -> int:
    """The number of objects of a batch, all of which are told of as its pictures show them."""
    return sum(assert_all_told(image, values, **how) for image, values in read(batch))


# ------------------------------------------------------------------------------------------ forms and containers


@tiers.each(holder=HOLDERS, form=FORMS)
def test_every_container_of_every_form_before_a_paste(form: str, holder: str) -> None:
    """Flips, a crop and a filter of boxes on samples, then a paste: every field belongs to its box."""
    pipeline = BatchCompose([*FLIPS, v2.RandomCrop((20, 18)), v2.SanitizeBoundingBoxes(), CutMix(**RULES)], seed=1)
    samples = given(form, holder)
    if form == "typed" and holder not in ROOMY:  # a paste covers points, and nothing there could say which
        with pytest.raises(InputError, match="Add to the class keypoints_visible: Any = None"):
            pipeline(samples)
        return
    assert assert_true(pipeline(samples)) > 8


@tiers.each(holder=HOLDERS, form=FORMS)
def test_every_container_of_every_form_after_a_mix(form: str, holder: str) -> None:
    """A record that takes no weights holds them inside; such boxes are moved like the picture, or refused."""
    mix = OneOf([MixUp(alpha=1.0), CutMix()], **RULES)
    for seed in range(2):
        moved = [mix, *FLIPS, v2.Pad([1, 2, 3, 0]), v2.RandomVerticalFlip(1.0)]
        filtered = [mix, v2.RandomCrop((14, 12)), v2.SanitizeBoundingBoxes()]
        for steps in (moved, filtered):
            try:
                out = BatchCompose(steps, seed=seed)(given(form, holder, seed))
            except InputError:
                assert holder not in ROOMY
                continue
            assert assert_true(out, tight=steps is moved) > 8


@tiers.each(form=FORMS, getter=["default", None, lambda sample: sample[1]["labels"]])
def test_filters_before_and_after(form: str, getter: Any) -> None:
    """Boxes that a crop has emptied leave with everything that is theirs, whatever the filter takes for labels."""
    sanitize = v2.SanitizeBoundingBoxes(labels_getter=getter)
    mix = MixUp(alpha=1.0, **RULES)
    for seed in range(2):
        early = BatchCompose([v2.RandomCrop((16, 14)), sanitize, mix, v2.RandomHorizontalFlip(), sanitize], seed=seed)
        late = BatchCompose([mix, v2.RandomCrop((14, 12)), sanitize, v2.RandomHorizontalFlip(1.0)], seed=seed)
        assert assert_true(early(given(form, seed=seed))) > 8
        assert 8 < assert_true(late(given(form, seed=seed))) < 2 * sum(COUNTS)


@pytest.mark.parametrize("form", ["typed", "plain"])
def test_filters_of_points_keep_types(form: str) -> None:
    """A filter of keypoints, too, takes everything of an object, and leaves formats and canvases as they are."""
    filters = [v2.SanitizeBoundingBoxes(), v2.ClampKeyPoints(), v2.SanitizeKeyPoints(labels_getter=None)]
    transforms = [v2.RandomCrop((16, 14)), *filters, v2.Pad(2), v2.RandomCrop((18, 16)), v2.SanitizeBoundingBoxes()]
    _, targets = BatchCompose([*transforms, CutMix(**RULES)], seed=0)(given(form))
    for target in targets:
        assert len({len(value) for name, value in target.items() if name != "image_id"}) == 1
        torch.testing.assert_close(target["track"][:, 0].long(), target["labels"])
        if form == "typed":
            assert target["boxes"].format is tv_tensors.BoundingBoxFormat.XYXY
            assert target["boxes"].canvas_size == target["keypoints"].canvas_size == (18, 16)


def test_types_outlive_filters() -> None:
    """Typed boxes and keypoints keep their format and canvas through filters at either side of the mix."""
    sanitize, crop = v2.SanitizeBoundingBoxes(), v2.RandomCrop((20, 18))
    out = BatchCompose([sanitize, crop, sanitize, CutMix(**RULES), sanitize, v2.RandomCrop((18, 16))], seed=0)
    for target in out(given("typed"))[1]:
        assert target["boxes"].canvas_size == target["keypoints"].canvas_size == (18, 16)
        assert type(target["masks"]) is tv_tensors.Mask


def test_a_crop_after_a_mix_cuts_what_the_mix_tells() -> None:
    """The batch of a pipeline with a crop at its end is that of the pipeline without it, cropped by hand."""
    first = [*FLIPS, OneOf([MixUp(alpha=1.0), CutMix()], **RULES)]
    whole = BatchCompose(first, seed=3)(given())
    out = BatchCompose([*first, v2.CenterCrop((12, 14)), v2.SanitizeBoundingBoxes()], seed=3)(given())
    top, left, gone = 6, 3, 0
    assert torch.equal(out[0], whole[0][..., top : top + 12, left : left + 14])
    for target, before in zip(out[1], whole[1], strict=True):
        cut = (before["boxes"] - torch.tensor([left, top, left, top])).clamp(min=0)
        cut = torch.minimum(cut, torch.tensor([14.0, 12.0, 14.0, 12.0]))
        kept = ((cut[:, 2:] - cut[:, :2]) >= 1).all(dim=1)
        assert torch.equal(target["boxes"], cut[kept])
        assert torch.equal(target["masks"], before["masks"][kept, top : top + 12, left : left + 14])
        for name in ("labels", "track", "area", "iscrowd", "box_weights"):
            assert torch.equal(target[name], before[name][kept]), name
        gone += int((~kept).sum())
    assert gone > 0


@pytest.mark.parametrize("holder", ROOMY)
def test_nothing_is_typed_in_the_end(holder: str) -> None:
    """``ToPureTensor`` behind a mix leaves plain tensors in every container."""
    out = BatchCompose([CutMix(**RULES), v2.ToPureTensor()], seed=0)(given("typed", holder))
    for _, values in read(out):
        types = {name: type(value) for name, value in values.items() if torch.is_tensor(value)}
        assert set(types.values()) == {torch.Tensor}, types
    images = out["image"] if isinstance(out, dict) else out.image if hasattr(out, "image") else out[0]
    assert type(images) is torch.Tensor


@pytest.mark.parametrize("holder", ["tuple", "dict"])
def test_dtypes_by_type(holder: str) -> None:
    """``ToDtype`` with a dtype for every type converts pictures, boxes and masks, and nothing else."""
    kinds = {tv_tensors.Image: torch.float64, tv_tensors.BoundingBoxes: torch.float64, tv_tensors.Mask: torch.bool}
    out = BatchCompose([CutMix(**RULES), v2.ToDtype({**kinds, "others": None})], seed=0)(given("typed", holder))
    for _, values in read(out):
        dtypes = [values[name].dtype for name in ("boxes", "masks", "labels", "keypoints", "box_weights")]
        assert dtypes == [torch.float64, torch.bool, torch.int64, torch.float32, torch.float32]
    assert assert_true(out) > 8


WAYS: Mapping[str, Callable[[list[Any], list[Any]], Any]] = {
    "stacked": lambda images, targets: (torch.stack(images), targets),
    "lists": lambda images, targets: (images, targets),
    "zipped": lambda images, targets: tuple(zip(*zip(images, targets, strict=True), strict=True)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("form", FORMS)
def test_ready_batches(form: str, way: str) -> None:
    """What detection models take is a batch; its images and targets come back as they came, list or tuple."""
    batch = WAYS[way](*map(list, zip(*given(form), strict=True)))
    out = BatchCompose([*FLIPS, CutMix(**RULES), v2.RandomHorizontalFlip()], seed=2)(batch)
    assert type(out) is type(batch)
    assert type(out[1]) is type(batch[1])
    assert isinstance(out[0], type(batch[0]))
    assert assert_true(out) > 8


# ------------------------------------------------------------------------------------------ semantic masks


class Pair(typing.NamedTuple):
    """An image and its mask."""

    image: Any
    mask: Any


@dataclasses.dataclass
class Scenery:
    """The same as a dataclass."""

    image: Any
    mask: Any


SEGMENTED: Mapping[str, Callable[[Any, Any], Any]] = {
    "tuple": lambda image, mask: (image, mask),
    "dict": lambda image, mask: {"image": image, "mask": mask},
    "nested": lambda image, mask: (image, {"mask": mask, "name": "scene"}),
    "namedtuple": Pair,
    "dataclass": Scenery,
}


def segmented(holder: str, typed: bool) -> list[Any]:
    """Pictures that are their masks, in numbers that tell every place of every picture from others."""
    values = torch.arange(4 * 12 * 10).reshape(4, 12, 10)
    wrap: Any = tv_tensors.Mask if typed else torch.clone
    picture: Any = tv_tensors.Image if typed else torch.clone
    return [SEGMENTED[holder](picture(mask[None].float()), wrap(mask)) for mask in values]


def picture_and_masks(out: Any) -> tuple[Any, Any, Any, Any]:
    """Picture, mask, the partner's mask and the weight, the last two ``None`` under a paste."""
    image = out["image"] if isinstance(out, dict) else out.image if hasattr(out, "image") else out[0]
    mask = out if isinstance(out, dict) else out.mask if hasattr(out, "mask") else out[1]
    if isinstance(mask, dict):
        found = (mask["mask"], mask.get("mask_partner"), mask.get("mask_weight"))
    else:
        found = tuple(mask) if hasattr(mask, "_fields") else (mask, None, None)
    plain = [value if value is None else value.as_subclass(torch.Tensor) for value in (image, *found)]
    return plain[0], plain[1], plain[2], plain[3]


@pytest.mark.parametrize("method", [MixUp, CutMix])
@pytest.mark.parametrize("typed", [True, False], ids=["typed", "plain"])
@pytest.mark.parametrize("holder", SEGMENTED)
def test_masks_go_where_the_picture_goes(holder: str, typed: bool, method: Any) -> None:
    """Flips and crops behind the mix move mask and partner's mask as they move the picture, in any container."""
    kinds = {1: "mask"} if holder == "tuple" and not typed else None
    for seed in range(3):
        steps = [v2.RandomHorizontalFlip(), method(alpha=1.0, kinds=kinds), *FLIPS, v2.RandomCrop((8, 7)), v2.Pad(1)]
        image, mask, partner, weight = picture_and_masks(BatchCompose(steps, seed=seed)(segmented(holder, typed)))
        assert mask.dtype == torch.int64
        shown = mask.float()
        if method is MixUp:
            assert partner.dtype == torch.int64
            weight = weight.reshape(-1, 1, 1)
            shown = weight * shown + (1 - weight) * partner
        assert mask.shape == (4, 10, 9)
        torch.testing.assert_close(image[:, 0], shown, rtol=0, atol=1e-3)


# ------------------------------------------------------------------------------------------ seeds and copies


def detector(seed: int | None = 0) -> BatchCompose:
    mix = OneOf([MixUp(alpha=1.0), CutMix()], **RULES)
    return BatchCompose([*FLIPS, v2.RandomCrop((20, 18)), mix, v2.RandomHorizontalFlip()], seed=seed)


def fingerprint(batches: Any) -> str:
    """Everything that batches hold, byte for byte."""
    digest = hashlib.sha256()
    for batch in batches:
        for image, values in read(batch):
            digest.update(np.ascontiguousarray(image).tobytes())
            for name in sorted(values):
                digest.update(name.encode() + np.ascontiguousarray(values[name]).tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("form", ["typed", "lists"])
@forked
def test_workers_draw_what_one_process_draws(form: str) -> None:
    """A seeded pipeline gives the same detection batches in this process, in a worker and in two; others differ."""
    data = given(form) + given(form, seed=1)
    loaders = [DataLoader(data, batch_size=3, collate_fn=detector(), num_workers=count) for count in (0, 1, 2)]
    prints = [fingerprint(loader) for loader in loaders]
    assert prints[0] == prints[1] == prints[2]
    assert len({fingerprint([detector(seed)(data)]) for seed in (0, 1, None, None)}) == 4


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda pipeline: pickle.loads(pickle.dumps(pipeline))])
def test_copies_draw_the_same(copied: Any) -> None:
    """A copy of a pipeline of objects draws what the pipeline itself draws."""
    pipeline = detector()
    assert fingerprint([copied(pipeline)(given())]) == fingerprint([pipeline(given())])


@pytest.mark.full
def test_a_fresh_process_draws_the_same() -> None:
    """The seed and the samples alone decide: hashes of strings, addresses and former calls do not."""
    here = Path(__file__).resolve()
    code = "import sys; sys.path[:0] = sys.argv[1:]; import test_v2_records as t; print(t.fingerprint([t.detector()(t.given())]))"
    args = [sys.executable, "-c", code, str(here.parent), str(here.parents[1] / "support")]
    found = subprocess.run(args, capture_output=True, text=True, check=True, cwd=here.parents[2])
    assert found.stdout.strip() == fingerprint([detector()(given())])


def test_a_list_of_clips_is_one_clip_a_sample() -> None:
    """The named axes tell a list of clips from a list of views, whose samples would be the frames."""
    clips = [torch.full((5, 3, 8, 9), float(number)) + torch.arange(9) / 10 for number in range(4)]
    pipeline = BatchCompose([CutMix(p=0.0, layout="BTCHW"), v2.RandomHorizontalFlip()], seed=0)
    flipped = []
    for clip, after in zip(clips, pipeline({"video": clips})["video"], strict=True):
        whole = torch.equal(after, clip.flip(-1))
        assert whole or torch.equal(after, clip), "all frames of a clip alike"
        flipped.append(whole)
    assert len(set(flipped)) == 2, "every clip with a draw of its own"


@pytest.mark.parametrize("name", ["mask", "semantic", "target_map"])
@pytest.mark.parametrize("mix", [CutMix(p=0.0, seed=0), CutMix(seed=0), MixUp(8.0, seed=0)], ids=repr)
def test_label_maps_of_records_stay_what_they_are(name: str, mix: Any) -> None:
    """By their type alone later transforms know them: a map that is a plain tensor would stay behind, unflipped."""
    samples = []
    for row in range(4):
        image = torch.zeros(3, 16, 16, dtype=torch.uint8)
        image[:, :, : 4 + row] = 200
        boxes = tv_tensors.BoundingBoxes([[0.0, 0, 4 + row, 16]], format="XYXY", canvas_size=(16, 16))
        told = {"boxes": boxes, "labels": torch.tensor([row]), name: tv_tensors.Mask((image[0] > 100).long())}
        samples.append((tv_tensors.Image(image), told))
    images, records = BatchCompose([mix, v2.RandomHorizontalFlip(1.0), v2.Pad([1, 0, 0, 0])])(samples)
    for image, record in zip(images, records, strict=True):
        maps = [record[name], *[value for key, value in record.items() if key == f"{name}_partner"]]
        assert len(maps) == 1 + isinstance(mix, MixUp)
        assert {type(each) for each in maps} == {tv_tensors.Mask}
        shown = functools.reduce(torch.maximum, maps).bool()  # what either shows is bright to some degree
        assert (shown == (image[0] > 0)).all()
