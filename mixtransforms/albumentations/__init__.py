"""The Albumentations door: mixing transforms that are true ``albumentations.BasicTransform`` classes."""

try:
    import albumentations as _host  # noqa: F401
except ImportError as reason:
    from mixtransforms.core.errors import missing

    raise missing("albumentations", "albumentations", "mixtransforms.albumentations") from reason

from mixtransforms import methods
from mixtransforms.albumentations import transform
from mixtransforms.albumentations.compose import BatchCompose
from mixtransforms.albumentations.stages import Otherwise, PerBatch
from mixtransforms.albumentations.transform import Transform

__all__ = ["BatchCompose", "Otherwise", "PerBatch", "Transform"]
__all__ += methods.__all__

globals().update({name: getattr(transform, name) for name in methods.__all__})
