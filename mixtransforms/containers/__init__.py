"""Containers of values: any nesting of them as a tree, records, and what batches of one structure have in common."""
