"""The demo: a synthetic shop, three models, and versions of each that a gate tells apart."""
