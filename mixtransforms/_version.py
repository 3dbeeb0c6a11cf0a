"""The version, where both the build and the files that are written find it."""

__version__ = "0.1.0"
