"""Mixing transforms as v2 transforms: where torchvision and torch put them, and what they ask of them."""

import copy
import dataclasses
import io
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from torchvision import tv_tensors
from torchvision.transforms import v2

import mixtransforms
from mixtransforms.torchvision import CutMix, MixUp, OneOf, Transform

SIZE, CLASSES = 6, 3


@pytest.fixture
def images() -> Any:
    return torch.rand(SIZE, 3, 12, 10, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def ids() -> Any:
    return torch.arange(SIZE) % CLASSES


TRANSFORMS: dict[str, Callable[..., Any]] = {
    "MixUp": lambda **options: MixUp(alpha=1.0, num_classes=CLASSES, **options),
    "CutMix": lambda **options: CutMix(num_classes=CLASSES, **options),
    "OneOf": lambda **options: OneOf([MixUp(alpha=1.0), CutMix()], num_classes=CLASSES, **options),
}


def same(first: tuple[Any, Any], second: tuple[Any, Any]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def seeded(transform: Any, *batch: Any, seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return transform(*batch)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_is_a_transform_of_the_host(name: str) -> None:
    transform = TRANSFORMS[name]()
    assert isinstance(transform, (v2.Transform, torch.nn.Module, Transform))
    assert isinstance(transform, mixtransforms.mixing.transform.MixTransform)
    assert transform.state_dict() == {}
    assert list(transform.named_modules()) == [("", transform)]
    transform.load_state_dict({})


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda t: v2.Compose([v2.Identity(), t]),
        lambda t: v2.Compose([v2.RandomHorizontalFlip(p=0), t, v2.ToDtype(torch.float32)]),
        lambda t: v2.RandomChoice([t]),
        lambda t: v2.RandomOrder([t]),
        lambda t: v2.RandomApply([t], p=1.0),
        lambda t: v2.Compose([v2.Compose([t])]),
        torch.nn.Sequential,
    ],
    ids=["Compose", "Compose of three", "RandomChoice", "RandomOrder", "RandomApply", "nested", "Sequential"],
)
def test_containers_of_the_host(name: str, wrap: Callable[[Any], Any], images: Any, ids: Any) -> None:
    alone, held = TRANSFORMS[name](seed=4), wrap(TRANSFORMS[name](seed=4))
    expected = alone(images, ids)
    seen = held((images, ids)) if isinstance(held, torch.nn.Sequential) else held(images, ids)
    assert same(seen, expected)


def test_random_choice_mixes_every_batch(images: Any, ids: Any) -> None:
    choice = v2.RandomChoice([MixUp(alpha=1.0, num_classes=CLASSES), CutMix(num_classes=CLASSES)])
    torch.manual_seed(0)
    for _ in range(10):
        mixed, labels = choice(images, ids)
        assert mixed.shape == images.shape
        assert labels.shape == (SIZE, CLASSES)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_module_methods(name: str) -> None:
    """``apply`` initialises a model, and our transforms must not get in the way."""
    transform, visited = TRANSFORMS[name](), []
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), transform)
    assert model.apply(visited.append) is model
    assert visited == [model[0], transform, model]
    assert model.double() is model
    assert list(model.state_dict()) == ["0.weight", "0.bias"]
    assert transform.train() is transform
    assert transform.eval() is transform
    assert not transform.training


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("form", ["soft", "pair"])
def test_eval_switches_mixing_off_and_keeps_the_form(name: str, form: str, images: Any, ids: Any) -> None:
    transform = TRANSFORMS[name](labels=form).eval()
    mixed, labels = transform(images, ids)
    assert torch.equal(mixed, images)
    if form == "soft":
        assert torch.equal(labels, torch.eye(CLASSES)[ids])
    else:
        assert torch.equal(labels.label, ids)
        assert torch.equal(labels.weight, torch.ones(SIZE))
    torch.manual_seed(0)
    before = torch.default_generator.get_state()
    transform(images, ids)
    assert torch.equal(before, torch.default_generator.get_state())
    assert not torch.equal(transform.train()(images, ids)[0], images)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_hooks_run(name: str, images: Any, ids: Any) -> None:
    transform, seen = TRANSFORMS[name](), []
    transform.register_forward_pre_hook(lambda module, args: seen.append(len(args)))
    transform.register_forward_hook(lambda module, args, output: seen.append(output[1].shape))
    transform(images, ids)
    assert seen == [2, (SIZE, CLASSES)]


def by_torch_save(transform: Any) -> Any:
    buffer = io.BytesIO()
    torch.save(transform, buffer)
    buffer.seek(0)
    return torch.load(buffer, weights_only=False)


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("seed", [None, 5])
@pytest.mark.parametrize(
    "twin",
    [copy.deepcopy, lambda t: pickle.loads(pickle.dumps(t)), by_torch_save],
    ids=["deepcopy", "pickle", "torch.save"],
)
def test_copies_draw_the_same(twin: Callable[[Any], Any], seed: int | None, name: str, images: Any, ids: Any) -> None:
    transform = TRANSFORMS[name](seed=seed, p=0.9)
    transform(images, ids)  # a copy goes on where the original is
    other = twin(transform)
    assert repr(other) == repr(transform)
    assert other != transform, "transforms compare by identity"
    if seed is not None and twin is not copy.deepcopy:
        transform = twin(transform)  # what was unpickled knows batches by their content, and does not count them
    assert same(seeded(transform, images, ids), seeded(other, images, ids))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_torch_manual_seed_governs(name: str, images: Any, ids: Any) -> None:
    transform = TRANSFORMS[name]()
    assert same(seeded(transform, images, ids), seeded(transform, images, ids))
    assert not same(seeded(transform, images, ids), seeded(transform, images, ids, seed=1))
    torch.manual_seed(0)
    assert not same(transform(images, ids), transform(images, ids))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_seed_of_its_own(name: str, images: Any, ids: Any) -> None:
    """Seeded transforms repeat their draws and leave every global generator alone."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 -- to see that it is left alone
    before = torch.default_generator.get_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    runs = [
        [transform(images, ids) for _ in range(3)] for transform in (TRANSFORMS[name](seed=3), TRANSFORMS[name](seed=3))
    ]
    assert all(same(first, second) for first, second in zip(*runs, strict=True))
    assert not same(runs[0][0], runs[0][1]), "calls differ from one another"
    assert torch.equal(before[0], torch.default_generator.get_state())
    assert before[1] == np.random.get_state()[1].tolist()  # noqa: NPY002


def test_numpys_generator_is_never_used(images: Any, ids: Any) -> None:
    np.random.seed(0)  # noqa: NPY002 -- to see that it is left alone
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    MixUp(num_classes=CLASSES)(images, ids)
    assert before == np.random.get_state()[1].tolist()  # noqa: NPY002


def test_a_plan_records_its_key(images: Any) -> None:
    transform = CutMix(seed=12)
    keys = [transform.plan(images).key for _ in range(3)]
    assert [key.seed for key in keys] == [12, 12, 12]
    assert [key.step for key in keys] == [0, 1, 2]
    torch.manual_seed(0)
    plan = CutMix().plan(images)
    again = CutMix().method.draw(plan.spec, plan.key.generator())
    assert again == plan


def test_seeds_are_thread_safe(images: Any) -> None:
    transform, plans = MixUp(seed=1), []
    threads = [
        threading.Thread(target=lambda: plans.extend(transform.plan(images) for _ in range(25))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(plans) == 100
    assert {plan.key.step for plan in plans} == {transform.plan(list(images)).key.step}, "known by their content"
    assert [transform.plan(images).key.step for _ in range(3)] == [0, 1, 2], "counted where it was constructed"


@pytest.mark.parametrize("name", TRANSFORMS)
def test_tv_tensors_stay_what_they_are(name: str, images: Any, ids: Any) -> None:
    image = tv_tensors.Image(images)
    mixed, labels = TRANSFORMS[name](seed=2)(image, ids)
    assert type(mixed) is tv_tensors.Image
    assert type(labels) is torch.Tensor
    assert torch.equal(mixed.as_subclass(torch.Tensor), TRANSFORMS[name](seed=2)(images, ids)[0])
    video = tv_tensors.Video(images[:, None].expand(SIZE, 4, 3, 12, 10))
    mixed, _ = TRANSFORMS[name](seed=2)(video, ids)
    assert type(mixed) is tv_tensors.Video
    assert all(torch.equal(mixed[:, frame], mixed[:, 0]) for frame in range(4)), "one plan for all frames"
    both, _ = TRANSFORMS[name](seed=2, keep_originals=True)(image, ids)
    assert type(both) is tv_tensors.Image
    assert type(TRANSFORMS[name](seed=2, inplace=True)(tv_tensors.Image(images.clone()), ids)[0]) is tv_tensors.Image


def test_tv_tensors_say_what_they_are(images: Any, ids: Any) -> None:
    """By type, wherever they are; a plain tensor of an unknown name is refused."""
    mixed = MixUp(alpha=1.0, num_classes=CLASSES)({"front": tv_tensors.Image(images), "labels": ids})
    assert not torch.equal(mixed["front"], images)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (tv_tensors.Mask(torch.zeros(SIZE, 12, 9, dtype=torch.uint8)), "mask is of another size than the images"),
        (tv_tensors.BoundingBoxes(torch.zeros(SIZE, 4), format="XYXY", canvas_size=(12, 10)), "Boxes of another form"),
        (tv_tensors.KeyPoints(torch.zeros(SIZE, 2), canvas_size=(12, 10)), "Keypoints of another form"),
    ],
    ids=["mask", "boxes", "keypoints"],
)
def test_typed_targets_of_another_form_are_refused(target: Any, message: str, images: Any) -> None:
    with pytest.raises(mixtransforms.InputError, match=rf"{message} \(batch\['thing'\]"):
        MixUp()({"image": images, "thing": target})
    mixed = MixUp(passthrough="thing")({"image": images, "thing": target})
    assert mixed["thing"] is target


@pytest.mark.parametrize("name", TRANSFORMS)
def test_typed_targets_are_mixed_by_their_type(name: str, images: Any) -> None:
    """Under any name: a mask is pasted or kept apart, and boxes and points are listed with their weights."""
    size = (12, 10)
    masks = tv_tensors.Mask(torch.arange(SIZE, dtype=torch.uint8)[:, None, None].expand(SIZE, *size))
    corners = torch.tensor([[0.0, 0.0, 10.0, 12.0]])
    boxes = [tv_tensors.BoundingBoxes(corners + 0, format="XYXY", canvas_size=size) for _ in range(SIZE)]
    points = [tv_tensors.KeyPoints(torch.tensor([[[2.0, 3.0]]]), canvas_size=size) for _ in range(SIZE)]
    batch = {"image": images, "where": boxes, "which": torch.ones(SIZE), "dots": points, "area": masks}
    mixed = TRANSFORMS[name](seed=1, passthrough="which", kinds={"area": "mask"})(batch)
    assert type(mixed["area"]) is tv_tensors.Mask
    for row in range(SIZE):
        assert type(mixed["where"][row]) is tv_tensors.BoundingBoxes
        assert type(mixed["dots"][row]) is tv_tensors.KeyPoints
        assert mixed["where"][row].canvas_size == mixed["dots"][row].canvas_size == size
        assert len(mixed["where"][row]) == len(mixed["dots"][row]) == len(mixed["box_weights"][row]) >= 1
        assert mixed["dots_visible"][row].dtype == torch.bool


def test_labels_getter(images: Any, ids: Any) -> None:
    batch = {"image": images, "meta": {"species": ids}, "name": ["x"] * SIZE}
    mixed = MixUp(alpha=1.0, num_classes=CLASSES, labels_getter=lambda sample: sample["meta"]["species"])(batch)
    assert mixed["meta"]["species"].shape == (SIZE, CLASSES)
    assert mixed["name"] is batch["name"]
    mixed = MixUp(alpha=1.0, num_classes=CLASSES, labels_getter=lambda sample: sample[2])((images, "text", ids))
    assert mixed[2].shape == (SIZE, CLASSES)
    samples = [(image, 0.5, int(label)) for image, label in zip(images, ids, strict=True)]
    getter = MixUp(num_classes=CLASSES, labels_getter=lambda sample: sample[2], passthrough=1)
    assert getter(samples)[2].shape == (SIZE, CLASSES)


def test_labels_getter_none_finds_no_labels(images: Any, ids: Any) -> None:
    """Labels are then left alone, or refused, but not mixed behind one's back."""
    mixed, labels = MixUp(alpha=1.0, num_classes=CLASSES, labels_getter=None, passthrough=1)(images, ids)
    assert labels is ids
    assert not torch.equal(mixed, images)
    with pytest.raises(mixtransforms.InputError, match=r"neither known nor declared \(batch\[1\]\)"):
        MixUp(alpha=1.0, num_classes=CLASSES, labels_getter=None)(images, ids)


def test_labels_getter_must_find_a_value_of_the_batch(images: Any, ids: Any) -> None:
    """A converted copy cannot be put back: torchvision fails with StopIteration, and silence would be worse."""
    with pytest.raises(mixtransforms.InputError, match="labels_getter"):
        MixUp(num_classes=CLASSES, labels_getter=lambda sample: sample["meta"] + 0, passthrough="meta")(
            {"image": images, "meta": ids}
        )


@pytest.mark.parametrize("getter", ["labels", 1, ["labels"]])
def test_bad_labels_getters(getter: Any) -> None:
    with pytest.raises(
        mixtransforms.ParameterError,
        match=r"Bad value for 'labels_getter' \(MixUp\): got .*; wanted 'default', None or a callable",
    ):
        MixUp(labels_getter=getter)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_parameters_cannot_be_assigned(name: str) -> None:
    transform = TRANSFORMS[name]()
    for field, value in (("p", 0.5), ("num_classes", 5), ("seed", 1)):
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot assign to field '{field}'"):
            setattr(transform, field, value)
    transform.note = "hosts and users may hang things on a module"
    changed = dataclasses.replace(transform, p=0.5)
    assert changed.p == 0.5
    assert transform.p == 1.0
    assert changed.num_classes == CLASSES
    with pytest.raises(mixtransforms.ParameterError, match="'p'"):
        dataclasses.replace(transform, p=2)


def test_text() -> None:
    assert repr(MixUp()) == "MixUp()"
    assert repr(CutMix(0.5, p=0.25, num_classes=10)) == "CutMix(alpha=0.5, p=0.25, num_classes=10)"
    assert "MixUp(num_classes=2)" in repr(v2.Compose([MixUp(num_classes=2)]))
    assert "alpha: Both parameters of the Beta law" in MixUp.__doc__
    assert "num_classes: Number of classes" in CutMix.__doc__


def test_a_users_subclass(images: Any, ids: Any) -> None:
    class MyMix(MixUp):
        """Logs its plans."""

        def plan(self, *batch: Any, **named: Any) -> Any:
            return super().plan(*batch, **named)

    transform = MyMix(alpha=1.0, num_classes=CLASSES)
    assert repr(transform) == f"MyMix(alpha=1.0, num_classes={CLASSES})"
    assert transform(images, ids)[1].shape == (SIZE, CLASSES)
    assert MyMix.__doc__ == "Logs its plans."


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("inplace", [False, True])
def test_trace(name: str, inplace: bool, images: Any, ids: Any) -> None:
    given = images.clone()
    before, plans, after = TRANSFORMS[name](seed=6, inplace=inplace).trace(given, ids)
    assert torch.equal(before[0], images), "as it was, even where it was overwritten"
    assert torch.equal(before[1], ids)
    assert len(plans) == 1
    assert same(after, TRANSFORMS[name](seed=6)(images, ids))
    assert torch.equal(after[0], plans[0].apply(images))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_autograd(name: str, ids: Any) -> None:
    """Mixing inside a model: every image's gradient is how much of it is seen."""
    features = torch.randn(SIZE, 3, 12, 10, dtype=torch.float64, requires_grad=True)
    transform = TRANSFORMS[name](seed=3)
    plan = transform.plan(features, ids)
    mixed, _ = transform.replay(plan, features, ids)
    mixed.sum().backward()
    seen = np.zeros(SIZE)
    np.add.at(seen, plan.sources, plan.share)
    np.testing.assert_allclose(features.grad.mean(dim=(1, 2, 3)), seen, atol=1e-12)


def test_a_training_step(images: Any, ids: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 12 * 10, CLASSES))
    mixed, labels = OneOf([MixUp(), CutMix()], num_classes=CLASSES)(images, ids)
    loss = torch.nn.functional.cross_entropy(model(mixed), labels)
    loss.backward()
    assert torch.isfinite(loss)
