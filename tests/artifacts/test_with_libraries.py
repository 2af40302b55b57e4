"""Files that joblib, scikit-learn, LightGBM, XGBoost and MLflow write: honest ones, and others."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.artifacts.scan import scan_artifact
from gates.environments.cache import EnvironmentCache
from gates.environments.scripts import run_script
from gates.locks.lock import read_installable
from tests.artifacts.samples import said

WRITE = """
import enum, functools, os, pickle, sys
from pathlib import Path
import cloudpickle, joblib, lightgbm, mlflow.pyfunc, numpy as np, pandas as pd, xgboost
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

out = Path(sys.argv[1])
honest, hostile = out / "honest", out / "hostile"
rng = np.random.default_rng(1)
x = rng.normal(size=(60, 3))
y = (x[:, 0] > 0).astype(int)
frame = pd.DataFrame(x, columns=list("abc")).assign(kind=rng.choice(["x", "y"], 60))
pipeline = Pipeline([
    ("columns", ColumnTransformer([
        ("numbers", StandardScaler(), list("abc")), ("kind", OneHotEncoder(), ["kind"]),
    ])),
    ("arctan", FunctionTransformer(np.arctan)),
    ("best", SelectKBest(f_classif, k=2)),
    ("classes", LogisticRegression()),
]).fit(frame, y)
queries = Pipeline([("words", TfidfVectorizer()), ("classes", LogisticRegression())])
models = {
    "pipeline": pipeline,
    "queries": queries.fit(["steel kettle", "red desk"] * 9, [0, 1] * 9),
    "forest": RandomForestClassifier(5, random_state=np.random.RandomState(3)).fit(x, y),
    "boosting": GradientBoostingClassifier(n_estimators=3).fit(x, y),
    "neighbours": KNeighborsClassifier().fit(x, y),
    "lightgbm": lightgbm.LGBMClassifier(n_estimators=2, verbose=-1).fit(x, y),
    "xgboost": xgboost.XGBClassifier(n_estimators=2).fit(x, y),
    "mixed": {
        "objects": np.array(["a", None, pd.Timestamp("2020-01-01")], dtype=object),
        "texts": np.array(["abc", "d"]),
        "fields": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
        "days": np.array(["2020-01-01"], dtype="M8[D]"),
        "empty": np.zeros((0, 3)), "single": np.array(4.0),
        "fortran": np.asfortranarray(x), "generator": rng, "sparse": sparse.csr_matrix(x),
        "frame": frame.astype({"kind": "category"}), "after": functools.partial(np.sum, axis=1),
    },
}
honest.mkdir()
for name, model in models.items():
    joblib.dump(model, honest / f"{name}.joblib")
    for method in ("zlib", "gzip", "bz2", "lzma", "xz"):
        joblib.dump(model, honest / f"{name}.{method}", compress=(method, 3))
    for protocol in range(6):
        (honest / f"{name}.{protocol}").write_bytes(pickle.dumps(model, protocol))
models["lightgbm"].booster_.save_model(honest / "model.lgb")
models["xgboost"].save_model(honest / "model.ubj")
sparse.save_npz(honest / "sparse.npz", sparse.csr_matrix(x))
frame.to_pickle(honest / "frame.pkl.gz")

class Scores(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [len(os.path.join(*map(str, row))) for row in model_input.values.tolist()]

(out / "pyfunc").mkdir()
(out / "pyfunc" / "python_model.pkl").write_bytes(cloudpickle.dumps(Scores()))

class Calls:
    def __reduce__(self):
        return os.system, ("id",)

hostile.mkdir()
joblib.dump([x, Calls()], hostile / "after")
joblib.dump([Calls(), x], hostile / "before")
joblib.dump([x, Calls()], hostile / "compressed", compress=3)
joblib.dump(np.array([Calls()], dtype=object), hostile / "inside")
joblib.dump([x, np.array([1, "a"], dtype=object), {"z": [x, Calls()]}], hostile / "between")
"""


@pytest.fixture(scope="module")
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What those libraries wrote; their environment is kept between runs."""
    assert request.config.cache is not None
    cache = EnvironmentCache(Path(request.config.cache.mkdir("gates-environments")))
    lock = Path(__file__).parents[1] / "environments" / "tree-requirements.txt"
    folder = tmp_path_factory.mktemp("written")
    script = folder / "write.py"
    script.write_text(WRITE, encoding="utf-8")
    out = folder / "out"
    out.mkdir()
    run_script(cache.ensure(read_installable(lock)), script, [str(out)], folder, {}, 240)
    return out


def test_honest_artifacts_are_read_whole_and_give_no_finding(written: Path) -> None:
    report = scan_artifact(written / "honest")
    assert report.files > 90
    assert said(report) == []
    assert (report.scanned, report.unread) == (report.files, {})


def test_a_python_model_holds_code_and_is_nothing_worse(written: Path) -> None:
    assert said(scan_artifact(written / "pyfunc")) == [
        "python_model.pkl holds functions or classes as code (medium)"
    ]


def test_calls_among_the_arrays_of_a_joblib_file_are_found(written: Path) -> None:
    report = scan_artifact(written / "hostile")
    named = {one.path for one in report.findings if one.what == "calls posix.system('id')"}
    assert named == {"after", "before", "compressed", "inside", "between"}
    assert report.unread == {}
