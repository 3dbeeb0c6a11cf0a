"""The partner as a value of the batch: painted pixels say who it is, in every container, at every door."""

import json
from collections import namedtuple
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pytest

import mixtransforms
from mixtransforms import BatchSpec, InputError, Layer, ParameterError, Plan, PlanError

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")
pytest.importorskip("albumentations", reason="albumentations is not installed")

import albumentations as A
from torchvision.transforms import v2

from mixtransforms import albumentations as al
from mixtransforms import torchvision as tv

SIZES = (0, 1, 2, 5)
SHAPE = (7, 10)


def painted(size: int, backend: str = "torch") -> Any:
    """Images whose every pixel is the number of its sample."""
    owners = np.arange(size, dtype=np.float32)[:, None, None, None]
    if backend == "numpy":
        return np.broadcast_to(owners, (size, *SHAPE, 3)).copy()
    return torch.from_numpy(np.broadcast_to(owners, (size, 3, *SHAPE)).copy())


def owners(image: Any) -> list[int]:
    """Whose pixels an image shows, its own and others."""
    return np.unique(np.asarray(image)).astype(int).tolist()


def seen(images: Any, rows: range) -> list[int]:
    """The other sample that every row shows; the row itself where there is none."""
    others = [[owner for owner in owners(image) if owner != row] for row, image in zip(rows, images, strict=True)]
    return [found[0] if found else row for row, found in zip(rows, others, strict=True)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("p", [1.0, 0.5])
def test_pixels_say_who_the_partner_is(size, backend, p):
    for seed in range(10):
        mix = mixtransforms.CutMix(p=p, partner="partner", seed=seed)
        result = mix({"image": painted(size, backend)})
        assert type(result["partner"]) is type(result["image"])
        assert result["partner"].tolist() == seen(result["image"], range(size))
        assert str(result["partner"].dtype).endswith("int64")
        assert tuple(result["partner"].shape) == (size,)


def test_boxes_without_an_area_leave_the_sample_its_own_partner():
    empties = 0
    for seed in range(20):
        mix = mixtransforms.CutMix(minmax=(0.0, 0.2), placement="minmax", partner="partner", seed=seed)
        result = mix({"image": painted(5)})
        assert result["partner"].tolist() == seen(result["image"], range(5))
        empties += (result["partner"].numpy() == np.arange(5)).sum()
    assert empties


@dataclass
class Batch:
    image: Any
    partner: Any = None


@dataclass
class Closed:
    image: Any


Named = namedtuple("Named", "image partner")


def test_every_container_gets_it_in_its_own_way():
    images = painted(4)
    mix = mixtransforms.CutMix(partner="partner", num_classes=4, labels="pair", seed=0)
    labels = torch.arange(4)
    loose = mixtransforms.CutMix(partner="partner", seed=0)
    mixed, partner = loose(images)
    assert partner.tolist() == seen(mixed, range(4))
    mixed, pair, partner = mix(images, labels)
    assert partner.tolist() == seen(mixed, range(4)) == pair.partner.tolist()
    mixed, pair, partner = mix([images, labels])
    assert partner.tolist() == seen(mixed, range(4))
    for batch in (Batch(images), Named(images, None)):
        result = loose(batch)
        assert type(result) is type(batch)
        assert result.partner.tolist() == seen(result.image, range(4))
    inside = loose({"inputs": {"image": images}})
    assert inside["partner"].tolist() == seen(inside["inputs"]["image"], range(4))


def test_records_get_a_field_each():
    boxes = [{"boxes": torch.tensor([[0.0, 0, 3, 3]]), "labels": torch.tensor([row])} for row in range(4)]
    images, records = tv.CutMix(partner="partner", seed=0)(painted(4), boxes)
    assert [record["partner"].item() for record in records] == seen(images, range(4))
    assert all(record["partner"].dtype == torch.int64 for record in records)
    result = tv.MixUp(partner="partner", seed=0)({"image": painted(4), "target": boxes})
    assert "partner" in result
    assert "partner" not in result["target"][0]


def test_lists_of_images_and_of_samples():
    mixed, partner = mixtransforms.CutMix(partner="partner", seed=0)(list(painted(3)))
    assert partner.tolist() == seen(mixed, range(3))
    named, pairs = [{"image": image} for image in painted(3)], [(image, 0) for image in painted(3)]
    for samples, labels in ((named, None), (pairs, 1)):
        result = tv.CutMix(num_classes=labels, partner="partner", seed=0)(samples)
        first, last = (result["image"], result["partner"]) if isinstance(result, dict) else (result[0], result[-1])
        assert last.tolist() == seen(first, range(3))


@pytest.mark.parametrize("size", SIZES)
def test_originals_are_their_own_partners(size):
    result = mixtransforms.CutMix(partner="partner", keep_originals=True, seed=0)({"image": painted(size)})
    rows = [*range(size), *range(size)]
    assert result["partner"].tolist() == seen(result["image"], rows)


@pytest.mark.parametrize("size", SIZES)
def test_sources_are_those_of_labels(size):
    mix = mixtransforms.Mosaic(sources="sources", labels="mix", seed=1)
    result = mix({"image": painted(size), "label": torch.arange(size)})
    assert tuple(result["sources"].shape) == (size, 4)
    for row, image in enumerate(result["image"]):
        assert {row, *owners(image)} == set(result["sources"][row].tolist())
    shown = np.asarray(result["label"].share) > 0
    np.testing.assert_array_equal(np.asarray(result["label"].labels)[shown], np.asarray(result["sources"])[shown])


def test_a_choice_has_as_many_columns_as_the_largest():
    mix = mixtransforms.OneOf([mixtransforms.MixUp(), mixtransforms.Mosaic(3)], sources="s", per="batch", seed=3)
    assert {tuple(mix({"image": painted(5)})["s"].shape) for _ in range(8)} == {(5, 9)}


def test_pipelines_tell_it_at_the_end():
    pipeline = tv.BatchCompose(
        [
            v2.ToDtype(torch.float32),
            tv.CutMix(partner="first", keep_originals=True),
            tv.Otherwise([v2.RandomHorizontalFlip()]),
            tv.CutMix(partner="second", p=0.5),
            v2.RandomVerticalFlip(),
            v2.Normalize([0.0] * 3, [1.0] * 3),
        ],
        seed=3,
    )
    samples = [{"image": image, "caption": str(row)} for row, image in enumerate(painted(5))]
    first = tv.BatchCompose(list(pipeline.transforms[:2]), seed=3)(samples)
    assert first["first"].tolist() == seen(first["image"], [*range(5), *range(5)])
    result = pipeline(samples)
    assert result["first"].tolist() == first["first"].tolist()
    assert set(result["second"].tolist()) <= set(range(10))
    assert len(result["caption"]) == 10
    again = tv.BatchCompose([tv.CutMix(partner="first"), tv.CutMix(partner="second", keep_originals=True)], seed=3)(
        {"image": painted(5)}
    )
    assert again["first"].tolist()[:5] == again["first"].tolist()[5:]
    host = al.BatchCompose([A.HorizontalFlip(), al.CutMix(partner="partner"), A.ToTensorV2()], seed=0)
    result = host(images=painted(4, "numpy"))
    assert torch.is_tensor(result["partner"])
    assert result["partner"].tolist() == seen(result["images"], range(4))


def test_a_bare_batch_in_a_pipeline():
    mixed, partner = tv.BatchCompose([tv.CutMix(partner="partner"), v2.RandomHorizontalFlip()], seed=0)(painted(3))
    assert partner.tolist() == seen(mixed, range(3))


def test_validation_has_no_partners():
    mix = tv.CutMix(partner="partner", seed=0).eval()
    assert mix({"image": painted(3)})["partner"].tolist() == [0, 1, 2]


def test_without_the_option_nothing_appears():
    assert list(mixtransforms.CutMix()({"image": painted(3)})) == ["image"]


def test_saved_only_where_used():
    written = json.dumps(mixtransforms.to_dict(mixtransforms.CutMix()))
    assert "partner" not in written
    assert "sources" not in written
    for mix in (mixtransforms.CutMix(partner="p", seed=0), mixtransforms.Mosaic(sources="s")):
        back = mixtransforms.from_dict(json.loads(json.dumps(mixtransforms.to_dict(mix))))
        assert (back.partner, back.sources) == (mix.partner, mix.sources)


def test_a_name_that_is_taken():
    images, kept = painted(3), painted(3)
    with pytest.raises(InputError, match=r"A name that is taken.*partner='ids_index'"):
        mixtransforms.CutMix(partner="ids", inplace=True, seed=0)({"image": images, "ids": ["a", "b", "c"]})
    assert torch.equal(images, kept)  # nothing was overwritten
    mixtransforms.CutMix(partner="ids_index", seed=0)({"image": images, "ids": ["a", "b", "c"]})
    records = [{"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)} for _ in range(3)]
    with pytest.raises(InputError, match=r"A name that is taken \(batch\[1\]\[0\]\['labels'\]\)"):
        tv.CutMix(partner="labels", seed=0)(images, records)


def test_no_room_in_a_class():
    with pytest.raises(InputError, match=r"Add to the class partner: Any = None"):
        mixtransforms.CutMix(partner="partner", seed=0)(Closed(painted(3)))
    assert [field.name for field in fields(Batch)] == ["image", "partner"]  # which is what it says
    mixtransforms.CutMix(partner="partner", seed=0)(Batch(painted(3)))


def test_several_partners_are_refused_when_it_is_built():
    for method, more in ((mixtransforms.Mosaic, ()), (mixtransforms.OneOf, ([mixtransforms.Mosaic()],))):
        with pytest.raises(ParameterError, match="Say sources='p' in place of partner"):
            method(*more, partner="p")
        method(*more, sources="p")
    with pytest.raises(ParameterError, match="Leave sources out"):
        mixtransforms.MixUp(partner="p", sources="p", seed=0)
    for name in ("", 3):
        with pytest.raises(ParameterError, match="None or a name"):
            mixtransforms.MixUp(partner=name)


def test_a_plan_of_several_partners_is_refused():
    layers = tuple(Layer([0], [source], [0.5]) for source in (1, 2))
    plan = Plan(BatchSpec(3, SHAPE), layers)
    with pytest.raises(PlanError, match="says sources='p' in place of partner"):
        mixtransforms.MixUp(partner="p", seed=0).replay(plan, {"image": painted(3)})
    result = mixtransforms.MixUp(sources="p").replay(plan, {"image": painted(3)})
    assert sorted(result["p"][0].tolist()) == [0, 1, 2]


def test_captions_of_partners_can_be_joined():
    captions = ["a cat", "a dog", "a fish"]
    result = mixtransforms.MixUp(partner="partner", seed=0)({"image": painted(3), "caption": captions})
    joined = [f"{captions[row]} {captions[other]}" for row, other in enumerate(result["partner"].tolist())]
    assert all(text.count("a ") == 2 for text in joined)
    assert result["caption"] == captions
