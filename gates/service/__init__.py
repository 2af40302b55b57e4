"""The service: MLflow registry events in, verdicts out, a page to look at. Needs `mlgates[serve]`.

    config      what it is told: addresses, secrets, limits; refuses what is not safe
    store       everything it must not forget, in SQLite or PostgreSQL: deliveries, jobs, leases
    webhook     a delivery: signature, clock, size; stored before it is answered
    intake      from stored deliveries to jobs: which events ask for a gate
    reconciler  the registry read again, for what no webhook told
    work        the durable way of a job: resolve, environments, score, judge, record
    outward     what MLflow and people are told: status tags, promotion, messages
    auth        who asks, and what they may do
    api, pages  the two ways in: JSON, and HTML without a build step
    app         all of it behind one address; `gates serve` starts it

A **job** is one gate that was asked for; people see it as "a gate". The gate itself runs in a
process of its own, as `gates run` does: the service never loads a model, and outlives any gate.
"""
