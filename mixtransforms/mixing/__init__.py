"""From a method to a transform: options, verbs, pipelines and epochs; what all three doors share."""
