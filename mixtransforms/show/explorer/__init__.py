"""The explorer of notebooks."""
