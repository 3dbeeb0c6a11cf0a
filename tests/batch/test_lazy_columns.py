"""Columns that are read when they are asked for, as those of datasets, are no arrays: one message at every door."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import mixtransforms

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)


class Column(Sequence[Any]):
    """A column that is read item by item."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: Any) -> Any:
        return self._values[index]


def doors() -> dict[str, Any]:
    return {
        "mixtransforms": mixtransforms.CutMix,
        "torchvision": lambda **options: pytest.importorskip("mixtransforms.torchvision").CutMix(**options),
        "albumentations": lambda **options: pytest.importorskip("mixtransforms.albumentations").CutMix(**options),
    }


@pytest.mark.parametrize("door", doors())
@pytest.mark.parametrize("name", ["image", "label"])
def test_lazy_columns_lead_to_lists(door: str, name: str) -> None:
    """The message names the column and what it is; done as it says, the batch is mixed."""
    options = {} if door == "albumentations" else {"layout": "BHWC"}
    mix = doors()[door](num_classes=4, **options)
    given: dict[str, Any] = {"image": list(IMAGES), "label": [0, 1, 2, 3]}
    lazy = given | {name: Column(given[name])}
    with pytest.raises(
        mixtransforms.InputError, match=rf"batch\['{name}'\]\): got Column|got Column at batch\['{name}'\]"
    ):
        mix(**lazy) if door == "albumentations" else mix(lazy)
    done = lazy | {name: list(lazy[name])}
    out = mix(**done) if door == "albumentations" else mix(done)
    assert out["label"].shape == (4, 4)
