"""Randomness: keys of draws, streams of keys, and the processes that share them."""
