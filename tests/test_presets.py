"""Presets: what published recipes mix, as ordinary transforms of every door, in files, and on the command line."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from commands import fails, succeeds

import mixtransforms
from mixtransforms import CutMix, MixUp, OneOf, ParameterError, UnknownOptionError, presets
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
    "videomix": (presets.videomix(10), CutMix(num_classes=10, layout="BCTHW", axes="spatial")),
    "videomix cube": (
        presets.videomix(10, mode="cube", layout="BTCHW", seed=1, alpha=0.5),
        CutMix(0.5, num_classes=10, layout="BTCHW", axes="cube", seed=1),
    ),
}


@pytest.mark.parametrize(("preset", "same"), WRITTEN_OUT.values(), ids=WRITTEN_OUT)
def test_a_preset_is_what_it_would_be_written_out(preset: Any, same: Any) -> None:
    assert repr(preset) == repr(same)
    assert mixtransforms.fingerprint(preset) == mixtransforms.fingerprint(same)


@pytest.mark.parametrize("host", presets.HOSTS)
@pytest.mark.parametrize("name", presets.PRESETS)
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


def test_what_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"No such variant .*'A4'.*'A1', 'A2', 'A3'"):
        presets.rsb(10, variant="A4")
    with pytest.raises(ParameterError, match=r"No such host .*'jax'.*'neutral', 'torchvision', 'albumentations'"):
        presets.deit(10, host="jax")  # type: ignore[arg-type]
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
    assert fails("preset", "dait") == "Error: No preset is called 'dait': deit, regmixup, rsb, videomix.\n"
    assert "No such host" in fails("preset", "deit", "--host", "jax")
