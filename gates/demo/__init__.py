"""The demo: a synthetic shop, two models, and four versions that a gate tells apart."""
