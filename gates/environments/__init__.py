"""Where a version runs: an environment built from its lock, and a caged worker.

    cache.py     finds or builds the environment of a lock (uv, hashes required, safe against kills)
    images.py    the same for containers: the lock's packages as an image upon a base image
    inspect.py   what is installed in one, and which installed files are not what they were
    stock.py     what a cache holds, and the removal of what nobody uses
    mlmodel.py   reads a model folder's MLmodel file, as data only
    launching.py what a worker is launched in, and under which limits
    process.py   starts, asks and ends the worker; every failure is a ModelFault with a name
    scripts.py   runs a model's own build script in its environment
    frames.py    how columns cross the pipes, and how little the gate believes of what comes back
    outputs.py   what scores and labels must look like
    worker.py    the other side: runs inside the model's environment and imports nothing of ours;
                 `cage.py`, `view.py`, `columns.py` and `explain.py` are parts of it

The gate's own process never imports or unpickles a model.
"""
