"""The idea, without arrays or hosts: specs, plans, methods, pairing, keys. NumPy and the standard library only."""
