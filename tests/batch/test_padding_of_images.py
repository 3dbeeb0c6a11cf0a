"""``pad="max"``: images of unequal sizes with their masks; what would land in the wrong place is refused."""

from typing import Any

import numpy as np
import pytest

from mixtransforms import InputError, MixUp
from mixtransforms.targets.mask import SemanticMask

torch = pytest.importorskip("torch", reason="torch is not installed")

SIZES = [(8, 8), (6, 8), (8, 5)]


def picture(size: tuple[int, int], backend: str, channels: int = 3) -> Any:
    return torch.ones(channels, *size) if backend == "torch" else np.ones((*size, channels), np.float32)


def ids(size: tuple[int, int], backend: str) -> Any:
    return torch.ones(size, dtype=torch.int64) if backend == "torch" else np.ones(size, np.int64)


def forms(images: list[Any], masks: list[Any]) -> dict[str, Any]:
    return {
        "lists": {"image": images, "mask": masks},
        "mask first": {"mask": masks, "image": images},
        "samples": [{"image": x, "mask": m} for x, m in zip(images, masks, strict=True)],
    }


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_masks_are_padded_as_their_images_are(backend: str) -> None:
    """What is of the picture is 1 in both, and padding is 0, in every form and back end."""
    images, masks = [picture(size, backend) for size in SIZES], [ids(size, backend) for size in SIZES]
    for name, batch in forms(images, masks).items():
        out = MixUp(pad="max", masks="dominant", p=0.0)(batch)
        for image, mask in zip(out["image"], out["mask"], strict=True):
            plane = image[0] if backend == "torch" else image[..., 0]
            np.testing.assert_array_equal(np.asarray(plane), np.asarray(mask), err_msg=name)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("images", "masks", "wrong"),
    [
        (SIZES, [SIZES[1], SIZES[0], SIZES[2]], 0),  # in another order
        (SIZES, [SIZES[0]] * 3, 1),  # all as large as the largest
        ([SIZES[0]] * 3, SIZES, 1),  # all images of one size
        (SIZES, [(8, 8), (8, 6), (8, 5)], 1),  # height and width exchanged
        (SIZES, [(8, 8), (6, 8), (8, 4)], 2),
    ],
)
def test_masks_of_another_size_than_their_own_image(backend: str, images: Any, masks: Any, wrong: int) -> None:
    given = forms([picture(size, backend) for size in images], [ids(size, backend) for size in masks])
    for form, batch in given.items():
        mix = MixUp(pad="max", masks="dominant", p=0.0)
        with pytest.raises(InputError, match=rf"A mask of another size than its image \(batch\['mask'\]\[{wrong}\]\)"):
            mix(batch)
        if form == "lists":
            right = {**batch, "mask": [ids(size, backend) for size in images]}
            assert len(mix(right)["mask"]) == 3, "the step that is named leads on"


def test_stacked_masks_beside_unequal_images() -> None:
    """Padded by somebody, who knows where: they are refused as any other mask that does not fit its image."""
    batch = {"image": [picture(size, "torch") for size in SIZES], "mask": torch.ones(3, 8, 8, dtype=torch.int64)}
    with pytest.raises(InputError, match=r"A mask of another size than its image \(batch\['mask'\]\[1\]\)"):
        MixUp(pad="max", masks="dominant", p=0.0)(batch)


def test_masks_with_channels() -> None:
    """With an axis of channels, on either end, and not with any number of them."""
    for backend, axis in (("torch", 0), ("numpy", -1)):
        images = [picture(size, backend) for size in SIZES]
        maps = [picture(size, backend, 2) for size in SIZES]
        out = MixUp(pad="max", masks="pair", p=0.0)({"image": images, "mask": maps})
        assert {mask.shape[axis] for mask in out["mask"]} == {2}
        maps[1] = picture(SIZES[1], backend, 1)
        with pytest.raises(InputError, match=r"Masks with different numbers of channels \(batch\['mask'\]\[1\]\)"):
            MixUp(pad="max", masks="pair", p=0.0)({"image": images, "mask": maps})


def test_the_fill_of_masks_stays() -> None:
    images, masks = [picture(size, "numpy") for size in SIZES], [ids(size, "numpy") for size in SIZES]
    out = MixUp(pad="max", p=0.0, masks="dominant", kinds={"mask": SemanticMask(ignore_index=255)})(
        {"image": images, "mask": masks}
    )["mask"]
    assert [int((mask == 255).sum()) for mask in out] == [0, 16, 24]


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("sizes", [SIZES, [SIZES[0]] * 3], ids=["unequal", "equal"])
def test_channels_are_never_padded(backend: str, sizes: Any) -> None:
    """A gray picture beside colours would become a red one."""
    images = [picture(size, backend, 1 if index == 2 else 3) for index, size in enumerate(sizes)]
    for batch in (images, {"image": images}, [{"image": x} for x in images]):
        with pytest.raises(InputError, match=r"different numbers of channels \(batch.*\[2\]\): got 1, .*v2\.RGB\(\)"):
            MixUp(pad="max")(batch)
    images[2] = picture(sizes[2], backend)
    assert len(MixUp(pad="max")({"image": images})["image"]) == 3


def test_the_step_that_is_named_for_channels_leads_on() -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    from mixtransforms.torchvision import BatchCompose
    from mixtransforms.torchvision import MixUp as Mix

    images = [picture((8, 8), "torch"), picture((6, 8), "torch", 1)]
    assert BatchCompose([v2.RGB(), Mix(pad="max")])([{"image": x} for x in images])["image"].shape == (2, 3, 8, 8)


def test_waveforms_are_padded_in_time_alone() -> None:
    out = MixUp(pad="max", layout="BCT", p=0.0)([{"image": torch.ones(2, length)} for length in (5, 9)])["image"]
    assert out.sum(dim=(1, 2)).tolist() == [10.0, 18.0]
    with pytest.raises(InputError, match=r"different numbers of channels"):
        MixUp(pad="max", layout="BCT")([{"image": torch.ones(count, 9)} for count in (1, 2)])
