"""Transforms, pipelines, plans and schedules as HTML."""
