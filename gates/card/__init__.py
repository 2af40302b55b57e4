"""The model card: a gate's policy, read from its front matter.

policy.py   the keys there are, what each may hold, and its default
card.py     from a file to a valid card; errors name file, line, key and the nearest name
"""
