"""Pipelines as data: any pipeline of either host to JSON and back.

A file is an envelope around one tree of nodes ``{"type", "args", "children"}``::

    {"format": "mixtransforms/pipeline", "format_version": 2, "host": "torchvision",
     "written_with": {"mixtransforms": "0.1.0", "torchvision": "0.29.2"},
     "pipeline": {"type": "mixtransforms.BatchCompose", "args": {"seed": 7}, "children": [
         {"type": "torchvision.RandomHorizontalFlip", "args": {"p": 0.5}},
         {"type": "mixtransforms.CutMix", "args": {"alpha": 1.0, "num_classes": 10}}]}}

Types are looked up in closed tables; nothing is imported or called because of a name in a file. Every pipeline is
rebuilt and compared before it is written, and again after it was read.
"""

from mixtransforms.files.document import from_dict, from_json, to_dict, to_json
from mixtransforms.files.editors import json_schema
from mixtransforms.files.fingerprints import fingerprint
from mixtransforms.files.storage import check, load, save

__all__ = ["check", "fingerprint", "from_dict", "from_json", "json_schema", "load", "save", "to_dict", "to_json"]
