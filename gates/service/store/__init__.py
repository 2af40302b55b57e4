"""Everything the service must not forget: deliveries, jobs, their journals, and leases.

    values     what a job and a delivery are
    schema     the tables
    jobs       jobs: asked for, begun, told of, ended, found again
    inbox      deliveries: taken once, read later
    leases     who may do something that only one may do at a time
    database   an engine for SQLite or PostgreSQL, its tables made when missing

Every method is one transaction, safe beside other threads, processes and hosts.
"""
