"""Where a version runs: an environment built from its lock, and a caged worker.

    cache.py              finds or builds the environment of a lock, safe against kills
    _interpreters.py      a Python of the wanted version; _building.py: uv, hashes required
    _source_builds.py     building in a cage what the card lets come as source
    _places.py            an environment's folder and its lock; _files.py: what was in it when built
    images.py             the same for containers: the lock's packages upon _base_image.py
    inspect.py            what is installed in one, file by file (_records.py)
    stock.py              what a cache holds, and the removal of what nobody uses
    mlmodel.py            a model folder's MLmodel file, read as data only
    scripts.py            a model's own build script, run in its environment
    tasks.py              other code that is no model, run in a cage

    launching.py          what a worker is launched in, and its limits (a card's come from the card)
    process.py            starts, asks and ends the worker; every failure has a name (_faults.py);
                          _inputs.py: the columns it is asked about
    programs.py           a program in such a cage that is no model; _idle.py: who is to be still
                          while one is timed
    _child.py             the worker on two pipes; _exchange.py: each answer within its time
    _container.py         the worker in a container: _engine.py, _owner.py, _streams.py, _tar.py
    frames.py             how columns cross the pipes: _arrow_frames.py, _plain_frames.py
    _frame_limits.py      how much is believed of what comes back; outputs.py: of scores and labels

    worker.py             the other side: runs inside the model's environment, imports nothing of
                          ours; columns.py, signature.py and explain.py are parts of it;
                          task_worker.py: what it does in place of serving
    cage.py               what it can no longer reach; view.py: what it sees; rights.py: what it
                          gives up; _layers.py: what of this a machine offers, a card insists on
    supervisor.py         the processes above it: they end what it started, and stop it when told
    landlock.py           what it may open, whatever is mounted; system_calls.py: what it may not
                          ask of the kernel

The gate's own process never imports or unpickles a model.
"""
