"""kornia: it draws pairs, weights and boxes, our plans paint, and our measured shares are what labels get."""

from typing import Any

from adapting import Peer, reached


def adapt() -> None:
    """Lets RandomMixUpV2 and RandomCutMixV2 paint by our plans."""
    import torch
    from kornia.augmentation import RandomCutMixV2, RandomMixUpV2
    from painting import blend, paste

    def mixed_up(self: Any, images: Any, params: Any, flags: Any = None) -> Any:
        reached()
        return plan_of_mixup(params, images.shape[2:]).apply(images)

    def plan_of_mixup(params: Any, shape: Any) -> Any:
        return blend(params["mixup_pairs"], 1 - params["mixup_lambdas"].double(), shape)

    def cut(self: Any, images: Any, params: Any, flags: Any = None) -> Any:
        reached()
        return plan_of_cutmix(params, images.shape[2:]).apply(images)

    def plan_of_cutmix(params: Any, shape: Any) -> Any:
        corners = params["crop_src"].round().long().flip(-1)  # (n, B, 4, 2), x before y, both ends inside
        start, stop = corners[:, :, 0], corners[:, :, 2] + 1  # an empty box ends before it begins
        return paste(params["mix_pairs"], start.minimum(stop), stop, shape)

    def rows(labels: Any, partner: Any, weight: Any, kind: Any) -> Any:
        return torch.stack([labels.to(kind), labels[partner].to(kind), torch.as_tensor(weight).to(kind)], -1)

    def labels_of_mixup(self: Any, labels: Any, params: Any, flags: Any = None) -> Any:
        reached()
        plan = plan_of_mixup(params, (1,))
        partner = params["mixup_pairs"]
        alone = torch.as_tensor(plan.partner) == torch.arange(len(labels))
        weight = torch.where(alone & (partner != torch.arange(len(labels))), 1.0, torch.as_tensor(plan.weight))
        return rows(labels, partner, 1 - weight, dtype_of(params))

    def labels_of_cutmix(self: Any, labels: Any, params: Any, flags: Any = None) -> Any:
        reached()
        shape = [int(length) for length in params["image_shape"]]
        made = []
        for partner, crop in zip(params["mix_pairs"], params["crop_src"], strict=True):
            plan = plan_of_cutmix({"mix_pairs": partner[None], "crop_src": crop[None]}, shape)
            corners = plan.layers[0].region.volume / (shape[0] * shape[1])
            made.append(rows(labels, partner, 1 - corners if self.use_correct_lambda else corners, dtype_of(params)))
        return torch.stack(made)

    def dtype_of(params: Any) -> Any:
        from kornia.constants import DType

        return DType.to_torch(int(params["dtype"].item()))

    RandomMixUpV2.apply_transform, RandomMixUpV2.apply_transform_class = mixed_up, labels_of_mixup
    RandomCutMixV2.apply_transform, RandomCutMixV2.apply_transform_class = cut, labels_of_cutmix


PEER = Peer(
    ("tests/augmentation/test_augmentation_mix.py", "tests/augmentation/container/test_augmentation_sequential.py"),
    adapt,
    options=("--runslow",),
    chosen="MixUp or CutMix or mixup or Mix",
    needs=("kornia",),
)
