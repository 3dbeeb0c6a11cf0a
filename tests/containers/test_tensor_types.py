"""Tensors of other types: what comes in as a type comes out as it, and what is told of its rows stays with them."""

import copy
import sys
import types
from typing import Any

import numpy as np
import pytest

from mixtransforms import CutMix, InputError, MixUp

torch = pytest.importorskip("torch", reason="torch is not installed")

SIZE = 4
WAYS: dict[str, Any] = {
    "paste": lambda: CutMix(alpha=1.0, seed=0),
    "blend": lambda: MixUp(alpha=1.0, seed=0),
    "nothing": lambda: MixUp(p=0.0),
    "kept": lambda: MixUp(keep_originals=True, seed=0),
    "overwritten": lambda: MixUp(alpha=1.0, inplace=True, seed=0),
}


class Named(torch.Tensor):
    """Attributes of its own and no word on what becomes of them, as fastai's ``TensorImage``."""


class Meta(torch.Tensor):
    """Metadata that is collated with its tensor, and tells of every row where ``is_batch``, as MONAI's ``MetaTensor``."""

    meta: dict[str, Any]
    is_batch: bool

    @staticmethod
    def of(values: Any, meta: dict[str, Any], is_batch: bool = False) -> "Meta":
        made = values.as_subclass(Meta)
        made.meta, made.is_batch = meta, is_batch
        return made

    def copy_meta_from(self, other: "Meta") -> "Meta":
        vars(self).update(copy.copy(vars(other)))
        return self


def collated(batch: Any, *, collate_fn_map: Any = None) -> Meta:
    plain = torch.stack([item.as_subclass(torch.Tensor) for item in batch])
    metas = torch.utils.data.default_collate([item.meta for item in batch])
    return Meta.of(plain, metas, is_batch=True)


@pytest.fixture(autouse=True)
def _meta_is_collated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(torch.utils.data._utils.collate.default_collate_fn_map, Meta, collated)


def pictures(size: int = 8) -> Any:
    return torch.rand(SIZE, 3, size, size, generator=torch.Generator().manual_seed(0))


def samples(size: int = 8) -> list[Meta]:
    return [Meta.of(x, {"file": f"f{i}", "affine": torch.eye(4) * (i + 1)}) for i, x in enumerate(pictures(size))]


def check_rows(result: Meta, times: int = 1) -> None:
    assert type(result) is Meta
    assert result.is_batch
    assert result.meta["file"] == [f"f{i}" for i in range(SIZE)] * times
    assert result.meta["affine"][:, 0, 0].tolist() == [1.0, 2.0, 3.0, 4.0] * times


@pytest.mark.parametrize("way", WAYS)
def test_a_type_comes_back_with_its_attributes(way: str) -> None:
    images = pictures().as_subclass(Named)
    images.affine, images.files = torch.eye(4), list("abcd")
    plain = WAYS[way]()(pictures())
    result = WAYS[way]()(images)
    assert type(result) is Named
    assert torch.equal(result.as_subclass(torch.Tensor), plain)
    assert torch.equal(result.affine, torch.eye(4)), "four rows by chance: a matrix of all samples"
    assert result.files == list("abcd") * (2 if way == "kept" else 1)
    if way != "overwritten":
        assert result.files is not images.files, "nobody else's list"


@pytest.mark.parametrize("way", WAYS)
def test_metadata_stays_with_its_rows(way: str) -> None:
    result = WAYS[way]()(collated(samples()))
    check_rows(result, 2 if way == "kept" else 1)


@pytest.mark.parametrize("size", [8, 96], ids=["stacked", "written row by row"])
@pytest.mark.parametrize("way", WAYS)
def test_metadata_of_samples(way: str, size: int) -> None:
    """Every row keeps that of its own sample, and not all of them that of the first."""
    row = [0.25] * 4
    forms: list[Any] = [
        samples(size),
        [(x, row) for x in samples(size)],
        [{"image": x, "label": row} for x in samples(size)],
    ]
    for form in forms:
        result = WAYS[way]()(form)
        result = result["image"] if isinstance(result, dict) else result[0] if isinstance(result, list) else result
        check_rows(result, 2 if way == "kept" else 1)


def test_attributes_of_samples_become_lists() -> None:
    given = []
    for index, image in enumerate(pictures()):
        given.append(image.as_subclass(Named))
        given[-1].file = f"f{index}"
    result = MixUp(seed=0)(given)
    assert type(result) is Named
    assert result.file == ["f0", "f1", "f2", "f3"]
    listed = MixUp(seed=0)({"image": given})["image"]
    assert [type(row) for row in listed] == [Named] * SIZE
    assert [row.file for row in listed] == ["f0", "f1", "f2", "f3"]


def test_metadata_that_makes_no_batch() -> None:
    given = samples()
    given[1].meta["affine"] = torch.eye(3)
    with pytest.raises(
        InputError, match=r"Metadata that does not make a batch \(Meta\): .*as_subclass\(torch\.Tensor\)"
    ):
        MixUp()(given)
    assert type(MixUp()([sample.as_subclass(torch.Tensor) for sample in given])) is torch.Tensor


@pytest.mark.parametrize("form", ["pair", "dominant", "soft"])
@pytest.mark.parametrize("method", [MixUp, CutMix])
def test_masks_keep_their_type(method: Any, form: str) -> None:
    ids = torch.arange(SIZE).reshape(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    masks = [Meta.of(mask, {"file": f"f{i}", "affine": torch.eye(4) * (i + 1)}) for i, mask in enumerate(ids)]
    result = method(seed=0, masks=form, num_classes=4)({"image": pictures(), "mask": collated(masks)})
    check_rows(result["mask"])
    if "mask_partner" in result:
        check_rows(result["mask_partner"])


def test_under_autograd() -> None:
    images = collated(samples()).requires_grad_()
    result = MixUp(alpha=1.0, seed=0)(images)
    check_rows(result)
    result.as_subclass(torch.Tensor).sum().backward()
    assert images.grad is not None


def test_metadata_through_a_pipeline_of_samples() -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    from mixtransforms.torchvision import BatchCompose
    from mixtransforms.torchvision import CutMix as Cut

    for steps in ([v2.Identity(), Cut()], [Cut(), v2.Identity()]):
        check_rows(BatchCompose(steps)([{"image": x} for x in samples()])["image"])


@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("way", ["paste", "blend", "nothing", "kept"])
def test_a_parameter_becomes_a_tensor(way: str, grad: bool) -> None:
    result = WAYS[way]()(torch.nn.Parameter(pictures(), requires_grad=grad))
    assert type(result) is torch.Tensor
    assert result.requires_grad == grad


def test_the_trace_shows_the_type() -> None:
    trace = MixUp(seed=0).trace(collated(samples()))
    check_rows(trace.steps[0].before)
    check_rows(trace.after)
    np.testing.assert_array_equal(trace.steps[0].before.numpy(), pictures().numpy())


def test_tensors_of_monai_are_collated_before_it_has_told_torch_how(monkeypatch: pytest.MonkeyPatch) -> None:
    """It registers its collation when one of its own loaders first collates; until then torch copies the first row's."""
    theirs = type("MetaTensor", (Meta,), {"__module__": "monai.data.meta_tensor"})
    utils = types.ModuleType("monai.data.utils")

    def collate(batch: Any) -> Any:
        whole = collated(batch).as_subclass(theirs)
        vars(whole).update(vars(collated(batch)))
        return whole

    utils.collate_meta_tensor_fn = collate  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "monai.data.utils", utils)
    rows = [item.as_subclass(theirs) for item in samples()]
    for row, own in zip(rows, samples(), strict=True):
        vars(row).update(vars(own))
    result = MixUp(1.0, seed=0)(rows)
    assert type(result) is theirs
    assert result.meta["file"] == [f"f{i}" for i in range(SIZE)]
    assert result.meta["affine"][:, 0, 0].tolist() == [1.0, 2.0, 3.0, 4.0]
