"""What may stand in the list of torchvision's BatchCompose besides its transforms, and how it is called."""

import copy
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision import transforms as v1
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import InputError, ParameterError
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp

IMAGES = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))
SAMPLES = [(tv_tensors.Image(image), index) for index, image in enumerate(IMAGES)]
ROWS = [[1.0, 1, 14, 14], [2, 2, 4, 4], [3, 3, 12, 12]]


# ---------------------------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (v1.RandomCrop(8), r"Use torchvision\.transforms\.v2\.RandomCrop, which takes the same arguments"),
        (v1.ToTensor(), r"v2\.ToImage\(\) and, where floats are wanted, v2\.ToDtype\(torch\.float32, scale=True\)"),
        (v1.Compose([v1.ToTensor()]), r"v2\.Compose, which takes"),
        (v1.RandAugment(), r"v2\.RandAugment, which takes"),
        (v2.RandomApply([v1.ColorJitter()]), r"got ColorJitter of .* version 1.*v2\.ColorJitter"),
        (v2.Compose([v2.Identity(), v1.Normalize([0.5], [0.5])]), r"got Normalize of .*v2\.Normalize"),
        (torch.nn.Sequential(v1.RandomHorizontalFlip()), r"v2\.RandomHorizontalFlip"),
    ],
)
def test_the_first_version_is_refused_with_its_replacement(old: Any, new: str) -> None:
    with pytest.raises(ParameterError, match=rf"A transform of another kind \(BatchCompose, transform 1\).*{new}"):
        BatchCompose([v2.Identity(), old, MixUp(num_classes=3)])


def test_the_replacement_works() -> None:
    steps = [v2.RandomCrop(8), v2.ToImage(), v2.ToDtype(torch.float32, scale=True), MixUp(num_classes=3)]
    assert BatchCompose(steps)(SAMPLES)[0].shape == (3, 3, 8, 8)


def foreign(module: str) -> Any:
    """An object of a class that another library would have."""
    return type("Flip", (), {"__module__": module, "__call__": lambda self, image: image})()


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        ("timm.data.transforms", r"got \w+ of timm; .*v2, which has RandAugment.*collate_fn=MixUp"),
        ("augrs", r"got \w+ of augrs; .*v2, or give it to the data set"),
        (
            "albumentations.augmentations.geometric",
            r"got \w+ of albumentations; .*mixtransforms\.albumentations\.Batch",
        ),
    ],
)
def test_transforms_of_other_libraries_are_refused(module: str, wanted: str) -> None:
    for transform in (foreign(module), v2.RandomChoice([v2.Identity(), foreign(module)])):
        with pytest.raises(ParameterError, match=wanted):
            BatchCompose([transform])
    with pytest.raises(ParameterError, match=wanted):  # a class of the user's own that is called as theirs is
        BatchCompose([type("Own", (type(foreign(module)),), {})()])


def test_pipelines_of_albumentations_are_refused() -> None:
    A = pytest.importorskip("albumentations", reason="albumentations is not installed")
    from mixtransforms import albumentations as other

    for transform in (A.HorizontalFlip(), A.Compose([]), other.BatchCompose([A.HorizontalFlip()])):
        with pytest.raises(ParameterError, match=r"of albumentations; .* Use mixtransforms\.albumentations\.BatchComp"):
            BatchCompose([transform])


@pytest.mark.parametrize(
    ("thing", "fix"), [(v2.ToImage, r"the class ToImage.*Write ToImage\(\)\."), (None, "got None")]
)
def test_what_is_no_transform(thing: Any, fix: str) -> None:
    with pytest.raises(ParameterError, match=rf"No transform \(BatchCompose, transform 0\): .*{fix}"):
        BatchCompose([thing])


# ----------------------------------------------------------------------------------------------- called as v2.Compose


def shifted(sample: Any) -> Any:
    image, label = sample
    return image.flip(-1), (label + 1) % 3


class Shift:
    """An object that is called with a sample."""

    def __call__(self, sample: Any) -> Any:
        return shifted(sample)


class ShiftModule(torch.nn.Module):
    def forward(self, sample: Any) -> Any:
        return shifted(sample)


class ShiftParts(torch.nn.Module):
    """As the transforms of torchvision's references are."""

    def forward(self, image: Any, target: Any = None) -> Any:
        return shifted((image, target))


class ShiftTransform(v2.Transform):
    def forward(self, image: Any, label: Any) -> Any:
        return shifted((image, label))


def by_value(value: Any) -> Any:
    return (value + 1) % 3 if isinstance(value, int) else value.flip(-1)


CALLABLES: dict[str, Any] = {
    "function": shifted,
    "partial": partial(shifted),
    "object": Shift(),
    "module": ShiftModule(),
    "parts": ShiftParts(),
    "function of parts": lambda image, label: shifted((image, label)),
    "transform": ShiftTransform(),
    "v2.Lambda": v2.Lambda(by_value),
}
PLACES: dict[str, Callable[[Any], list[Any]]] = {
    "alone": lambda own: [own],
    "between": lambda own: [v2.RandomHorizontalFlip(), own, v2.RandomVerticalFlip()],
    "Compose": lambda own: [v2.Compose([v2.RandomHorizontalFlip(), own]), v2.RandomVerticalFlip()],
    "RandomApply": lambda own: [v2.RandomApply([v2.RandomHorizontalFlip(), own]), v2.RandomVerticalFlip()],
    "RandomChoice": lambda own: [v2.RandomChoice([v2.RandomHorizontalFlip(), own], p=[0.3, 0.7])],
    "RandomOrder": lambda own: [v2.RandomOrder([v2.RandomHorizontalFlip(), own])],
    "Sequential": lambda own: [torch.nn.Sequential(v2.RandomHorizontalFlip(), own) if is_module(own) else own],
    "pipeline": lambda own: [BatchCompose([v2.RandomHorizontalFlip(), own])],
}


def is_module(own: Any) -> bool:
    return isinstance(own, torch.nn.Module)


def by_host(steps: list[Any], samples: list[Any], several: bool) -> list[Any]:
    """What ``v2.Compose`` makes of every sample, as a whole or, for transforms of parts, by its parts."""
    stock = v2.Compose([v2.Compose(step.transforms) if isinstance(step, BatchCompose) else step for step in steps])
    return [stock(*sample) if several else stock(sample) for sample in samples]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", CALLABLES)
def test_callables_get_the_sample_as_the_host_hands_it_over(name: str, place: str) -> None:
    own = CALLABLES[name]
    steps = PLACES[place](own)
    several = name in ("parts", "function of parts", "transform")
    if several and place == "Sequential":  # takes one argument
        return
    for seed in range(4):
        torch.manual_seed(seed)
        theirs = by_host(steps, SAMPLES, several)
        torch.manual_seed(seed)
        images, labels = BatchCompose(steps)(SAMPLES)
        assert torch.equal(images, torch.stack([image.as_subclass(torch.Tensor) for image, _ in theirs]))
        assert labels.tolist() == [label for _, label in theirs]


@pytest.mark.parametrize("name", CALLABLES)
def test_behind_and_before_a_mix(name: str) -> None:
    """The label that a callable has changed is the one that is mixed."""
    if name != "v2.Lambda":
        images, labels = BatchCompose([CALLABLES[name], MixUp(p=0.0, num_classes=3)], seed=1)(SAMPLES)
        assert labels.argmax(1).tolist() == [1, 2, 0]
        assert torch.equal(images, IMAGES.flip(-1))

    def halved(sample: Any) -> Any:
        image, label = sample
        return image / 2, label / 2

    images, labels = BatchCompose([MixUp(p=0.0, num_classes=3), halved], seed=1)(IMAGES, torch.arange(3))
    assert torch.equal(images, IMAGES / 2)
    assert torch.equal(labels, torch.eye(3) / 2)


def test_another_form_than_it_was_given() -> None:
    """Samples may become dicts; those of a ready batch go back into it."""

    def named(sample: Any) -> Any:
        return {"image": sample[0], "label": sample[1]}

    out = BatchCompose(
        [v2.RandomHorizontalFlip(1.0), named, v2.RandomHorizontalFlip(1.0), MixUp(p=0.0, num_classes=3)]
    )(SAMPLES)
    assert torch.equal(out["image"], IMAGES)
    with pytest.raises(InputError, match=r"A sample of another form \(named\): got dict.* lists of samples"):
        BatchCompose([named])(IMAGES, torch.arange(3))
    with pytest.raises(InputError, match=r"takes the parts of a sample .*: got a sample of type dict"):
        BatchCompose([lambda image, label: (image, label)])([{"image": IMAGES[0], "label": 1}])


def test_copies_and_pickles_call_alike() -> None:
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), Shift(), ShiftModule(), v2.Compose([v2.Identity()])], seed=3)
    wanted = pipeline(SAMPLES)
    for twin in (copy.deepcopy(pipeline), pickle.loads(pickle.dumps(pipeline)), copy.copy(pipeline)):
        assert all(map(torch.equal, twin(SAMPLES), wanted))


def test_callables_see_the_users_own_types() -> None:
    seen: list[Any] = []

    def look(sample: Any) -> Any:
        seen.append(tuple(type(value) for value in sample))
        return sample

    BatchCompose([look, v2.RandomHorizontalFlip(), look])([(IMAGES[0], np.int64(3))])
    assert seen == [(torch.Tensor, np.int64)] * 2


# ---------------------------------------------------------------------------------------------------- with objects


def detection(form: str) -> list[Any]:
    boxes = (
        tv_tensors.BoundingBoxes(ROWS, format="XYXY", canvas_size=(16, 16)) if form == "typed" else torch.tensor(ROWS)
    )
    return [(tv_tensors.Image(image), {"boxes": boxes, "labels": torch.tensor([8, 7, 9])}) for image in IMAGES]


CONTAINERS: dict[str, Callable[[list[Any]], list[Any]]] = {
    "Compose": lambda steps: [v2.Compose(steps)],
    "nested": lambda steps: [v2.Compose([v2.Compose(steps)])],
    "RandomApply": lambda steps: [v2.RandomApply(steps, p=1.0)],
    "RandomChoice": lambda steps: [v2.RandomChoice([v2.Compose(steps)])],
    "Sequential": lambda steps: [torch.nn.Sequential(*steps)],
    "ModuleList": lambda steps: [v2.RandomApply(torch.nn.ModuleList(steps), p=1.0)],
    "pipeline": lambda steps: [BatchCompose(steps)],
}


@pytest.mark.parametrize(
    "getter", ["default", None, lambda sample: sample[1]["labels"]], ids=["default", "none", "own"]
)
@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("form", ["typed", "plain"])
def test_filters_in_containers(form: str, container: str, getter: Any) -> None:
    steps = [v2.RandomHorizontalFlip(1.0), v2.SanitizeBoundingBoxes(min_size=5, labels_getter=getter)]
    _, targets = BatchCompose(CONTAINERS[container](steps))(detection(form))
    for target in targets:
        assert target["labels"].tolist() == [8, 9]
        assert target["boxes"].tolist() == [[2, 1, 15, 14], [4, 3, 13, 12]]


def test_a_lambda_does_not_see_what_is_ours() -> None:
    """An index that a pipeline follows objects by would have been changed with everything else."""
    seen: list[Any] = []

    def look(value: Any) -> Any:
        seen.append(type(value))
        return value

    boxes = v2.Lambda(look, tv_tensors.BoundingBoxes)
    BatchCompose([boxes])(detection("plain"))
    assert seen == [tv_tensors.BoundingBoxes] * 3
    seen.clear()
    BatchCompose([v2.Lambda(look)])(detection("typed")[:1])
    assert seen == [tv_tensors.Image, tv_tensors.BoundingBoxes]


class OwnFlip(v2.RandomHorizontalFlip):
    """A transform with a forward of its own, which flattens the sample as the host does."""

    def forward(self, *inputs: Any) -> Any:
        return super().forward(*inputs)


def test_a_forward_of_its_own_moves_typed_boxes_only() -> None:
    moved = BatchCompose([OwnFlip(1.0)])(detection("typed"))
    wanted = BatchCompose([v2.RandomHorizontalFlip(1.0)])(detection("typed"))
    assert torch.equal(moved[1][0]["boxes"], wanted[1][0]["boxes"])
    with pytest.raises(InputError, match=r"A plain value beside a transform .*\(batch\[1\]\['boxes'\]\).* tv_tensors"):
        BatchCompose([OwnFlip(1.0)])(detection("plain"))
    mask = torch.zeros(16, 16, dtype=torch.uint8)
    with pytest.raises(InputError, match=r"A plain value beside a transform .*\(batch\['mask'\]\)"):
        BatchCompose([OwnFlip(1.0)])([{"image": SAMPLES[0][0], "mask": mask}])


def test_a_pipeline_inside_flips_pictures_and_not_their_channels() -> None:
    inner = BatchCompose([v2.RandomHorizontalFlip()], seed=1)
    for outer in (BatchCompose([inner], seed=2), BatchCompose([inner])):
        for given in (IMAGES, list(IMAGES)):
            out = outer(given)
            for image, before in zip(out, IMAGES, strict=True):
                assert torch.equal(image, before) or torch.equal(image, before.flip(-1))
    mixed = BatchCompose([inner, CutMix(kinds={"scan": "image"}, p=0.0)], seed=2)
    flips = [mixed([{"scan": image} for image in torch.rand(4, 3, 8, 8)])["scan"] for _ in range(2)]
    assert flips[0].shape == (4, 3, 8, 8)
