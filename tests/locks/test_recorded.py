"""Versions written into a model's files, found without loading the model.

`models/` holds what XGBoost and LightGBM really wrote; scikit-learn and joblib write here.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest
import sklearn
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gates.locks.finding import LockFinding
from gates.locks.markers import target_environment
from gates.locks.recorded import recorded

from .samples import SHA, Locked

MODELS = Path(__file__).parent / "models"
MINE = sklearn.__version__


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


@pytest.fixture
def against(locked: Locked, model: Path) -> Callable[..., LockFinding]:
    """What the model says against a lock of these pins, `name==version`."""

    def finding(*pins: str, python: str = "3.11") -> LockFinding:
        lock = locked("".join(f"{pin} {SHA}\n" for pin in pins))
        return recorded(lock.requirements, model, target_environment(python))

    return finding


def pipeline() -> object:
    rows = [[float(at), 1.0 / (1 + at)] for at in range(20)]
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(
        rows, [at > 9 for at in range(20)]
    )


def mlmodel(folder: Path, **flavours: dict[str, object]) -> None:
    raw = {"mlflow_version": "3.17.2", "flavors": flavours}
    (folder / "MLmodel").write_text(yaml.safe_dump(raw))


def messages(finding: LockFinding) -> list[str]:
    return [problem.message for problem in finding.problems]


Against = Callable[..., LockFinding]


def test_the_mlmodel_must_say_what_is_locked(model: Path, against: Against) -> None:
    mlmodel(
        model,
        python_function={"python_version": "3.11.7", "cloudpickle_version": "3.1.2"},
        sklearn={"sklearn_version": "1.9.1", "serialization_format": "skops"},
        pytorch={"pytorch_version": "2.9.0+cu128"},
        tensorflow={"keras_version": "2.20.0"},
        ours={"pandas_version": "3.1.1", "model_version": "7"},
    )
    agreeing: tuple[str, ...] = ("mlflow-skinny==3.17.2", "scikit-learn==1.9.1", "torch==2.9.0")
    agreeing += ("cloudpickle==3.1.2", "tensorflow-cpu==2.20.0", "pandas==3.1.1")
    assert (against(*agreeing).problems, against(*agreeing).looked_at) == ((), 7)
    function = "MLmodel, python_function"
    differing = ("mlflow==3.17.1", "scikit-learn==1.8.0", "torch==2.9.1", "pandas==3")
    assert messages(against(*differing, python="3.12")) == [
        "MLmodel, mlflow_version says mlflow 3.17.2, but the lock pins 3.17.1",
        "MLmodel, ours.pandas_version says pandas 3.1.1, but the lock pins 3",
        f"{function}.cloudpickle_version says cloudpickle 3.1.2, which the lock does not pin",
        f"{function}.python_version says Python 3.11.7, but the lock is for Python 3.12",
        "MLmodel, pytorch.pytorch_version says torch 2.9.0+cu128, but the lock pins 2.9.1",
        "MLmodel, sklearn.sklearn_version says scikit-learn 1.9.1, but the lock pins 1.8.0",
        "MLmodel, tensorflow.keras_version says tensorflow 2.20.0, which the lock does not pin",
    ]


def test_mlflow_itself_needs_not_be_locked(model: Path, against: Against) -> None:
    mlmodel(model, python_function={"python_version": "3.11.7"})
    (model / "requirements.txt").write_text("mlflow==3.17.2\n")
    assert (against("six==1").problems, against("six==1").looked_at) == ((), 1)


def test_a_problem_has_the_line_of_the_pin(model: Path, against: Against) -> None:
    mlmodel(model, lightgbm={"lgb_version": "4.6.0"})
    (problem,) = against("idna==3", "lightgbm==4.7.0").problems
    assert (problem.kind, problem.requirement, problem.line) == ("recorded", "lightgbm", 2)


def test_of_mlflows_own_requirements_what_is_pinned_counts(model: Path, against: Against) -> None:
    (model / "requirements.txt").write_text(
        "--extra-index-url https://example.org\npandas==3.1.1\nnumpy>=2\nscipy==1.*\n"
        "xgboost==3.2.0\nold==1 ; python_version < '3'\nhere @ file:///x.whl\nplotly==6\n"
    )
    finding = against("pandas==3.1.0", "numpy==1", "scipy==2", "xgboost-cpu==3.2.0")
    assert messages(finding) == [
        "requirements.txt:2 says pandas 3.1.1, but the lock pins 3.1.0",
        "requirements.txt:8 says plotly 6, which the lock does not pin",
    ]
    assert finding.looked_at == 3


def test_what_built_the_model_needs_not_be_locked_but_must_not_differ(
    model: Path, against: Against
) -> None:
    env = {"python": "3.10.4", "build_dependencies": ["pip==25.0", "wheel"], "dependencies": []}
    (model / "python_env.yaml").write_text(yaml.safe_dump(env))
    wrong = "python_env.yaml says Python 3.10.4, but the lock is for Python 3.11"
    assert messages(against("six==1")) == [wrong]
    assert messages(against("pip==26.0")) == [
        wrong,
        "python_env.yaml:1 says pip 25.0, but the lock pins 26.0",
    ]


@pytest.mark.parametrize("protocol", range(6))
def test_the_version_in_a_pickle_is_found_in_every_protocol(
    model: Path, against: Against, protocol: int
) -> None:
    (model / "model.pkl").write_bytes(pickle.dumps(pipeline(), protocol=protocol))
    assert against(f"scikit-learn=={MINE}").looked_at == 1
    assert messages(against("scikit-learn==1.2.3")) == [
        f"model.pkl says scikit-learn {MINE}, but the lock pins 1.2.3"
    ]


@pytest.mark.parametrize("compress", [0, "zlib", "gzip", "bz2", "lzma", "xz"])
def test_the_version_in_a_joblib_file_is_found_however_it_is_packed(
    model: Path, against: Against, compress: int | str
) -> None:
    folder = model / "data"
    folder.mkdir()
    packing = (compress, 3) if isinstance(compress, str) else compress
    joblib.dump([pipeline(), bytes(3 << 20)], folder / "pipeline.joblib", compress=packing)
    assert messages(against("scikit-learn==1.2.3")) == [
        f"data/pipeline.joblib says scikit-learn {MINE}, but the lock pins 1.2.3"
    ]


def test_the_version_far_into_a_large_pickle_is_found(model: Path, against: Against) -> None:
    # Every offset of the mark against the pieces in which the file is read.
    for before in range((1 << 20) - 60, (1 << 20) + 4, 7):
        content = pickle.dumps([bytes(before), pipeline()], protocol=4)
        (model / "model.pkl").write_bytes(content)
        assert len(messages(against("scikit-learn==1.2.3"))) == 1, before


def test_a_model_of_an_older_scikit_learn_is_told(model: Path, against: Against) -> None:
    old = pickle.dumps(pipeline(), protocol=4).replace(
        b"\x8c" + bytes([len(MINE)]) + MINE.encode(), b"\x8c\x071.2.dev"
    )
    (model / "model.pkl").write_bytes(old)
    assert messages(against(f"scikit-learn=={MINE}")) == [
        f"model.pkl says scikit-learn 1.2.dev, but the lock pins {MINE}"
    ]


def test_nothing_is_unpickled(model: Path, against: Against, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    (model / "model.pkl").write_bytes(pickle.dumps([Trap(), pipeline()]))
    assert len(messages(against("scikit-learn==1.2.3"))) == 1
    assert not (tmp_path / "sprung").exists()


def test_a_skops_file_says_both_versions(model: Path, against: Against) -> None:
    text = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode"}
    content = {"_sklearn_version": {**text, "content": json.dumps("1.9.1"), "is_json": True}}
    schema = {"content": content, "protocol": 2, "_skops_version": "0.16.0"}
    with zipfile.ZipFile(model / "model.skops", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", json.dumps(schema, indent=2))
    assert messages(against("scikit-learn==1.9.0", "skops==0.15")) == [
        "model.skops/schema.json says scikit-learn 1.9.1, but the lock pins 1.9.0",
        "model.skops/schema.json says skops 0.16.0, but the lock pins 0.15",
    ]


@pytest.mark.parametrize("name", ["xgboost-3.2.0.json", "xgboost-3.2.0.ubj"])
@pytest.mark.parametrize("wrapped", [False, True])
def test_xgboost_must_be_the_very_release(
    model: Path, against: Against, name: str, wrapped: bool
) -> None:
    content = (MODELS / name).read_bytes()
    path = model / ("model.pkl" if wrapped else name)
    path.write_bytes(pickle.dumps(bytearray(content)) if wrapped else content)
    assert against("xgboost-cpu==3.2.0").looked_at == 1
    assert against("xgboost==3.2.0.post1").problems == ()
    assert messages(against("xgboost-cpu==3.2.1")) == [
        f"{path.name} says xgboost 3.2.0, but the lock pins xgboost-cpu 3.2.1"
    ]


def test_other_json_with_a_version_is_not_xgboosts(model: Path, against: Against) -> None:
    (model / "config.json").write_text('{"version": [1, 2, 3]}')
    mlmodel(model, python_function={"python_version": "3.11.7"})
    assert (against("six==1").problems, against("six==1").looked_at) == ((), 1)


@pytest.mark.parametrize(
    ("generation", "right", "wrong"),
    [("v2", "2.2.3", "2.3.0"), ("v3", "3.3.5", "4.0.0"), ("v4", "4.7.0", "3.3.5")],
)
def test_lightgbm_must_be_of_the_generation_that_wrote_the_text(
    model: Path, against: Against, generation: str, right: str, wrong: str
) -> None:
    text = (MODELS / "lightgbm-4.7.0.txt").read_text()
    (model / "model.lgb").write_text(text.replace("version=v4", f"version={generation}"))
    assert against(f"lightgbm=={right}").problems == ()
    (message,) = messages(against(f"lightgbm=={wrong}"))
    assert message.startswith(f"model.lgb says lightgbm {generation} (lightgbm")
    assert message.endswith(f"writes that), but the lock pins {wrong}")


def test_a_generation_nobody_has_seen_says_nothing(model: Path, against: Against) -> None:
    (model / "model.lgb").write_text("tree\nversion=v9\n")
    absent = against("lightgbm==4.7.0").absent
    assert absent.startswith("no file of the model says which versions it was made with")


DAMAGED = {
    "not YAML": ("MLmodel", b"a: [", "MLmodel is not valid YAML: ParserError"),
    "not a mapping": ("MLmodel", b"- 1\n", "MLmodel is not a YAML mapping"),
    "not text": ("MLmodel", b"\xff\xfe", "MLmodel is not valid YAML: UnicodeDecodeError"),
    "too large": ("MLmodel", b"#" * ((16 << 20) + 1), "MLmodel: it is larger than 16 MiB"),
    "control": ("requirements.txt", b"a==1\x0b", "requirements.txt: it holds the control char"),
    "lz4": ("m.joblib", b"\x04\x22\x4d\x18rest", "m.joblib is packed with LZ4"),
    "cut zip": ("m.skops", b"PK\x03\x04rest", "m.skops cannot be read: File is not a zip file"),
    "cut bz2": ("m.pkl", b"BZh91AY&SYrest", "m.pkl cannot be read: it is cut short"),
    "cut zlib": ("m.pkl", b"x^\x8d", "m.pkl cannot be read: it is cut short"),
    "no zlib": ("m.pkl", b"x^2 + 1", "m.pkl cannot be read: Error -3"),
}


@pytest.mark.parametrize(("name", "content", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_a_file_that_cannot_be_read_leaves_the_answer_open(
    model: Path, against: Against, name: str, content: bytes, reason: str
) -> None:
    (model / "python_env.yaml").write_text("python: 3.11.7\n")
    (model / name).write_bytes(content)
    finding = against("six==1")
    assert finding.problems == ()
    assert finding.absent.startswith(reason)
    # What is wrong is told all the same.
    assert len(against("six==1", python="3.12").problems) == 1


def test_text_that_begins_like_a_packed_file_is_no_trouble(model: Path, against: Against) -> None:
    (model / "note.txt").write_text("x^2 is a parabola\n")
    (model / "python_env.yaml").write_text("python: 3.11.7\n")
    assert against("six==1").absent == ""


def test_links_out_of_the_model_are_not_followed(
    model: Path, against: Against, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere.pkl").write_bytes(pickle.dumps(pipeline()))
    (model / "model.pkl").symlink_to(tmp_path / "elsewhere.pkl")
    (model / "folder").symlink_to(tmp_path, target_is_directory=True)
    assert "says which versions" in against("scikit-learn==1.2.3").absent


def test_a_strangers_text_cannot_write_to_the_terminal(model: Path, against: Against) -> None:
    mlmodel(model, sklearn={"sklearn_version": "1.9\n\x1b[31mPASS" + "x" * 500})
    (message,) = messages(against("scikit-learn==1.9.1"))
    assert message.isprintable()
    assert len(message) < 300
