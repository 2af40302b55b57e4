"""Artifacts: what is in a model's files, told without loading any of them.

`scan.py` walks a model folder. `_layers.py` knows files by their content, whatever their names say,
and looks into archives and compressed files. `_pickles.py` follows a pickle's opcodes without
doing what they say; `_joblib.py` knows the arrays that joblib writes between them; `_globals.py`
says what it means to name or call each thing that a pickle imports.

`trees.py` reads what the trees of LightGBM and XGBoost split on and what it gained, from the model
files that are no pickles.
"""
