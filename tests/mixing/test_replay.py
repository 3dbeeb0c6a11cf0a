"""Plans of other methods on a transform: what a plan does decides, and not what the transform's own method would."""

import numpy as np
import pytest

from mixtransforms import BatchSpec, Boxes, CutMix, InputError, Layer, MixUp, Plan

IMAGES = np.random.default_rng(0).random((4, 8, 8, 3), np.float32)
MASKS = np.broadcast_to(np.array([0, 10, 20, 200], np.uint8)[:, None, None], (4, 8, 8)).copy()
BATCH = {"image": IMAGES, "mask": MASKS}


@pytest.mark.parametrize("masks", ["pair", "dominant", "soft"])
def test_a_blend_on_a_transform_that_pastes_is_that_of_one_that_blends(masks):
    options = {"masks": masks, "num_classes": 201}
    mix = MixUp(alpha=50.0, seed=0, **options)
    plan = mix.plan(BATCH)
    wanted, got = mix.replay(plan, BATCH), CutMix(**options).replay(plan, BATCH)
    assert wanted.keys() == got.keys()
    for name, value in wanted.items():
        np.testing.assert_array_equal(got[name], value)
    if masks != "soft":
        assert set(np.unique(got["mask"])) <= {0, 10, 20, 200}


def test_ids_are_not_blended_where_mixing_is_switched_off():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    door = pytest.importorskip("mixtransforms.torchvision", reason="torchvision is not installed")
    mix = door.MixUp(seed=0)
    plan = mix.plan(torch.rand(4, 3, 8, 8))
    ids = torch.arange(768).reshape(4, 3, 8, 8)
    assert torch.equal(mix.eval()(ids), ids)
    with pytest.raises(InputError, match="These values cannot be blended"):
        mix.replay(plan, ids)


def test_a_region_is_not_pasted_on_padded_images():
    plan = Plan(BatchSpec(2, (8, 8)), (Layer([0], [1], 1.0, Boxes([[0, 0]], [[8, 4]])),))
    with pytest.raises(InputError, match=r"Images of different sizes .*could lie in the padding"):
        MixUp(pad="max").replay(plan, {"image": [np.ones((8, 8, 3)), np.ones((4, 8, 3))]})


def test_misspelt_labels_beside_a_declared_table():
    with pytest.raises(InputError, match="labls"):
        MixUp(kinds={"features": "table"}, num_classes=3)(
            {"features": np.zeros((3, 4), np.float32), "labls": [0, 1, 2]}
        )
