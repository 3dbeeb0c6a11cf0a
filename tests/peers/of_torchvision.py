"""torchvision: a BatchCompose with a list of one sample in the place of v2.Compose, our mixes in the place of v2's."""

import functools
import importlib
from collections.abc import Sequence
from typing import Any

from adapting import Peer, any_words, found_by_name, keep_for_us, reached
from verdicts import Difference


def adapt() -> None:
    """Puts our classes in the place of torchvision's, wherever tests find them."""
    import torch
    from torchvision.transforms import v2

    from mixtransforms.torchvision import BatchCompose, CutMix, MixUp

    compose: Any = importlib.import_module("mixtransforms.torchvision.compose")
    own, collate = v2.Compose, compose.collate
    collated: list[Any] = []

    def noted(samples: Any, *args: Any) -> Any:
        collated[:] = samples
        return collate(samples, *args)

    compose.collate = noted
    keep_for_us("torchvision.transforms.v2", "v2")

    class OneSample(BatchCompose):
        """A pipeline that is given one sample, as the host's, and hands it over as a list of one."""

        def __init__(self, transforms: Any) -> None:
            reached()
            super().__init__(
                [hosts_own(child) for child in transforms] if isinstance(transforms, Sequence) else transforms
            )

        def forward(self, *inputs: Any) -> Any:
            reached()
            super().forward([inputs if len(inputs) > 1 else inputs[0]])
            return collated[0]  # types and identities are looked at, which a batch of plain tensors has no more

    def hosts_own(transform: Any) -> Any:
        """A pipeline inside another one stays what it is: it is the outermost that users exchange."""
        if isinstance(transform, OneSample):
            return own(list(transform.transforms))
        listed = getattr(transform, "transforms", None)
        if isinstance(listed, (list, torch.nn.ModuleList)):
            for index, child in enumerate(listed):
                listed[index] = hosts_own(child)
        return transform

    def counted(mix: type, **defaults: Any) -> type:
        class Counted(mix):  # type: ignore[misc]
            @functools.wraps(mix.__init__)  # type: ignore[misc]  # options are those of its signature
            def __init__(self, **options: Any) -> None:
                super().__init__(**defaults | options)

            def forward(self, *batch: Any, **named: Any) -> Any:
                reached()
                return super().forward(*batch, **named)

        return found_by_name(Counted, mix.__name__)

    any_words()
    v2.Compose = found_by_name(OneSample, own.__name__)
    v2.CutMix, v2.MixUp = counted(CutMix), counted(MixUp, alpha=1.0)  # torchvision's default is another one


DIFFERENCES = (
    Difference(
        "A list of samples hands every sample over as one value",
        r"test_packed_unpacked\[True-",
        "DID NOT RAISE TypeError|missing 1 required positional argument",
    ),
    Difference(
        "A callable that takes image and label apart gets them apart",
        r"test_packed_unpacked\[False-wrapped_transform_clss[2579]-",
        "DID NOT RAISE TypeError",
    ),
    Difference("A batch has images", "test_pipeline_no_leak", "Nothing to mix"),
    Difference(
        "Labels belong to one set of boxes", "test_compose|test_random_order", "Two sets of boxes in one container"
    ),
    Difference("An empty list collates", "test_errors", "DID NOT RAISE ValueError"),
    Difference("Batches are plain tensors, whatever single samples were", "test_detection_preset", "assert False"),
)

PEER = Peer(
    ("test/test_transforms_v2.py",),
    adapt,
    DIFFERENCES,
    chosen="ContainerTransforms or CutMixMixUp or preset or pipeline",
    needs=("torchvision", "PIL"),
)
