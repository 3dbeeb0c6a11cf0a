"""The torchvision door: mixing transforms that are true ``torchvision.transforms.v2.Transform`` classes."""

try:
    import torchvision as _host  # noqa: F401
except ImportError as reason:
    from mixtransforms.core.errors import missing

    raise missing("torchvision", "torchvision", "mixtransforms.torchvision") from reason

from mixtransforms.torchvision.compose import BatchCompose
from mixtransforms.torchvision.transform import CutMix, MixUp, OneOf, Transform

__all__ = ["BatchCompose", "CutMix", "MixUp", "OneOf", "Transform"]
