"""The model card: a gate's policy, read from its front matter."""
