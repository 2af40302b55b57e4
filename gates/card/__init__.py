"""The model card: a gate's policy, read from its front matter.

policy.py   the keys there are, what each may hold, and its default
waiving.py  waivers: each of one thing, for a while
card.py     from a file to a valid card; errors name file, line, key and the nearest name
"""
