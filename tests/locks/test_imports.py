"""Imports of the model's code that nothing locked provides."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gates.domain.lock_report import Distribution
from gates.locks.finding import LockFinding
from gates.locks.imports import imports
from gates.locks.markers import target_environment

from .samples import Write

SKLEARN = Distribution("scikit-learn", "1.9.1", modules=("sklearn",))
GOOGLE = Distribution("protobuf", "7", modules=("google",))


def found(code: Path, python: str = "3.11", *installed: Distribution) -> LockFinding:
    held = installed or (SKLEARN, GOOGLE)
    return imports([code], held, target_environment(python))


def names(finding: LockFinding) -> list[str]:
    return [problem.requirement for problem in finding.problems]


def test_an_import_nobody_provides_is_named_with_file_and_line(write: Write) -> None:
    code = write("import os\n\nimport scipy.sparse\n", "model/ranker.py").parent
    finding = found(code)
    assert [p.message for p in finding.problems] == [
        "ranker.py:3 imports scipy, which no locked distribution provides"
    ]
    assert finding.looked_at == 2


@pytest.mark.parametrize(
    "text",
    [
        "import sklearn.pipeline",
        "from sklearn import svm",
        "from google.cloud import x",
        "import json, os.path",
        "from __future__ import annotations",
        "from . import helper",
        "from .. import other",
        "from .missing import x",
        "import helper",
        "import package.inner",
        "import compiled",
        "try:\n    import ujson\nexcept ImportError:\n    ujson = None",
        "try:\n    import ujson\nexcept (ValueError, ModuleNotFoundError):\n    import other",
        "try:\n    import ujson\nexcept:\n    pass\nelse:\n    import ujson.more",
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import ujson",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pandas",
        "import typing\nif typing.TYPE_CHECKING:\n    import pandas",
        "if not TYPE_CHECKING:\n    import json\nelse:\n    import pandas",
        "import sys\nif sys.version_info < (3, 11):\n    import tomli\nelse:\n    import tomllib",
        "import sys\nif sys.version_info >= (3, 12):\n    import new",
    ],
)
def test_an_import_that_needs_no_distribution_is_no_problem(write: Write, text: str) -> None:
    code = write(text, "model/ranker.py").parent
    write("x = 1", "model/helper.py")
    write("x = 1", "model/package/inner.py")
    write("", "model/compiled.cpython-311-x86_64-linux-gnu.so")
    assert names(found(code)) == []


@pytest.mark.parametrize(
    "text",
    [
        "def predict():\n    import pandas",
        "try:\n    import pandas\nexcept ValueError:\n    pass",
        "try:\n    import json\nexcept ImportError:\n    pass\nfinally:\n    import pandas",
        "if TYPE_CHECKING:\n    import x\nelse:\n    import pandas",
        "import sys\nif sys.version_info > (3, 11):\n    import pandas",
        "import sys\nif sys.platform == 'linux':\n    import pandas",
        "match 1:\n    case 1:\n        from pandas.core import frame",
        "import data, pandas",
    ],
)
def test_an_import_that_must_succeed_counts_wherever_it_stands(write: Write, text: str) -> None:
    code = write(text, "model/deep/ranker.py").parents[1]
    write("1,2\n", "model/data/training.csv")
    assert "pandas" in names(found(code))
    if "data" in text:
        assert names(found(code)) == ["data", "pandas"], "a folder of data is no module"


def test_the_standard_library_is_that_of_the_target_python(write: Write) -> None:
    code = write("import cgi, imp, distutils, tomllib\n", "model/ranker.py")
    assert names(found(code, "3.10")) == ["tomllib"]
    assert names(found(code, "3.11")) == []
    setuptools = Distribution("setuptools", "80", modules=("setuptools",))
    if sys.version_info >= (3, 12):
        assert names(found(code, "3.12")) == ["distutils", "imp"]
        assert names(found(code, "3.12", setuptools)) == ["imp"]


def test_a_file_that_does_not_parse_is_a_problem_with_its_line(write: Write) -> None:
    code = write("import os\ndef (:\n", "model/ranker.py").parent
    (problem,) = found(code).problems
    assert problem.kind == "imports"
    assert problem.message == "ranker.py:2 is not valid Python 3.11: invalid syntax"


@pytest.mark.parametrize(
    "content", [b"import os\0\n", b"\xff\xfe\n", b"(" * 5_000, b"x = " + b"-" * 90_000]
)
def test_a_file_no_python_can_read_is_a_problem_not_a_traceback(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "ranker.py").write_bytes(content)
    (problem,) = found(tmp_path).problems
    assert "ranker.py:1 is not valid Python" in problem.message


def test_syntax_that_is_too_new_for_the_target_is_a_problem(write: Write) -> None:
    code = write("match 1:\n    case 1: pass\n", "ranker.py")
    assert "is not valid Python 3.9" in found(code, "3.9").problems[0].message


def test_what_this_python_cannot_parse_may_be_right_for_a_newer_one(write: Write) -> None:
    finding = found(write("this is new syntax\n", "ranker.py"), "3.99")
    assert finding.problems == ()
    assert "cannot parse it, though Python 3.99, which the lock is for, may" in finding.absent


def test_a_warning_in_the_models_code_is_the_models_business(write: Write) -> None:
    assert found(write('x = "\\d"\n', "ranker.py")).problems == ()


def test_environments_and_hidden_folders_are_not_the_models_code(write: Write) -> None:
    code = write("import os\n", "model/ranker.py").parent
    write("import nothing\n", "model/.git/hook.py")
    write("", "model/env/pyvenv.cfg")
    write("import nothing\n", "model/env/lib/x.py")
    assert names(found(code)) == []


def test_a_package_below_a_source_folder_finds_itself(write: Write) -> None:
    code = write("import shop.rank\n", "model/src/shop/main.py").parents[2]
    write("", "model/src/shop/rank.py")
    assert names(found(code)) == []


def test_a_folder_without_code_has_nothing_to_import(tmp_path: Path) -> None:
    assert found(tmp_path) == LockFinding("imports", nothing="there is no Python file to look at")
    (tmp_path / "rank.py").write_text("print(1)\n")
    assert found(tmp_path) == LockFinding("imports", nothing="the Python files import nothing")
