"""luxonis-ml: it draws boxes and weights for two samples, and our plan mixes images, masks, boxes and keypoints by them.

What it resizes first, samples of two sizes, stays its own.
"""

import importlib
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from adapting import Peer, on_path, reached
from verdicts import Difference

FOLDER = "tests/test_data/test_augmentations"


def adapt() -> None:
    """Lets CutMix and MixUp mix by our plans."""
    custom = "luxonis_ml.data.augmentations.custom"
    CutMix = importlib.import_module(f"{custom}.cutmix").CutMix
    MixUp = importlib.import_module(f"{custom}.mixup").MixUp

    import mixtransforms
    from mixtransforms import BoxRules
    from mixtransforms.plan import BatchSpec, Boxes, Layer, Plan

    def one(opacity: float, region: Any = None) -> Layer:
        """The second sample on the first."""
        return Layer(np.array([0]), np.array([1]), np.array([opacity]), region)

    def patch(shape: Any, params: dict[str, Any]) -> Plan:
        corners = [[params[name]] for name in ("y1", "x1", "y2", "x2")]
        inside = Boxes(np.array(corners[:2], np.int64).T, np.array(corners[2:], np.int64).T)
        return Plan(BatchSpec(2, tuple(shape)), (one(1.0, inside),))

    def painted(own: Any) -> Any:
        """Images and masks of one shape; anything else is the peer's own affair."""

        def apply(self: Any, arrays: Sequence[Any], image_shapes: Any, **params: Any) -> Any:
            first, second = map(np.asarray, arrays)
            if first.shape != second.shape or not first.size or first.shape[:2] != tuple(image_shapes[0]):
                return own(self, arrays, image_shapes, **params)
            reached()
            after = patch(first.shape[:2], params).apply(np.stack([first, second]).reshape(2, *first.shape[:2], -1))
            return after[0].reshape(first.shape)

        return apply

    def blended(own: Any) -> Any:
        def apply(self: Any, arrays: Sequence[Any], image_shapes: Any, alpha: float, **params: Any) -> Any:
            first, second = map(np.asarray, arrays)
            if first.shape != second.shape or first.ndim != 3:
                return own(self, arrays, image_shapes, alpha=alpha, **params)
            reached()
            plan = Plan(BatchSpec(2, first.shape[:2]), (one(1 - alpha),))
            return plan.apply(np.stack([first, second]))[0]

        return apply

    def boxed(own: Any) -> Any:
        """Rows that are not kept become empty boxes, which the peer removes later."""

        def apply(self: Any, arrays: Sequence[Any], image_shapes: Any, **params: Any) -> Any:
            if image_shapes[0] != image_shapes[1] or not any(np.size(array) for array in arrays):
                return own(self, arrays, image_shapes, **params)
            reached()
            height, width = image_shapes[0]
            scale = np.array([width, height, width, height])
            columns = max(np.shape(array)[1] for array in arrays if np.size(array))
            rows = [np.asarray(array, np.float64).reshape(-1, columns) for array in arrays]
            counts = np.cumsum([0, *map(len, rows)])
            rules = BoxRules(
                self._bbox_min_visibility,
                occluded={"clip": "shrink", "keep": "keep"}[self._occluded_bbox_strategy],
                min_size=0,
                min_area=0,
                fields=("row",),
                format="xyxy",
            )
            after = mixtransforms.CutMix(1.0, boxes=rules).replay(
                patch((height, width), params),
                {
                    "image": np.zeros((2, height, width, 1), np.uint8),
                    "boxes": [array[:, :4] * scale for array in rows],
                    "row": [np.arange(*pair) for pair in itertools.pairwise(counts)],
                },
            )
            result = np.concatenate(rows)
            result[:, :4] = 0
            result[np.asarray(after["row"][0], np.int64), :4] = np.asarray(after["boxes"][0]) / scale
            return result

        return apply

    CutMix.apply, CutMix.apply_to_mask = painted(CutMix.apply), painted(CutMix.apply_to_mask)
    CutMix.apply_to_bboxes, MixUp.apply = boxed(CutMix.apply_to_bboxes), blended(MixUp.apply)


DIFFERENCES = (
    Difference("min_visibility holds for boxes that are brought, too", r"test_cutmix_bboxes(_strict_visibility)?$"),
    Difference("A box that is wholly covered is dropped", "test_cutmix_bboxes_min_visibility_keeps_all"),
    Difference("A hole inside a box leaves it whole", "test_cutmix_bboxes_clip_picks_the_largest_remaining_side"),
)

PEER = Peer(
    tuple(
        f"{FOLDER}/test_{name}.py" for name in ("cutmix", "mixup", "batched", "label_combinations", "nested_transforms")
    ),
    adapt,
    DIFFERENCES,
    prepare=on_path,
    needs=("albumentations", "pytest_subtests", "loguru", "cyclopts"),
)
