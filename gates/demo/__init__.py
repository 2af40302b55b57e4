"""`gates demo`: a synthetic shop, three models, and versions that a gate tells apart.

tour.py           the demo through the real commands, one after the other
shop.py           golden sets and training logs of the shop, from _world.py, _features.py,
                  _vocabulary.py, _titles.py and _sampling.py
variants/         what is changed in each version's source
"""
