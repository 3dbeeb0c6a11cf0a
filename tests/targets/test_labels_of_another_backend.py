"""Labels follow the images: NumPy labels beside torch images, and back, at every door."""

from typing import Any

import numpy as np
import pytest
from doors import DOORS, NEUTRAL, TORCHVISION, Door

torch = pytest.importorskip("torch", reason="torch is not installed")

SIZE = 6
RNG = np.random.default_rng(0)
IMAGES = RNG.random((SIZE, 8, 8, 3), np.float32)
LABELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "ids": (np.arange(SIZE) % 3, {"num_classes": 3}),
    "small ids": ((np.arange(SIZE) % 3).astype(np.int16), {"num_classes": 3}),
    "pairs": (np.arange(SIZE) % 3, {"labels": "pair"}),
    "rows": (np.eye(3, dtype=np.float32)[np.arange(SIZE) % 3], {}),
    "multilabel": (
        RNG.integers(0, 2, (SIZE, 4)).astype(np.float32),
        {"kinds": {1: "multilabel", "label": "multilabel"}},
    ),
    "regression": (RNG.random(SIZE), {"kinds": {1: "regression", "label": "regression"}}),
    "vectors": (RNG.random((SIZE, 2)), {"kinds": {1: "regression", "label": "regression"}}),
}


def pictures(backend: str) -> Any:
    return IMAGES if backend == "numpy" else torch.from_numpy(IMAGES).movedim(-1, 1)


def host(value: Any) -> Any:
    return [np.asarray(part) for part in value] if isinstance(value, tuple) else np.asarray(value)


@pytest.mark.parametrize("method", ["MixUp", "CutMix"])
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("door", [NEUTRAL, TORCHVISION], ids=str)
def test_as_if_they_had_come_so(door: Door, backend: str, name: str, method: str) -> None:
    labels, options = LABELS[name]
    own = torch.from_numpy(labels)
    same, other = (labels, own) if backend == "numpy" else (own, labels)
    mix = door.transform(method, seed=1, **options)
    wanted = mix.replay(plan := mix.plan(pictures(backend), same), pictures(backend), same)[1]
    for form in (other, list(other)) if labels.ndim == 1 else (other,):
        found = mix.replay(plan, pictures(backend), form)[1]
        assert type(found) is type(wanted)
        for part, right in zip(
            found if isinstance(found, tuple) else [found],
            wanted if isinstance(wanted, tuple) else [wanted],
            strict=True,
        ):
            assert type(part) is type(right), "of the back end of the images"
            np.testing.assert_array_equal(np.asarray(part), np.asarray(right))
    assert np.array_equal(np.asarray(other), labels), "what was given is as it was"


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_gradients_and_halves_of_torch_beside_arrays(door: Door) -> None:
    """What NumPy has no view of is converted as well."""
    kinds = {"label": "regression"}
    for values in (torch.rand(SIZE, requires_grad=True), torch.rand(SIZE).bfloat16()):
        out = door.transform("MixUp", kinds=kinds, p=0.0)(images=IMAGES, label=values)
        np.testing.assert_array_equal(out["label"], values.detach().float().numpy())
