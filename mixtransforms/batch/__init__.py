"""Reading a batch: which value is what, collation of samples, and what a batch is known by."""
