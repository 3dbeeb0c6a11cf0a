"""BatchCompose of torchvision: ordinary transforms on every sample, mixing on the batch, one list."""

import copy
import pickle
import threading
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from PIL import Image
from torch.utils.data import DataLoader, default_collate
from torchvision import tv_tensors
from torchvision.transforms import v2

import mixtransforms
from mixtransforms import InputError, ParameterError, Steps, set_epoch
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp, OneOf

SIZE, CLASSES = 8, 4

forked = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
"""Workers are forked from a process with threads, which newer Pythons warn of."""


class Photos(torch.utils.data.Dataset):
    """Bytes with labels, as ``ImageFolder`` gives them."""

    def __init__(self, form: str = "tuple", count: int = 24) -> None:
        self.form, self.count = form, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        pixels = np.random.default_rng(index).integers(0, 256, (20, 16, 3), dtype=np.uint8)
        image = Image.fromarray(pixels) if self.form == "pil" else torch.from_numpy(pixels).movedim(-1, 0)
        if self.form == "dict":
            return {"name": f"photo {index}", "image": image, "label": index % CLASSES}
        return image, index % CLASSES


def samples(form: str = "tuple", count: int = SIZE) -> list[Any]:
    data = Photos(form)
    return [data[index] for index in range(count)]


def ready(count: int = SIZE) -> tuple[Any, Any]:
    images, labels = default_collate(samples(count=count))
    return images, labels


def choice(**options: Any) -> OneOf:
    return OneOf([MixUp(alpha=1.0), CutMix()], num_classes=CLASSES, **options)


def parts(batch: Any) -> tuple[Any, Any]:
    return (batch["image"], batch["label"]) if isinstance(batch, dict) else tuple(batch)


def same(first: Any, second: Any) -> bool:
    return all(torch.equal(a, b) for a, b in zip(parts(first), parts(second), strict=True))


# ---------------------------------------------------------------------------------------------- what comes and goes


@pytest.mark.parametrize("form", ["tuple", "dict", "pil"])
def test_lists_of_samples(form: str) -> None:
    first = [v2.ToImage()] if form == "pil" else []
    pipeline = BatchCompose(
        [*first, v2.RandomHorizontalFlip(), v2.RandomCrop(16), choice(), v2.ToDtype(torch.float32, scale=True)]
    )
    out = pipeline(samples(form))
    images, labels = parts(out)
    assert images.shape == (SIZE, 3, 16, 16)
    assert images.dtype == torch.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert labels.shape == (SIZE, CLASSES)
    torch.testing.assert_close(labels.sum(dim=1), torch.ones(SIZE))
    assert type(out) is (dict if form == "dict" else list), "as default collation has it"
    if form == "dict":
        assert list(out) == ["name", "image", "label"]
        assert out["name"] == [f"photo {index}" for index in range(SIZE)]


def test_pil_images_may_be_resized_before_they_are_tensors() -> None:
    pipeline = BatchCompose([v2.RandomResizedCrop(8), v2.PILToTensor(), choice()])
    assert pipeline(samples("pil"))[0].shape == (SIZE, 3, 8, 8)
    with pytest.raises(InputError, match=r"Nothing to mix .* PIL images, which are no arrays.* v2\.ToImage\(\)"):
        BatchCompose([v2.RandomHorizontalFlip(), choice()])(samples("pil"))


def test_bare_pil_images_are_samples_or_refused() -> None:
    """A list of pictures must not come back as it was."""
    pictures = [picture for picture, _ in samples("pil")]
    try:
        out = BatchCompose([v2.ToImage(), v2.RandomHorizontalFlip(p=1.0)])(pictures)
    except InputError:
        return
    assert torch.is_tensor(out)
    assert torch.equal(out[0], v2.functional.horizontal_flip(v2.functional.to_image(pictures[0])))


@pytest.mark.parametrize(
    "wrap", [tuple, list, lambda parts: {"image": parts[0], "label": parts[1]}], ids=["tuple", "list", "dict"]
)
def test_batches(wrap: Any) -> None:
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), choice(), v2.Normalize([0.5] * 3, [0.5] * 3)])
    images, labels = ready()
    batch = wrap((images / 255, labels))
    out = pipeline(batch)
    assert type(out) is type(batch)
    assert parts(out)[0].shape == images.shape
    assert parts(out)[1].shape == (SIZE, CLASSES)
    images, labels = pipeline(ready()[0] / 255, ready()[1])
    assert labels.shape == (SIZE, CLASSES)
    out = pipeline(image=ready()[0] / 255, label=ready()[1])
    assert out["label"].shape == (SIZE, CLASSES)


def test_without_a_mix_it_collates() -> None:
    ours, theirs = BatchCompose([v2.Identity()])(samples("dict")), default_collate(samples("dict"))
    assert ours["name"] == theirs["name"]
    assert same(ours, theirs)


def test_a_mix_alone_is_a_collate_function() -> None:
    out = BatchCompose([MixUp(alpha=0, num_classes=CLASSES)])(samples())
    assert torch.equal(out[0], ready()[0])
    assert torch.equal(out[1], torch.eye(CLASSES)[ready()[1]])


@pytest.mark.parametrize("size", [0, 1, 2, 3])
def test_batches_of_any_size(size: int) -> None:
    pipeline = BatchCompose(
        [v2.RandomHorizontalFlip(), choice(), v2.RandomVerticalFlip(), v2.ToDtype(torch.float32, scale=True)]
    )
    images, labels = ready(3)
    out = pipeline(images[:size], labels[:size])
    assert out[0].shape == (size, 3, 20, 16)
    assert out[0].dtype == torch.float32
    assert out[1].shape == (size, CLASSES)


def test_tv_tensors_stay_what_they_are() -> None:
    images, labels = ready()
    for stages in ([choice()], [v2.RandomHorizontalFlip(), choice()], [choice(), v2.RandomHorizontalFlip()]):
        out = BatchCompose(stages)(tv_tensors.Image(images), labels)
        assert type(out[0]) is tv_tensors.Image
        assert type(out[1]) is torch.Tensor
        assert type(BatchCompose(stages)(images, labels)[0]) is torch.Tensor


def test_unknown_values_are_refused_as_by_any_mix() -> None:
    images, labels = ready()
    with pytest.raises(InputError, match=r"neither known nor declared \(batch\['depth'\]\)"):
        BatchCompose([v2.RandomHorizontalFlip(), choice()])({"image": images, "label": labels, "depth": images})
    mix = MixUp(num_classes=CLASSES, kinds={"scan": "image"}, passthrough="index")
    out = BatchCompose([v2.RandomHorizontalFlip(p=1.0), mix])({"scan": images, "label": labels, "index": labels})
    assert torch.equal(out["index"], labels)


def test_nothing_to_transform_is_no_success() -> None:
    """A batch without anything that is known as an image is not passed on as if it had been flipped."""
    with pytest.raises(InputError, match=r"image"):
        BatchCompose([v2.RandomHorizontalFlip(p=1.0)])({"foo": ready()[0]})


# ------------------------------------------------------------------------------------------------------ every sample


def test_samples_get_parameters_of_their_own() -> None:
    image = samples()[0][0]
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), v2.RandomVerticalFlip()], seed=0)
    for given in (torch.stack([image] * 64), [image] * 64):
        out = pipeline(given)
        assert len({picture.numpy().tobytes() for picture in out}) == 4, "four combinations of two independent flips"


def test_mixed_samples_get_parameters_of_their_own() -> None:
    image = samples()[0][0]
    out = BatchCompose([MixUp(), v2.RandomHorizontalFlip()], seed=0)(torch.stack([image] * 64))
    flipped = [torch.equal(picture, image.flip(-1)) for picture in out]
    assert 16 < sum(flipped) < 48
    assert all(turned or torch.equal(picture, image) for turned, picture in zip(flipped, out, strict=True))


@pytest.mark.parametrize("order", [("image", "label"), ("label", "image")])
def test_soft_labels_are_never_flipped(order: tuple[str, str]) -> None:
    """Stock transforms take the first plain tensor of a dict for the image."""
    images, labels = ready()
    batch = {"image": images, "label": labels}
    pipeline = BatchCompose([MixUp(alpha=0, num_classes=CLASSES), v2.RandomHorizontalFlip(p=1.0)])
    out = pipeline({name: batch[name] for name in order})
    assert torch.equal(out["label"], torch.eye(CLASSES)[labels])
    assert torch.equal(out["image"], images.flip(-1))
    assert type(out["image"]) is torch.Tensor
    still = BatchCompose([MixUp(alpha=0, num_classes=CLASSES), v2.ToDtype(torch.float64, scale=True)])
    assert still({name: batch[name] for name in order})["label"].dtype == torch.float32


def test_stages_after_a_mix() -> None:
    """What draws nothing runs on the batch, what draws runs on every sample, and both give the same numbers."""
    images, labels = ready()
    still = [v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.4] * 3, [0.2] * 3)]
    pipeline = BatchCompose([choice(), *still, v2.RandomCrop(8), v2.ToPureTensor()], seed=1)
    _, plans, after = pipeline.trace(images, labels)
    assert after[0].shape == (SIZE, 3, 8, 8)
    mixed = (plans[0].apply(images).float() / 255 - 0.4) / 0.2
    windows = mixed.unfold(2, 8, 1).unfold(3, 8, 1)
    for index in range(SIZE):
        close = (windows[index] - after[0][index][:, None, None]).abs().amax(dim=(0, 3, 4))
        assert close.min() < 1e-5


def test_pairs_pass_through_later_stages() -> None:
    images, labels = ready()
    out = BatchCompose([MixUp(labels="pair", seed=3), v2.RandomHorizontalFlip(), v2.RandomCrop(8)])(images, labels)
    pair = MixUp(labels="pair", seed=3)(images, labels)[1]
    assert type(out[1]) is type(pair)
    assert same(out[1][:2], pair[:2])
    assert torch.equal(out[1].weight, pair.weight)


def test_originals_pass_through_later_stages() -> None:
    images, labels = ready()
    pipeline = BatchCompose([MixUp(num_classes=CLASSES, keep_originals=True), v2.RandomHorizontalFlip(p=1.0)])
    out = pipeline({"image": images, "label": labels, "name": list("abcdefgh")})
    assert torch.equal(out["image"][:SIZE], images.flip(-1))
    assert out["image"].shape[0] == out["label"].shape[0] == len(out["name"]) == 2 * SIZE


def test_two_mixes() -> None:
    images, labels = ready()
    pipeline = BatchCompose([MixUp(alpha=1.0, num_classes=CLASSES), v2.RandomHorizontalFlip(), CutMix()], seed=2)
    _, plans, after = pipeline.trace(images, labels)
    assert len(plans) == 2
    assert plans[0] != plans[1]
    assert plans[0].key != plans[1].key
    torch.testing.assert_close(after[1].sum(dim=1), torch.ones(SIZE))


# ------------------------------------------------------------------------------------------------------- randomness


TO_FLOAT = v2.ToDtype(torch.float32, scale=True)
PIPELINES = {
    "samples": [v2.RandomHorizontalFlip(), v2.RandomCrop(12), v2.ColorJitter(0.4, 0.4, 0.4, 0.1)],
    "mix": [choice()],
    "both": [v2.RandomHorizontalFlip(), v2.RandomCrop(12), choice(), v2.RandomVerticalFlip(), TO_FLOAT],
}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_seed_repeats(name: str) -> None:
    for make in (samples, ready):
        first, second = BatchCompose(PIPELINES[name], seed=9), BatchCompose(PIPELINES[name], seed=9)
        other = BatchCompose(PIPELINES[name], seed=10)
        assert same(first(make()), second(make()))
        assert not same(first(make()), other(make()))


def test_ready_batches_count_and_samples_are_known_by_content() -> None:
    pipeline = BatchCompose(PIPELINES["both"], seed=9)
    assert not same(pipeline(ready()), pipeline(ready()))
    assert same(pipeline(samples()), pipeline(samples()))
    assert not torch.equal(pipeline(samples())[0], pipeline(samples()[::-1])[0].flip(0))


@pytest.mark.parametrize("name", PIPELINES)
def test_a_seeded_pipeline_leaves_the_default_generator_as_it_was(name: str) -> None:
    torch.manual_seed(0)
    before = torch.default_generator.get_state()
    pipeline = BatchCompose(PIPELINES[name], seed=9)
    pipeline(samples())
    pipeline(ready())
    assert torch.equal(before, torch.default_generator.get_state())
    with pytest.raises(InputError, match="different sizes"):
        BatchCompose([v2.RandomHorizontalFlip(), MixUp()], seed=1)([torch.zeros(3, 8, 8), torch.zeros(3, 8, 9)])
    assert torch.equal(before, torch.default_generator.get_state())


def test_the_default_generator_comes_back_after_an_error_in_a_stage() -> None:
    class Broken(v2.Transform):
        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            torch.rand(3)
            raise RuntimeError("broken")

    before = torch.default_generator.get_state()
    with pytest.raises(RuntimeError, match="broken"):
        BatchCompose([Broken(), MixUp()], seed=1)(samples())
    assert torch.equal(before, torch.default_generator.get_state())


class Note:
    """Something of a user's own, which prints its address as most objects do."""


def test_seeds_do_not_read_addresses() -> None:
    """Equal samples give equal batches, in this process and in the next one."""
    annotated = [[{"image": image, "label": label, "note": Note()} for image, label in samples()] for _ in range(2)]
    pipeline = BatchCompose(PIPELINES["both"], seed=9)
    assert same(pipeline(annotated[0]), pipeline(annotated[1]))


@pytest.mark.parametrize("name", PIPELINES)
def test_without_a_seed_torch_governs(name: str) -> None:
    pipeline = BatchCompose(PIPELINES[name])
    torch.manual_seed(3)
    first = pipeline(samples())
    torch.manual_seed(3)
    assert same(first, pipeline(samples()))
    assert not same(first, pipeline(samples()))


def test_a_childs_seed_draws_for_the_child() -> None:
    images, labels = ready()
    pipeline = BatchCompose([v2.Identity(), MixUp(num_classes=CLASSES, seed=5)])
    assert torch.equal(pipeline(images, labels)[0], MixUp(num_classes=CLASSES, seed=5)(images, labels)[0])


def test_a_childs_seed_knows_samples_by_content() -> None:
    """Nothing may depend on the number of workers: a collate function draws by content, wherever the seed stands."""
    pipeline = BatchCompose([v2.Identity(), MixUp(num_classes=CLASSES, seed=5)])
    assert same(pipeline(samples()), pipeline(samples()))


@pytest.mark.parametrize(
    "twin", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))], ids=["copy", "deepcopy", "pickle"]
)
def test_copies_draw_the_same(twin: Any) -> None:
    pipeline = BatchCompose(PIPELINES["both"], seed=9)
    pipeline(ready())
    other = twin(pipeline)
    assert repr(other) == repr(pipeline)
    if twin is copy.deepcopy:  # a copy shares the count of calls; an unpickled one knows ready batches by content
        assert same(other(ready()), pipeline(ready()))
    assert same(other(samples()), pipeline(samples()))


def test_threads_do_not_disturb_one_another() -> None:
    pipeline = BatchCompose(PIPELINES["both"], seed=9)
    wanted = pipeline(samples())
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.extend(pipeline(samples()) for _ in range(4))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 16
    assert all(same(wanted, result) for result in results)


def loaded(pipeline: Any, workers: int, form: str = "tuple") -> list[Any]:
    """The batches of one epoch, in their order."""
    loader = DataLoader(Photos(form), batch_size=SIZE, num_workers=workers, collate_fn=pipeline)
    return list(loader)


@forked
@pytest.mark.parametrize("form", ["tuple", "dict"])
def test_the_number_of_workers_does_not_matter(form: str) -> None:
    pipeline = BatchCompose(PIPELINES["both"], seed=9)
    alone, two = loaded(pipeline, 0, form), loaded(pipeline, 2, form)
    assert len(alone) == 3
    assert all(same(first, second) for first, second in zip(alone, two, strict=True))
    assert not same(alone[0], alone[1])


@forked
def test_a_seeded_mix_alone_does_not_depend_on_workers() -> None:
    mix = choice(seed=4)
    assert all(same(first, second) for first, second in zip(loaded(mix, 0), loaded(mix, 2), strict=True))
    pipeline = BatchCompose([choice(seed=4)])
    assert all(same(first, second) for first, second in zip(loaded(pipeline, 0), loaded(pipeline, 2), strict=True))


class OnePhoto(Photos):
    """The same picture again and again."""

    def __getitem__(self, index: int) -> Any:
        return super().__getitem__(0)


@forked
def test_workers_do_not_repeat_each_other() -> None:
    pipeline = BatchCompose([v2.RandomCrop(5), MixUp(alpha=1.0, num_classes=CLASSES)])
    torch.manual_seed(0)
    loader = DataLoader(OnePhoto(count=4 * SIZE), batch_size=SIZE, num_workers=2, collate_fn=pipeline)
    epochs = [batch[0].numpy().tobytes() for _ in range(2) for batch in loader]
    assert len(set(epochs)) == len(epochs)


# -------------------------------------------------------------------------------------------------------- behaviour


@pytest.mark.parametrize("inplace", [False, True])
def test_trace(inplace: bool) -> None:
    pipeline = BatchCompose(
        [v2.RandomHorizontalFlip(), choice(inplace=inplace), v2.ToDtype(torch.float32, scale=True)], seed=9
    )
    before, plans, after = pipeline.trace(samples())
    assert before[0].dtype == torch.uint8
    assert len(plans) == 1
    assert plans[0].key.seed == 9
    torch.testing.assert_close(after[0], plans[0].apply(before[0]).float() / 255)
    flipped = [torch.equal(a, b.flip(-1)) for a, (b, _) in zip(before[0], samples(), strict=True)]
    assert any(flipped)
    assert not all(flipped)
    assert same(after, BatchCompose(pipeline.transforms, seed=9)(samples()))
    assert BatchCompose([v2.Identity()]).trace(samples()).plans == ()


def test_train_and_eval_reach_the_children() -> None:
    mix = choice()
    pipeline = BatchCompose([v2.RandomHorizontalFlip(p=1.0), mix, v2.ToDtype(torch.float32, scale=True)])
    assert pipeline.eval() is pipeline
    assert not mix.training
    out = pipeline(samples())
    torch.testing.assert_close(out[0], ready()[0].flip(-1).float() / 255)  # ordinary transforms still run
    assert torch.equal(out[1], torch.eye(CLASSES)[ready()[1]])
    assert pipeline.train() is pipeline
    assert mix.training
    assert not torch.equal(pipeline(samples())[1], out[1])
    outer = torch.nn.Sequential(pipeline)
    outer.eval()
    assert not mix.training


def test_is_a_transform_of_the_host() -> None:
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), choice(), lambda batch: batch])
    assert isinstance(pipeline, v2.Transform)
    assert pipeline.state_dict() == {}
    visited: list[Any] = []
    pipeline.apply(visited.append)
    assert pipeline in visited


def test_text() -> None:
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), MixUp(num_classes=10)], seed=3)
    assert repr(pipeline) == "BatchCompose([\n    v2.RandomHorizontalFlip(),\n    MixUp(num_classes=10),\n], seed=3)"


def test_neutral_transforms_are_adopted() -> None:
    neutral = mixtransforms.OneOf([mixtransforms.MixUp(), mixtransforms.CutMix(0.5)], num_classes=CLASSES, p=0.7)
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), neutral])
    assert type(pipeline.transforms[1]) is OneOf
    assert repr(pipeline.transforms[1]) == repr(neutral)
    assert pipeline(samples())[1].shape == (SIZE, CLASSES)


@pytest.mark.parametrize(
    "container",
    [
        lambda mix: v2.RandomApply([mix], p=0.5),
        lambda mix: v2.RandomChoice([mix, v2.Identity()]),
        lambda mix: v2.RandomOrder([mix]),
        lambda mix: v2.Compose([v2.Identity(), mix]),
        lambda mix: v2.Compose([v2.RandomApply([mix])]),
        lambda mix: BatchCompose([mix]),
        lambda mix: torch.nn.Sequential(v2.Identity(), mix),
        lambda mix: v2.RandomApply(torch.nn.ModuleList([mix])),
    ],
    ids=["RandomApply", "RandomChoice", "RandomOrder", "Compose", "nested", "BatchCompose", "Sequential", "ModuleList"],
)
def test_containers_around_a_mix_are_refused(container: Any) -> None:
    with pytest.raises(
        ParameterError,
        match=r"A container around a mix \(BatchCompose, transform 1\): got \w+ with .*; wanted mixing .* Use p= of",
    ):
        BatchCompose([v2.Identity(), container(choice())])


CHOICES = {
    "even": (v2.RandomChoice([MixUp(num_classes=CLASSES), CutMix(num_classes=CLASSES)]), None),
    "weighted": (v2.RandomChoice([MixUp(num_classes=CLASSES), CutMix(num_classes=CLASSES)], p=[3, 1]), [0.75, 0.25]),
    "neutral": (v2.RandomChoice([mixtransforms.MixUp(num_classes=CLASSES), CutMix(num_classes=CLASSES)]), None),
}


@pytest.mark.parametrize("name", CHOICES)
def test_a_random_choice_of_mixes_is_one_of_them_a_batch(name: str) -> None:
    """As torchvision's own tutorial writes it: with ``num_classes`` in each, and a choice for the whole batch."""
    stock, weights = CHOICES[name]
    wanted = OneOf([MixUp(), CutMix()], weights=weights, per="batch", num_classes=CLASSES)
    pipeline = BatchCompose([v2.RandomHorizontalFlip(), stock], seed=3)
    explicit = BatchCompose([v2.RandomHorizontalFlip(), wanted], seed=3)
    assert type(pipeline.transforms[1]) is OneOf
    assert repr(pipeline) == repr(explicit)
    assert same(pipeline(samples()), explicit(samples()))
    assert mixtransforms.to_json(pipeline) == mixtransforms.to_json(explicit)
    again = mixtransforms.from_json(mixtransforms.to_json(pipeline))
    assert same(again(samples()), explicit(samples()))


def test_choices_nest_and_say_what_differs() -> None:
    inner = v2.RandomChoice([MixUp(num_classes=CLASSES), CutMix(num_classes=CLASSES)])
    pipeline = BatchCompose([v2.RandomChoice([inner, CutMix(0.3, num_classes=CLASSES)], p=[0.5, 0.25])])
    assert pipeline(samples())[1].shape == (SIZE, CLASSES)
    assert pipeline.transforms[0].num_classes == CLASSES
    with pytest.raises(ParameterError, match=r"A child's 'num_classes' differs \(OneOf\): got num_classes=3 in MixUp"):
        BatchCompose([v2.RandomChoice([MixUp(num_classes=3), CutMix(num_classes=4)])])
    with pytest.raises(ParameterError, match=r"Two seeds \(BatchCompose, transform 0\): got seed=3 inside, seed=4"):
        BatchCompose([v2.RandomChoice([MixUp(seed=3), CutMix(seed=3)])], seed=4)


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_the_hosts_own_mixes_are_refused(name: str) -> None:
    """They would see one sample at a time."""
    theirs = getattr(v2, name)(num_classes=3)
    with pytest.raises(
        ParameterError,
        match=rf"own mix would see one sample .*transform 0\): got torchvision's {name}; wanted mixtransforms\.torch",
    ):
        BatchCompose([theirs])
    with pytest.raises(ParameterError, match=r"transform 0\)"):
        BatchCompose([v2.RandomChoice([theirs])])


def test_two_seeds_are_refused() -> None:
    with pytest.raises(
        ParameterError, match=r"Two seeds \(BatchCompose, transform 1\): got seed=3 inside, seed=4 outside; wanted one"
    ):
        BatchCompose([v2.Identity(), MixUp(seed=3)], seed=4)


def test_an_epoch_is_told_before_the_call() -> None:
    with pytest.raises(TypeError, match=r"tell the epoch before, with set_epoch\(transform, epoch\)"):
        BatchCompose([choice()]).trace(samples(), epoch=3)


def test_sizes_must_agree_at_the_mix() -> None:
    ragged = [(torch.zeros(3, 8 + index, 8), 0) for index in range(3)]
    with pytest.raises(
        InputError,
        match=r"Samples of different sizes \(batch\[0\]\): got \(3, 9, 8\) in sample 1, \(3, 8, 8\) in sample 0",
    ):
        BatchCompose([v2.RandomHorizontalFlip(), MixUp(num_classes=1)])(ragged)
    out = BatchCompose([v2.Resize((8, 8)), MixUp(num_classes=1)])(ragged)
    assert out[0].shape == (3, 3, 8, 8)


@pytest.mark.parametrize("call", [lambda p: p(), lambda p: p(ready()[0], label=ready()[1])])
def test_a_batch_is_passed_one_way(call: Any) -> None:
    with pytest.raises(TypeError, match=r"either by position, .* or by keyword, not both or neither"):
        call(BatchCompose([choice()]))


@pytest.mark.parametrize(
    "second", [CutMix(), OneOf([MixUp(), CutMix()]), mixtransforms.CutMix(), v2.RandomChoice([MixUp(), CutMix()])]
)
def test_two_pastes_are_refused(second: Any) -> None:
    """The second paste takes a part of a picture of which nobody knows where the first has pasted."""
    pipeline = BatchCompose([v2.Identity(), CutMix(num_classes=CLASSES), v2.RandomHorizontalFlip(), second])
    with pytest.raises(
        InputError, match=r"Two mixes that paste \(batch\[1\]\): got label of .* CutMix and \w+; .*OneOf"
    ):
        pipeline(*ready())
    pipeline.eval()(*ready())
    BatchCompose([MixUp(num_classes=CLASSES), second])(*ready())


@pytest.mark.parametrize("name", ["multilabel", "regression"])
def test_values_of_whole_images_are_refused_alike(name: str) -> None:
    mixes = [CutMix(kinds={"y": name}), CutMix(kinds={"y": name})]
    with pytest.raises(InputError, match=rf"Two mixes that paste \(batch\['y'\]\): got {name} of whole images"):
        BatchCompose(mixes)({"image": ready()[0], "y": torch.zeros(len(ready()[0]), 2)})


def test_two_pastes_in_turn_paste_once() -> None:
    """One of them is switched off in every epoch."""
    first, second = CutMix(p=Steps({0: 1.0, 2: 0.0}), num_classes=CLASSES), CutMix(p=Steps({0: 0.0, 2: 1.0}))
    pipeline = BatchCompose([first, second], seed=3)
    for epoch in (1, 2):
        set_epoch(pipeline, epoch)
        assert pipeline(*ready())[1].shape[1] == CLASSES
    both = BatchCompose([first, CutMix(p=Steps({0: 0.0, 1: 1.0}))], seed=3)
    set_epoch(both, 0)
    both(*ready())
    set_epoch(both, 1)
    with pytest.raises(InputError, match="Two mixes that paste"):
        both(*ready())


def test_masks_may_be_pasted_twice() -> None:
    """They have their places: every pixel of the mask goes on telling whose the pixel of the image is."""
    images = torch.arange(4.0)[:, None, None, None].expand(4, 3, 16, 16).contiguous()
    batch = {"image": images, "mask": images[:, 0].long()}
    out = BatchCompose([CutMix(p=1.0), CutMix(p=1.0)], seed=2)(batch)
    assert out["mask"].unique().numel() == 4
    assert max(len(mask.unique()) for mask in out["mask"]) > 2
    torch.testing.assert_close(out["image"][:, 0].long(), out["mask"])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["blend, paste", "paste, blend"])
def test_a_blend_and_a_paste_tell_the_truth_together(order: tuple[int, int]) -> None:
    """Every image shows its number in a channel of its own, so that means of channels are the shares of the label."""
    images = torch.eye(3)[:, :, None, None].expand(3, 3, 8, 8).contiguous()
    mixes = [MixUp(1.0, num_classes=3), CutMix(1.0, num_classes=3)]
    for seed in range(8):
        mixed, labels = BatchCompose([mixes[index] for index in order], seed=seed)(images, torch.arange(3))
        torch.testing.assert_close(mixed.mean((2, 3)), labels, atol=1e-5, rtol=0)
