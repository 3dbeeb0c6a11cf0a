"""Axes and colours of samples before torchvision sees them: nothing is permuted that was not looked at."""

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("torchvision", reason="torchvision is not installed")

from PIL import Image
from torchvision import tv_tensors
from torchvision.transforms import v2

from mixtransforms import InputError
from mixtransforms.torchvision import BatchCompose, CutMix, MixUp

FLIP = v2.RandomHorizontalFlip(1.0)
RNG = np.random.default_rng(0)
FIRST = RNG.random((2, 3, 32, 40), np.float32)
"""Channels first, as skorch's ``Dataset`` and most loaders of NumPy arrays give them."""
LAST = np.ascontiguousarray(FIRST.transpose(0, 2, 3, 1))


def labelled(images: Any) -> list[Any]:
    return [(image, index) for index, image in enumerate(images)]


@pytest.mark.parametrize("mix", [[], [MixUp(num_classes=2)]], ids=["alone", "mixed"])
@pytest.mark.parametrize("steps", [[FLIP], [v2.ToImage()], [v2.Resize((16, 16))]], ids=["flip", "ToImage", "Resize"])
def test_channels_first_arrays_are_not_permuted(steps: list[Any], mix: list[Any]) -> None:
    with pytest.raises(
        InputError,
        match=r"plainly say another layout \(batch\[0\]\): got shape \(1, 3, 32, 40\).*layout='channels_first'",
    ):
        BatchCompose([*steps, *mix])(labelled(FIRST))


def test_what_the_hint_says_works() -> None:
    """Told so, they are taken as they are: the result is that of tensors."""
    mix = MixUp(num_classes=2, layout="channels_first", seed=1)
    out = BatchCompose([FLIP, mix])(labelled(FIRST))
    tensors = BatchCompose([FLIP, MixUp(num_classes=2, seed=1)])(labelled(torch.from_numpy(FIRST)))
    assert torch.equal(out[0], tensors[0])
    assert torch.equal(out[1], tensors[1])
    moved = BatchCompose([FLIP, MixUp(num_classes=2, seed=1)])(labelled(LAST))
    assert torch.equal(moved[0], tensors[0])
    named = MixUp(num_classes=2, layout="BCHW", seed=1)
    assert torch.equal(BatchCompose([FLIP, named])(labelled(FIRST))[0], tensors[0])


def test_channels_last_tensors_are_not_taken_for_wide_pictures() -> None:
    with pytest.raises(InputError, match=r"plainly say another layout \(batch\[0\]\): got shape \(1, 32, 40, 3\)"):
        BatchCompose([v2.Resize((16, 16))])(labelled(torch.from_numpy(LAST)))


@pytest.mark.parametrize("images", [torch.from_numpy(LAST), LAST], ids=["tensors", "arrays"])
@pytest.mark.parametrize("ready", [False, True], ids=["samples", "batch"])
def test_channels_that_are_known_to_be_last_are_refused(images: Any, ready: bool) -> None:
    """A flip would turn colours, and a mix would take permuted axes for those it was told."""
    mix = CutMix(num_classes=2, layout="channels_last", seed=1)
    given = (images, torch.arange(2)) if ready else labelled(images)
    with pytest.raises(InputError, match=r"Channels last .*layout='channels_last'; wanted channels first"):
        BatchCompose([FLIP, mix])(given)


def test_pictures_become_channels_first() -> None:
    given = [(Image.fromarray((image * 255).astype(np.uint8)), index) for index, image in enumerate(LAST)]
    with pytest.raises(InputError, match=r"Channels last .* PIL image that has become .* Leave layout out"):
        BatchCompose([v2.ToImage(), CutMix(num_classes=2, layout="channels_last")])(given)
    assert BatchCompose([v2.ToImage(), CutMix(num_classes=2)])(given)[0].shape == (2, 3, 32, 40)
    first = CutMix(num_classes=2, layout="channels_first")
    assert BatchCompose([v2.ToImage(), first])(given)[0].shape == (2, 3, 32, 40)


def test_dtypes_may_change_whatever_the_axes() -> None:
    mix = CutMix(num_classes=2, layout="channels_last", seed=1)
    images = torch.from_numpy((LAST * 255).astype(np.uint8))
    to_float = v2.ToDtype(torch.float32, scale=True)
    first, second = BatchCompose([to_float, mix])(images, torch.arange(2)), BatchCompose([mix, to_float])
    assert torch.equal(first[0], CutMix(layout="channels_last", seed=1)(to_float(images)))
    assert second(images, torch.arange(2))[0].shape == images.shape


def test_clips_of_arrays_told_by_name() -> None:
    clips = RNG.random((2, 5, 3, 32, 40), np.float32)
    out = BatchCompose([FLIP, MixUp(p=0.0, layout="BTCHW")])([{"video": clip} for clip in clips])
    assert np.array_equal(out["video"].numpy(), clips[..., ::-1])


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 12])
def test_pictures_of_many_channels(channels: int) -> None:
    """Multispectral ones go on working, in either back end."""
    images = RNG.random((2, channels, 64, 64), np.float32)
    steps = [FLIP, MixUp(p=0.0)]
    wanted = images[..., ::-1].copy()
    assert np.array_equal(BatchCompose(steps)(labelled_images(torch.from_numpy(images)))["image"].numpy(), wanted)
    last = images.transpose(0, 2, 3, 1)
    assert np.array_equal(BatchCompose(steps)(labelled_images(last))["image"].numpy(), wanted)


def labelled_images(images: Any) -> list[Any]:
    return [{"image": image} for image in images]


# ------------------------------------------------------------------------------------------------------------ colours


def palette(turned: bool) -> Image.Image:
    """A red picture; index 0 or index 1 is red."""
    image = Image.new("P", (8, 8), 1 if turned else 0)
    colours = [[255, 0, 0], [0, 0, 255]]
    image.putpalette([value for colour in (colours[::-1] if turned else colours) for value in colour])
    return image


PALETTES = [(palette(False), 0), (palette(True), 1)]


@pytest.mark.parametrize("mix", [MixUp(num_classes=2), CutMix(num_classes=2)], ids=["MixUp", "CutMix"])
@pytest.mark.parametrize(
    "to", [v2.ToImage(), v2.PILToTensor(), v2.Compose([v2.ToImage(), FLIP])], ids=lambda t: repr(t)[:8]
)
def test_indices_of_palettes_are_no_colours(to: Any, mix: Any) -> None:
    with pytest.raises(InputError, match=r"Palette indices .*\(batch\[0\]\): got a PIL image of mode P.*v2\.RGB\(\)"):
        BatchCompose([v2.Resize((8, 8)), to, mix])(PALETTES)
    out = BatchCompose([v2.RGB(), to, mix])(PALETTES)
    assert out[0].shape == (2, 3, 8, 8)
    assert (out[0] == torch.tensor([255, 0, 0])[:, None, None]).all(), "two red pictures"


def test_masks_of_palettes_stay_ids() -> None:
    mask = palette(False)
    mask.putdata([0, 1, 2, 255] * 16)
    given = [{"image": torch.zeros(3, 8, 8), "mask": mask}] * 2
    out = BatchCompose([FLIP, v2.ToImage(), CutMix(p=0.0)])(given)["mask"]
    assert out.unique().tolist() == [0, 1, 2, 255]
    typed = [{"image": torch.zeros(3, 8, 8), "mask": tv_tensors.Mask(mask)}] * 2
    assert BatchCompose([FLIP, CutMix(p=0.0)])(typed)["mask"].unique().tolist() == [0, 1, 2, 255]
