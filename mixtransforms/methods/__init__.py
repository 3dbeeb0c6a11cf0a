"""The mixing methods, one a file. Importing this package imports all files of its folder, and so registers them."""

import importlib
import pkgutil

from mixtransforms.methods.registry import METHODS

for _name in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{_name}")

__all__ = list(METHODS)  # of the package alone: users' own methods are registered later

globals().update(METHODS)
