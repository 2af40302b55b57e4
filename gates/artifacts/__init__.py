"""Artifacts: what is in a model's files, told without loading any of them.

scan.py       a model folder, walked: start here
_layers.py    files by their content, whatever their names say; archives are looked into
_pickles.py   a pickle's opcodes, followed without doing what they say
_machine.py   the stack machine they work on; _tape.py and _values.py are what it works with
_joblib.py    the arrays that joblib writes between the opcodes
_packed.py    bytes that a pickle makes of texts, or hands to a loader
_globals.py   what it means to name or call each thing that a pickle imports: the lists are in
              _names.py, what only computes in _pure.py
_formats.py   every other format that is looked into: Python and byte code (_source.py), MLmodel
              (_loading.py), Keras, skops, templates (_configs.py), ONNX (_onnx.py); what these
              are given and hand back is in _found.py
second_opinion.py  the worse of the above and modelaudit, where that is installed
trees.py      what the trees of LightGBM and XGBoost split on, and what it gained, from files
              that are no pickles: _lightgbm.py, _xgboost.py, _ubjson.py, _forest.py
"""
