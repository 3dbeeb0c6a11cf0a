"""Classes of the user's own: written and read only where code allows them, by identity."""

from typing import Any

import pytest

import mixtransforms
from mixtransforms.files import check


def v2_classes() -> Any:
    torch = pytest.importorskip("torch")
    v2 = pytest.importorskip("torchvision.transforms.v2")

    class Shift(v2.Transform):
        """Adds a number.

        Args:
            amount: What is added.
        """

        def __init__(self, amount: float = 1.0, mode: v2.InterpolationMode = v2.InterpolationMode.NEAREST) -> None:
            super().__init__()
            self._amount = amount
            self.mode = mode

        def transform(self, inpt: Any, params: Any) -> Any:
            return inpt + self._amount

    class Twice(v2.Compose):
        pass

    class Forgets(torch.nn.Module):
        def __init__(self, amount: float) -> None:
            super().__init__()

    class Bends(torch.nn.Module):
        def __init__(self, amount: float) -> None:
            super().__init__()
            self.amount = amount + 1

    return v2, Shift, Twice, Forgets, Bends


def test_a_module_and_a_container() -> None:
    import torch

    v2, Shift, Twice, *_ = v2_classes()
    pipeline = Twice([Shift(2, v2.InterpolationMode.BICUBIC), v2.Identity()])
    text = mixtransforms.to_json(pipeline, allow=[Shift, Twice])
    assert '"type": "custom.Shift", "args": {"amount": 2, "mode": "bicubic"}' in text
    again = mixtransforms.from_json(text, allow=[Twice, Shift])
    assert type(again) is Twice
    assert type(again.transforms[0]) is Shift
    assert again.transforms[0].mode is v2.InterpolationMode.BICUBIC
    assert again(torch.zeros(2)).tolist() == [2, 2]
    assert mixtransforms.fingerprint(pipeline, allow=[Shift, Twice]) == mixtransforms.fingerprint(
        again, allow=[Shift, Twice]
    )


def test_nothing_is_known_without_the_call(tmp_path: Any) -> None:
    _, Shift, *_ = v2_classes()
    path = tmp_path / "own.json"
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.type.*allow=\[TheClass\]"):
        mixtransforms.save(Shift(), path)
    mixtransforms.save(Shift(), path, allow=[Shift])
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.type.*'custom\.Shift'"):
        mixtransforms.load(path)
    ((line, text),) = check(path)
    assert (line, "custom.Shift" in text) == (6, True)
    assert check(path, allow=[Shift]) == []
    assert type(mixtransforms.load(path, allow=[Shift])) is Shift
    with pytest.raises(mixtransforms.ConfigError, match=r"\$\.pipeline\.type"):
        mixtransforms.load(path)  # a call that allows it leaves nothing behind


def test_another_class_of_the_same_name_is_another_class() -> None:
    _, Shift, *_ = v2_classes()
    _, Other, *_ = v2_classes()
    with pytest.raises(mixtransforms.ConfigError, match="Not a type that can be written"):
        mixtransforms.to_json(Shift(), allow=[Other])
    with pytest.raises(mixtransforms.ConfigError, match="Two classes of one name"):
        mixtransforms.to_json(Shift(), allow=[Other, Shift])


def test_arguments_must_come_back() -> None:
    _, _, _, Forgets, Bends = v2_classes()
    with pytest.raises(mixtransforms.ConfigError, match=r"cannot be read back \(\$\.pipeline\.args\.amount\)"):
        mixtransforms.to_json(Forgets(1), allow=[Forgets])
    with pytest.raises(mixtransforms.ConfigError, match=r"would not come back equal: 'amount'"):
        mixtransforms.to_json(Bends(1), allow=[Bends])


@pytest.mark.parametrize("wrong", ["Shift", int, object(), len])
def test_what_is_no_class_of_a_transform(wrong: Any) -> None:
    with pytest.raises(mixtransforms.ConfigError, match=r"allow=.*Give classes"):
        mixtransforms.to_json(mixtransforms.MixUp(), allow=[wrong])


def test_albumentations() -> None:
    A = pytest.importorskip("albumentations")
    import numpy as np

    class Fill(A.ImageOnlyTransform):
        def __init__(self, values: tuple[int, int, int] = (1, 2, 3), p: float = 0.5) -> None:
            super().__init__(p=p)
            self.values = values

        def apply(self, img: Any, **params: Any) -> Any:
            return np.full_like(img, self.values)

    pipeline = A.Compose([A.OneOf([Fill((4, 5, 6), p=1)], p=1), A.HorizontalFlip()], seed=1)
    text = mixtransforms.to_json(pipeline, allow=[Fill])
    again = mixtransforms.from_json(text, allow=[Fill])
    image = np.zeros((2, 2, 3), np.uint8)
    assert again(image=image)["image"].tolist() == pipeline(image=image)["image"].tolist()
    assert again.transforms[0].transforms[0].values == (4, 5, 6)
    with pytest.raises(mixtransforms.ConfigError, match=r"children\[0\]\.children\[0\]\.type.*custom\.Fill"):
        mixtransforms.from_json(text)


def test_annotations_that_nobody_can_resolve() -> None:
    pytest.importorskip("torchvision")
    from torchvision.transforms import v2

    class Later(v2.Transform):
        def __init__(self, size: "Size" = 3, name: "str" = "a") -> None:  # noqa: F821
            super().__init__()
            self.size, self.name = size, name

    again = mixtransforms.from_json(mixtransforms.to_json(Later([1, 2]), allow=[Later]), allow=[Later])
    assert again.size == [1, 2]
    with pytest.raises(mixtransforms.ConfigError, match=r"\.args\.name"):
        mixtransforms.to_json(Later(name=3), allow=[Later])


def test_what_the_host_has_and_no_file_may_name() -> None:
    A = pytest.importorskip("albumentations")
    transform = A.TextImage("font.ttf")
    with pytest.raises(mixtransforms.ConfigError, match="opens a file"):
        mixtransforms.to_json(transform)
    again = mixtransforms.from_json(mixtransforms.to_json(transform, allow=[A.TextImage]), allow=[A.TextImage])
    assert again.font_path == "font.ttf"


def test_a_mixing_method_of_the_users_own() -> None:
    pytest.importorskip("torchvision")
    from mixtransforms import methods
    from mixtransforms.torchvision.transform import Transform

    class OwnMix(Transform, methods.CutMix): ...

    transform = OwnMix(0.5, placement="inside", num_classes=3)
    with pytest.raises(mixtransforms.ConfigError, match="allow="):
        mixtransforms.to_json(transform)
    text = mixtransforms.to_json(transform, allow=[OwnMix])
    again = mixtransforms.from_json(text, allow=[OwnMix])
    assert type(again) is OwnMix
    assert repr(again) == repr(transform)


def test_the_schema_knows_what_is_allowed() -> None:
    _, Shift, *_ = v2_classes()
    known = mixtransforms.json_schema(allow=[Shift])["$defs"]
    assert known["torchvision/custom.Shift"]["properties"]["args"]["properties"]["amount"]["description"] == (
        "What is added."
    )
    assert "torchvision/custom.Shift" not in mixtransforms.json_schema()["$defs"]


def test_a_class_derived_from_the_hosts() -> None:
    pytest.importorskip("torchvision")
    from torchvision.transforms import v2

    class Crop(v2.RandomCrop):
        pass

    class Erase(v2.RandomErasing):
        pass

    for transform in (Crop(32, padding=(1, 2, 3, 4)), Erase(value="random"), Erase(value=[1.0, 2.0, 3.0])):
        allowed = type(transform)
        again = mixtransforms.from_json(mixtransforms.to_json(transform, allow=allowed), allow=allowed)
        assert type(again) is allowed
        for name in ("padding", "value"):
            assert getattr(again, name, None) == getattr(transform, name, None)


def test_what_was_set_afterwards_is_not_lost_in_silence() -> None:
    pytest.importorskip("torchvision")
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose, MixUp

    class Fit(v2.Transform):
        def __init__(self, k: int = 1) -> None:
            super().__init__()
            self.k = k

    fitted = Fit()
    fitted.mean = 0.5
    with pytest.raises(mixtransforms.ConfigError, match=r"would not come back equal: 'mean'"):
        mixtransforms.to_json(BatchCompose([fitted]), allow=[Fit])
    pipeline = BatchCompose([v2.Identity(), MixUp()])
    pipeline.transforms.insert(0, v2.RandomInvert())
    with pytest.raises(mixtransforms.ConfigError, match="changed behind its pipeline"):
        mixtransforms.to_json(pipeline)
