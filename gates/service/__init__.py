"""The service: MLflow's events in, verdicts out, pages and an API. Needs `mlgates[serve]`.

    server.py       `gates serve`: started in its order, stopped in the other
    config.py       what it is told, refused where it is not safe; options.py: flag or variable
    app.py          one address: api.py answers in JSON, pages/ in HTML
    connections.py  bounded in number, and in the time a request may take
    door.py         without a caller nothing is reached; auth.py: who asks, what they may do
    tries.py        wrong tokens are slowed; repeats.py: one log line for a flood
    receiving.py    deliveries stored before they are answered; webhook.py: what they say
    store/          everything it must not forget, in SQLite or PostgreSQL
    intake.py       from stored deliveries to jobs: which events ask for a gate
    reconciler.py   the registry read again, for what no webhook told, and for champions set past
                    the gate (guarding.py)
    work.py         the durable way of a job; steps.py: its steps; claims.py: one job an artifact
    processes.py    a process a gate: running.py watches it, child.py is it
    outward.py      what MLflow and people are told; promoting.py: where the card asks for it
    context.py      what every part is given
    all_gates.py    its gates and those that ran elsewhere (recorded.py), in one list
    last_seen.py    the registry as it was seen last, for pages
    kept_files.py   what a gate left, here or in MLflow
    loops.py        work done again and again; metrics.py: numbers for Prometheus

A **job** is one gate that was asked for; people see it as "a gate". The gate itself runs in a
process of its own, as `gates run` does: the service never loads a model, and outlives any gate.
"""
