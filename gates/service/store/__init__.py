"""Everything the service must not forget: deliveries, jobs, their journals, leases, ended sessions.

schema.py     the tables, alike in SQLite and PostgreSQL; database.py opens them
values.py     jobs and deliveries as values
inbox.py      deliveries, each taken in once
jobs.py       jobs: asked for, begun, told of, ended, found again
leases.py     what only one host may do at a time
sessions.py   sessions that were ended before their time
"""
