"""From a batch in any container to named targets, and the rules of every kind of target, one file a kind."""
