"""The ground: commands, files, JSON, YAML, locks, retries and signals.

commands.py         a program run to its end: time limited, nothing left behind
installers.py       uv and pip, as the gate starts them
files.py            files written whole or not at all
json_files.py       JSON read back: a checked value, or one kind of error
strict_yaml.py      YAML that people write: an error says file, line, key, nearest name
yaml_values.py      any YAML, with a bound on what its aliases stand for
table.py            rows of one file, as columns whose errors name lines
arrow_numbers.py    Arrow numbers as NumPy arrays
http.py             HTTP and nothing else, without redirects
file_locks.py       locks between processes and threads
cached_folders.py   folders of a cache, held while they are used
retrying.py         how often something is tried, and the pauses between
interruption.py     signals that cannot be lost
sizes.py            `20GB` and `30d`
"""
