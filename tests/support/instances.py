"""Instances as a mixed sample shows them, with what is hidden taken from their masks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mixtransforms.core.compositing import Contributions
from mixtransforms.objects import instance_masks
from mixtransforms.objects.boxes import BoxRules, SeenObjects


def see_masks(part: Contributions, masks: NDArray[Any], rules: BoxRules) -> SeenObjects:
    """What one source's instances become in one sample of the result, masks as they are written."""
    seen, cuts = instance_masks.see_masks(part, masks, rules)
    assert seen.masks is not None
    if not any(cuts):  # as it came, where nothing is hidden
        return seen
    written = np.empty_like(seen.masks)
    for out, mask, cut in zip(written, seen.masks, cuts, strict=True):
        instance_masks.write_mask(out, mask, cut)
    return seen._replace(masks=written)
