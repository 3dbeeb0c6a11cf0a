"""Figures of methods and schedules."""
