"""The Albumentations door: mixing transforms that are true ``albumentations.BasicTransform`` classes."""

try:
    import albumentations as _host  # noqa: F401
except ImportError as reason:
    from mixtransforms.core.errors import missing

    raise missing("albumentations", "albumentations", "mixtransforms.albumentations") from reason

from mixtransforms.albumentations.compose import BatchCompose
from mixtransforms.albumentations.transform import CutMix, MixUp, OneOf, Transform

__all__ = ["BatchCompose", "CutMix", "MixUp", "OneOf", "Transform"]
