"""The torchvision door: mixing transforms that are true ``torchvision.transforms.v2.Transform`` classes."""

import importlib
from types import ModuleType

try:
    import torchvision as _host  # noqa: F401
except ImportError as reason:
    from mixtransforms.core.errors import missing

    raise missing("torchvision", "torchvision", "mixtransforms.torchvision") from reason

from mixtransforms import methods
from mixtransforms.torchvision import transform
from mixtransforms.torchvision.compose import BatchCompose
from mixtransforms.torchvision.stages import Otherwise, PerBatch
from mixtransforms.torchvision.transform import Transform

__all__ = ["BatchCompose", "Otherwise", "PerBatch", "Transform"]
__all__ += methods.__all__

globals().update({name: getattr(transform, name) for name in methods.__all__})


def __getattr__(name: str) -> ModuleType:
    if name != "functional":  # loaded when it is first used, as few do
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("mixtransforms.torchvision.functional")
