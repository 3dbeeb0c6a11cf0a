"""Presets: what published recipes mix, as ordinary transforms of every door, in files, and on the command line."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from commands import fails, succeeds

import mixtransforms
from mixtransforms import CutMix, MixUp, OneOf, ParameterError, UnknownOptionError, presets, set_epoch
from mixtransforms.files import from_json, load, to_dict
from mixtransforms.laws import Beta

WHOLE = {"per": "batch", "pairing": "flip"}

WRITTEN_OUT: dict[str, tuple[Any, Any]] = {
    "deit": (
        presets.deit(10),
        OneOf([MixUp(0.8, **WHOLE), CutMix(1.0, **WHOLE)], per="batch", num_classes=10, smoothing=0.1),
    ),
    "rsb A1": (
        presets.rsb(10, variant="A1"),
        OneOf([MixUp(0.2, **WHOLE), CutMix(1.0, **WHOLE)], per="batch", num_classes=10, smoothing=0.1),
    ),
    "rsb A2": (presets.rsb(10), OneOf([MixUp(0.1, **WHOLE), CutMix(1.0, **WHOLE)], per="batch", num_classes=10)),
    "rsb A3": (
        presets.rsb(10, variant="A3"),
        OneOf([MixUp(0.1, **WHOLE), CutMix(1.0, **WHOLE)], per="batch", num_classes=10),
    ),
    "regmixup": (
        presets.regmixup(10),
        MixUp(20.0, per="batch", pairing="permutation", num_classes=10, keep_originals=True),
    ),
    "regmixup of CIFAR-100": (
        presets.regmixup(100, alpha=10.0),
        MixUp(10.0, per="batch", pairing="permutation", num_classes=100, keep_originals=True),
    ),
    "videomix": (presets.videomix(10), CutMix(num_classes=10, layout="BCTHW", axes="spatial")),
    "videomix elsewhere": (
        presets.videomix(10, alpha=8.0, p=0.5, per="batch"),
        CutMix(8.0, num_classes=10, layout="BCTHW", axes="spatial", p=0.5, per="batch"),
    ),
    "videomix cube": (
        presets.videomix(10, mode="cube", layout="BTCHW", seed=1, alpha=0.5),
        CutMix(0.5, num_classes=10, layout="BTCHW", axes="cube", seed=1),
    ),
}


@pytest.mark.parametrize(("preset", "same"), WRITTEN_OUT.values(), ids=WRITTEN_OUT)
def test_a_preset_is_what_it_would_be_written_out(preset: Any, same: Any) -> None:
    assert repr(preset) == repr(same)
    assert mixtransforms.fingerprint(preset) == mixtransforms.fingerprint(same)


OF_LABELS = sorted(set(presets.PRESETS) - {"deim"})
"""Presets for samples that have labels: one transform at every door."""


@pytest.mark.parametrize("host", presets.HOSTS)
@pytest.mark.parametrize("name", OF_LABELS)
def test_every_preset_is_made_at_every_door(name: str, host: Any) -> None:
    if host != "neutral":
        pytest.importorskip(host, reason=f"{host} is not installed")
    made = presets.PRESETS[name](7, host=host, seed=3)
    assert to_dict(made)["host"] == host
    assert (
        type(made).__module__
        == ("mixtransforms.mixing" if host == "neutral" else f"mixtransforms.{host}") + ".transform"
    )
    assert made.num_classes == 7
    again = mixtransforms.from_dict(to_dict(made))
    assert repr(again) == repr(made)
    shape = (4, 3, 2, 8, 6) if name == "videomix" else (4, 3, 8, 6) if host != "albumentations" else (4, 8, 6, 3)
    images: Any = np.random.default_rng(0).random(shape, dtype=np.float32)
    labels: Any = np.arange(4)
    if host == "albumentations":
        mixed = made(images=images, labels=labels)["labels"]
    else:
        torch = pytest.importorskip("torch")
        mixed = made(torch.from_numpy(images), torch.from_numpy(labels))[1].numpy()
    assert mixed.shape == (8 if name == "regmixup" else 4, 7)
    np.testing.assert_allclose(mixed.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("name", ["deit", "rsb"])
def test_as_timm_draws_them(name: str) -> None:
    """Laws of timm's own mix with the recipe's options: how often MixUp is, and how much stays."""
    timm = pytest.importorskip("timm.data.mixup", reason="timm is not installed")
    alpha = {"deit": 0.8, "rsb": 0.1}[name]
    theirs = timm.Mixup(mixup_alpha=alpha, cutmix_alpha=1.0, switch_prob=0.5, mode="batch", num_classes=10)
    np.random.seed(0)  # noqa: NPY002 -- timm draws from the global generator
    drawn = [theirs._params_per_batch() for _ in range(4000)]
    ours = presets.PRESETS[name](10, seed=0)
    plans = [ours.plan(np.zeros((2, 16, 16, 3), np.float32), np.arange(2)) for _ in range(4000)]
    boxes = np.array([plan.layers[0].region is not None for plan in plans if plan.layers])
    assert abs(boxes.mean() - np.mean([cut for _, cut in drawn])) < 0.05
    blended = np.array([plan.weight[0] for plan in plans if plan.layers and plan.layers[0].region is None])
    weights = np.array([lam for lam, cut in drawn if not cut])
    assert abs(blended.std() - weights.std()) < 0.02
    assert all((plan.partner == [1, 0]).all() for plan in plans if plan.mixed.all())


def test_regmixup_is_nearly_half_and_half() -> None:
    mix = dataclasses.replace(presets.regmixup(4, seed=0), labels="pair")
    images = np.eye(4, dtype=np.float32)[:, None, None, :].repeat(3, 1).repeat(5, 2)
    both, (label, partner, weight) = mix(images, np.arange(4))
    assert (both[:4] == images).all()
    assert (weight[:4] == 1).all()
    assert label.tolist() == [0, 1, 2, 3] * 2
    np.testing.assert_allclose(
        both[4:, 0, 0], weight[4:, None] * np.eye(4) + (1 - weight[4:, None]) * np.eye(4)[partner[4:]]
    )
    assert mix.alpha == Beta(20, 20).a


@pytest.mark.parametrize(("mode", "axes"), [("spatial", (3, 4)), ("temporal", (2,)), ("cube", (2, 3, 4))])
def test_videomix_cuts_what_it_says(mode: str, axes: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    videos = torch.arange(4.0).reshape(4, 1, 1, 1, 1).expand(4, 3, 9, 10, 11)
    mix = presets.videomix(4, mode=mode, seed=2)
    mixed, labels = mix(videos, torch.arange(4))
    pasted = mixed != videos
    assert pasted.any()
    for row, (own, label) in enumerate(zip(pasted, labels, strict=True)):
        assert abs(own.float().mean() - (1 - label[row])) < 1e-6
        for axis in {2, 3, 4} - set(axes):  # alike along what is not cut
            assert (own == own.narrow(axis - 1, 0, 1)).all()


# Epochs as the configurations have them, in [first, end), each with the chance of a sample to become a mosaic, of a batch
# to be blended, and of a batch to get copies of objects: of those that are not blended, as the code of version 2 draws.
DEIM_EPOCHS: dict[tuple[int, str], list[tuple[int, int, float, float, float]]] = {
    (1, "X"): [(0, 4, 0, 0, 0), (4, 29, 0.5, 0.5, 0), (29, 58, 0, 0, 0)],
    (1, "L"): [(0, 4, 0, 0, 0), (4, 29, 0.5, 0.5, 0), (29, 58, 0, 0, 0)],
    (1, "M"): [(0, 4, 0, 0, 0), (4, 49, 0.5, 0.5, 0), (49, 102, 0, 0, 0)],
    (1, "S"): [(0, 4, 0, 0, 0), (4, 64, 0.5, 0.5, 0), (64, 132, 0, 0, 0)],
    (1, "N"): [(0, 4, 0, 0, 0), (4, 78, 0.5, 0.5, 0), (78, 160, 0, 0, 0)],
    (1, "X-Objects365"): [(0, 2, 0, 0, 0), (2, 12, 0.5, 0.5, 0), (12, 24, 0, 0, 0)],
    (1, "R18"): [(0, 4, 0, 0, 0), (4, 64, 0.5, 0.5, 0), (64, 120, 0, 0, 0)],
    (1, "R34"): [(0, 4, 0, 0, 0), (4, 64, 0.5, 0.5, 0), (64, 120, 0, 0, 0)],
    (1, "R50"): [(0, 4, 0, 0, 0), (4, 34, 0.5, 0.5, 0), (34, 60, 0, 0, 0)],
    (1, "R101"): [(0, 4, 0, 0, 0), (4, 34, 0.5, 0.5, 0), (34, 60, 0, 0, 0)],
    (2, "X"): [(0, 4, 0, 0, 0), (4, 29, 0.5, 0.5, 0.5), (29, 50, 0, 0, 0.5), (50, 58, 0, 0, 0)],
    (2, "L"): [(0, 4, 0, 0, 0), (4, 34, 0.5, 0.5, 0.5), (34, 60, 0, 0, 0.5), (60, 68, 0, 0, 0)],
    (2, "M"): [(0, 4, 0, 0, 0), (4, 49, 0.5, 0.5, 0.5), (49, 90, 0, 0, 0.5), (90, 102, 0, 0, 0)],
    (2, "S"): [(0, 4, 0, 0, 0), (4, 64, 0.5, 0.5, 0.5), (64, 120, 0, 0, 0.5), (120, 132, 0, 0, 0)],
    (2, "N"): [(0, 4, 0, 0, 0), (4, 78, 0.5, 0.5, 0.4), (78, 160, 0, 0, 0)],
    (2, "Pico"): [(0, 4, 0, 0, 0), (4, 250, 0.5, 0, 0), (250, 500, 0, 0, 0)],
    (2, "Femto"): [(0, 4, 0, 0, 0), (4, 250, 0.5, 0, 0), (250, 500, 0, 0, 0)],
    (2, "Atto"): [(0, 4, 0, 0, 0), (4, 250, 0.3, 0, 0), (250, 500, 0, 0, 0)],
}


@pytest.mark.parametrize(("version", "size"), DEIM_EPOCHS)
def test_deim_has_the_chances_of_every_epoch(version: int, size: str) -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    made = presets.deim(size=size, version=version)
    windows = DEIM_EPOCHS[version, size]
    for first, end, mosaic, mixup, copies in windows:
        for epoch in range(first, end):
            chances = {"Mosaic": 0.0, "MixUp": 0.0, "CopyBlend": 0.0}
            for stage in made.transforms:
                drawn = stage.method.at(epoch)
                if isinstance(drawn, OneOf | mixtransforms.methods.OneOf):
                    assert drawn.per == "batch"
                    for method, weight in zip(drawn.transforms, drawn.weights, strict=True):
                        assert method.p == 1
                        chances[type(method).__name__] = weight
                else:
                    chances[type(drawn).__name__] = drawn.p
            assert chances == {"Mosaic": mosaic, "MixUp": mixup, "CopyBlend": (1 - mixup) * copies}, epoch
    assert {key for key in DEIM_EPOCHS if key[0] == version} == {(version, size) for size in presets.DEIM[version]}


@pytest.mark.parametrize("host", ["torchvision", "albumentations"])
@pytest.mark.parametrize(("version", "size"), [(1, "L"), (2, "N"), (2, "Atto")])
def test_deim_is_an_ordinary_pipeline(version: int, size: str, host: Any) -> None:
    pytest.importorskip(host, reason=f"{host} is not installed")
    made = presets.deim(size=size, version=version, host=host, seed=3, masks="soft")
    assert type(made).__module__ == f"mixtransforms.{host}.compose"
    assert made.seed == 3
    assert all(mix.masks == "soft" and mix.num_classes is None for mix in made.transforms)
    document = to_dict(made)
    assert (document["host"], mixtransforms.from_dict(document).seed) == (host, 3)
    assert repr(mixtransforms.from_dict(document)) == repr(made)
    assert mixtransforms.fingerprint(mixtransforms.from_dict(document)) == mixtransforms.fingerprint(made)


def painted_batch(torch: Any, size: int) -> tuple[Any, list[dict[str, Any]]]:
    """Two boxes a sample, each painted in a value of its own, which is its label."""
    images = torch.zeros(size, 1, 48, 64, dtype=torch.float32)
    targets = []
    for row in range(size):
        boxes = torch.tensor([[4.0, 6.0, 24.0, 26.0], [36.0, 20.0, 56.0, 44.0]])
        labels = torch.tensor([1 + 2 * row, 2 + 2 * row])
        for box, label in zip(boxes.int().tolist(), labels.tolist(), strict=True):
            images[row, :, box[1] : box[3], box[0] : box[2]] = float(label)
        targets.append({"boxes": boxes, "labels": labels})
    return images, targets


# Of version 2, size X: every regime of the schedule; beside it one of version 1.
REGIMES = [(2, "X", 0), (2, "X", 4), (2, "X", 28), (2, "X", 29), (2, "X", 49), (2, "X", 50), (1, "S", 63), (1, "S", 64)]


@pytest.mark.parametrize(("version", "size", "epoch"), REGIMES)
def test_an_epoch_of_deim(version: int, size: str, epoch: int) -> None:
    """Counted in what comes out, of 300 batches of eight: how many boxes there are, and what was painted."""
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    torch = pytest.importorskip("torch")
    pipeline = presets.deim(size=size, version=version, seed=11)
    set_epoch(pipeline, epoch)
    window = next(each for each in DEIM_EPOCHS[version, size] if each[0] <= epoch < each[1])
    batches, rows = 300, 8
    count = {"Mosaic": 0, "MixUp": 0, "CopyBlend": 0}
    for _ in range(batches):
        trace = pipeline.trace(painted_batch(torch, rows))
        mosaic, *blend = trace.plans
        count["Mosaic"] += int(mosaic.mixed.sum())
        (images, targets), (tiled, before) = trace.after, trace.steps[0].after
        more = [len(after["boxes"]) - len(own["boxes"]) for after, own in zip(targets, before, strict=True)]
        if not (images != tiled).any():
            assert set(more) == {0}  # nothing was blended, and nothing is told of it
            continue
        whole = all(layer.region is None for layer in blend[0].layers)
        count["MixUp" if whole else "CopyBlend"] += 1
        others = [len(each["boxes"]) for each in before]
        # A blended batch has the boxes of both, rolled by one; any other up to three more: never both.
        assert more == (others[-1:] + others[:-1] if whole else [3] * rows)
        if whole:
            weight = blend[0].weight
            assert (weight == weight[0]).all()
            assert 0.45 <= weight[0] <= 0.55
            np.testing.assert_allclose(images, weight[0] * tiled + (1 - weight[0]) * tiled.roll(1, 0), rtol=1e-6)
    for name, (number, chance) in {
        "Mosaic": (batches * rows, window[2]),
        "MixUp": (batches, window[3]),
        "CopyBlend": (batches, (1 - window[3]) * window[4]),
    }.items():
        deviation = np.sqrt(number * chance * (1 - chance))
        assert abs(count[name] - number * chance) <= 4 * deviation, (name, count)


def test_mosaics_of_deim_are_four_whole_pictures() -> None:
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    torch = pytest.importorskip("torch")
    pipeline = presets.deim(seed=1)
    set_epoch(pipeline, 10)
    images, _ = painted_batch(torch, 6)
    plan = pipeline.trace(images).plans[0]
    assert 0 < plan.mixed.sum() < 6
    for layer in plan.layers:
        assert (layer.region.sides == [24, 32]).all()
        assert (layer.crop.sides == [48, 64]).all()


def test_what_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"No such variant .*'A4'.*'A1', 'A2', 'A3'"):
        presets.rsb(10, variant="A4")
    with pytest.raises(ParameterError, match=r"No such host .*'jax'.*'neutral', 'torchvision', 'albumentations'"):
        presets.deit(10, host="jax")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"No such model .*size='XL', version=1; .*'R101'; of version 2 'X'"):
        presets.deim(size="XL")
    for wrong in ({"version": 3}, {"version": True}, {"size": ["L"]}):
        with pytest.raises(ParameterError, match="No such model"):
            presets.deim(**wrong)
    with pytest.raises(
        ParameterError, match=r"No such host .*'neutral'.*one of 'torchvision', 'albumentations'.*Leave it"
    ):
        presets.deim(host="neutral")
    with pytest.raises(UnknownOptionError, match="has no option 'sed'"):
        presets.deit(10, sed=1)
    with pytest.raises(ParameterError, match="num_classes"):
        presets.deit(0)


def test_the_command_line_lists_and_writes_them(tmp_path: Any) -> None:
    listed = succeeds("list")
    for name, preset in presets.PRESETS.items():
        assert f"  {name} " in listed
        assert str(preset.__doc__).splitlines()[0] in listed
        assert str(preset.__doc__).splitlines()[0].endswith(".")
        assert "Source: " in str(preset.__doc__)
    printed = from_json(succeeds("preset", "deit", "-n", 10, "--host", "neutral"))
    assert repr(printed) == repr(presets.deit(10))
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    for ending in ("json", "yaml"):
        file = tmp_path / f"rsb.{ending}"
        assert succeeds("preset", "rsb", "-o", file) == f"pipeline: {file}\n"
        assert repr(load(file)) == repr(presets.rsb(1000, host="torchvision"))
    assert fails("preset", "dait") == "Error: No preset is called 'dait': deim, deit, regmixup, rsb, videomix.\n"
    assert repr(from_json(succeeds("preset", "deim", "-n", 80))) == repr(presets.deim(80))
    assert "No such host" in fails("preset", "deit", "--host", "jax")
    assert "No such host" in fails("preset", "deim", "--host", "neutral")
