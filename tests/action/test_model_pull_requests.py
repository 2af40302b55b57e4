"""Pull requests that change a model: the action's own steps, against a fake GitHub."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.action.fake_github import BOT
from tests.action.pulls import NUMBER, Stage
from tests.toys import BUILD, MODEL, set_params

HOSTILE = (
    "@octocat <img src=x onerror=alert(1)> [click](https://evil.example) #1 GH-2 ![x](//e.example) "
    "` `` ``` --> <!-- </code></details> ::error::hi $x$ stranger/repo#3 deadbeef1"
)


def test_a_better_model_passes_and_says_so_once(stage: Stage) -> None:
    stage.open(lambda p: set_params(p, weights={"good": 1.0, "noise": 0.0}))
    for login in ("alice", "bob"):
        for n in range(60):
            stage.hub.say(NUMBER, login, f"<!-- mlgates: pull request --> {n}")
    job, outputs = stage.gate()
    assert outputs["verdict"] == "PASS", job.log
    assert json.loads(outputs["models"]) == [MODEL]
    assert Path(outputs["evidence"]).is_file()
    assert Path(outputs["report"]).is_file()
    (body,) = stage.hub.own(NUMBER)
    assert f"## ✓ PASS: {MODEL} may replace the champion" in body
    assert "ranking-diff::ndcg@&#8203;10.delta | 0." in body
    assert "It may be merged" in body
    assert "(https://github.com/shop/search/actions/runs/4710)" in body
    assert f"## ✓ PASS: {MODEL}" in job.summary
    assert set(job.codes.values()) == {0}
    uses = dict(job.used)
    assert uses["actions/upload-artifact"]["path"] == outputs["reviews"]
    assert not list(Path(outputs["reviews"]).rglob("*.db"))
    asked = [f"{method} {path}" for method, path in stage.hub.asked]
    assert sum("page=2" in one for one in asked) == 1, "the comments are two pages"


def test_a_worse_model_fails_where_and_why_and_the_comment_is_renewed(stage: Stage) -> None:
    stage.open(lambda p: set_params(p, weights={"good": 0.1, "noise": 1.0}))
    own = stage.hub.say(NUMBER, BOT, "<!-- mlgates: pull request -->\n\n## an earlier push")
    job, outputs = stage.gate()
    assert outputs["verdict"] == "FAIL", job.log
    assert job.codes["Verdict"] == 1
    (body,) = stage.hub.own(NUMBER)
    assert own["body"] == body
    assert "must not replace the champion" in body
    assert "#### Worst queries" in body
    assert "| Rank | Old (" in body
    assert f"::error file=model_cards/{MODEL}.md,line=14,title=FAIL%3A ranking-diff" in job.log


def test_a_hostile_fork_gets_no_word_in_and_a_second_workflow_speaks(
    stage: Stage, tmp_path: Path
) -> None:
    def hostile(project: Path) -> None:
        set_params(project, weights={"good": 0.1, "noise": 1.0})
        queries = project / "golden" / MODEL / "queries.csv"
        lines = [f'{line.partition(",")[0]},"{HOSTILE}",lamps' for line in _rows(queries)]
        queries.write_text("query_id,query,category\n" + "\n".join(lines) + "\n")
        build = project / "models" / MODEL / "build.py"
        build.write_text('print("::add-mask::a")\n' + BUILD)

    stage.open(hostile, fork=True)
    job, outputs = stage.gate(**{"fail-on": "never"})
    assert outputs["verdict"] == "FAIL", job.log
    assert stage.hub.own(NUMBER) == []
    assert "a run of a fork has a token that only reads" in job.log
    assert "\n::add-mask::" not in job.log
    assert job.codes["Verdict"] == 0
    job = stage.comment(Path(shutil.copytree(outputs["reviews"], tmp_path / "artifact")))
    assert set(job.codes.values()) == {0}, job.log
    (body,) = stage.hub.own(NUMBER)
    assert "From a run of a fork" in body
    from tests.action.rendered import facts

    found = facts(body)
    assert found.links == {"https://github.com/shop/search/actions/runs/4711"}
    assert found.images == 0
    assert found.tags <= {
        *("h2", "h4", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "details"),
        *("summary", "blockquote", "strong", "em", "ol", "ul", "li", "sub", "a", "span"),
    }
    assert found.mentions == []
    assert "@\u200boctocat" in found.text


def _rows(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


@pytest.mark.parametrize("what", ["number", "head", "evidence", "verdict", "link", "markdown"])
def test_a_forged_artifact_writes_nothing(stage: Stage, tmp_path: Path, what: str) -> None:
    from tests.action.reviews import write_review

    stage.open(lambda p: set_params(p, weights={"good": 1.0}), fork=True)
    stage.hub.open_pull(NUMBER + 1, "b" * 40)
    artifact = tmp_path / "artifact"
    review = write_review(artifact / MODEL, head=stage.head, number=NUMBER)
    value = json.loads(review.read_text())
    if what == "number":
        value["number"] = NUMBER + 1
    elif what == "head":
        value["head"] = "a" * 40
    elif what == "evidence":
        value["evidence"] = "../../../../etc/passwd"
    elif what == "verdict":
        value["outcome"] = "PASS"
        value["evidence"] = ""
    elif what == "link":
        (artifact / "more").symlink_to("/etc")
    else:
        value["change"]["model"] = "[x](https://evil.example)"
    review.write_text(json.dumps(value))
    job = stage.comment(artifact)
    assert job.codes["Comment"] == 2, job.log
    assert "Traceback" not in job.log
    assert not any(stage.hub.comments.values())
