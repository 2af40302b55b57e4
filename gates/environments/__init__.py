"""Where a model version runs: an environment built from its own lock, and a worker process in it.

    cache.py     finds or builds the environment of a lock (uv, hashes required, safe against kills)
    images.py    the same for containers: the lock's packages as an image upon a base image
    mlmodel.py   reads a model folder's MLmodel file, as data only
    process.py   starts, asks and ends the worker; every failure is a ModelFault with a name
    frames.py    how columns cross the pipes, and how little the gate believes of what comes back
    outputs.py   what scores and labels must look like
    launching.py what both kinds of environment share: limits, and how a worker is launched
    worker.py    the other side: runs inside the model's environment and imports nothing of ours

The gate's own process never imports or unpickles a model.
"""
