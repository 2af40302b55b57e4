"""`python -m docsite FOLDER`."""

import sys
from pathlib import Path

from docsite.build import build

if len(sys.argv) != 2:
    sys.exit("usage: python -m docsite FOLDER")
sys.exit(build(Path(sys.argv[1])))
