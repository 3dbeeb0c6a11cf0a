"""Figures of batches."""
