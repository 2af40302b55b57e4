"""What every registry must do: run on an embedded store and on a real MLflow server alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gates.errors import PromotionRefused, RegistryError
from gates.registry import Event, GateSource, Registry
from gates.registry.digests import file_digest, tree_digest
from gates.registry.mlflow import MlflowRegistry

from .stores import toy_model

ADA = GateSource("ada", "ci", "https://ci.example.com/7")


def test_a_registered_version_comes_back_byte_for_byte(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    model = toy_model(tmp_path / "model")
    checked: Registry = registry
    made = checked.register(name, model, {"gates.python": "3.11.7"}, "A toy.", by="ada")
    assert (made.name, made.version) == (name, "1")
    assert made.digest == tree_digest(model)
    assert made.lock_digest == file_digest(model / "gates" / "requirements.txt")
    assert made.tags == {"gates.python": "3.11.7", "gates.digest": made.digest}
    assert made.run_id
    assert tree_digest(registry.path(made)) == made.digest
    assert registry.resolve(made.uri) == made


@pytest.mark.parametrize("form", ["models:/{}/2", "{}/2", "models:/{}@champion", "{}@champion"])
def test_every_form_of_uri_finds_its_version(
    registry: MlflowRegistry, tmp_path: Path, name: str, form: str
) -> None:
    name = f"{name}-{form.count('@')}-{form.count(':')}"
    registry.register(name, toy_model(tmp_path / "a", "a"), {}, "")
    second = registry.register(name, toy_model(tmp_path / "b", "b"), {}, "")
    registry.set_alias(name, "champion", "2", expected=None)
    assert registry.resolve(form.format(name)) == second


@pytest.mark.parametrize(
    "odd", ["two words", "größe-и-尺寸", "a@b", "100% & more", "a.b_c-d+(e)#f"]
)
def test_names_with_odd_characters_work_throughout(
    registry: MlflowRegistry, tmp_path: Path, odd: str
) -> None:
    made = registry.register(odd, toy_model(tmp_path / "model"), {}, "")
    registry.set_alias(odd, "champion", "1", expected=None)
    assert registry.resolve(f"models:/{odd}@champion") == made
    assert [event.model for event in registry.events(odd)] == [odd]
    with pytest.raises(RegistryError, match="it has: 1"):
        registry.resolve(f"models:/{odd}/99")


def test_a_missing_model_names_the_nearest_one(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    registry.register(name, toy_model(tmp_path / "model"), {}, "")
    with pytest.raises(RegistryError, match=f"did you mean '{name}'"):
        registry.resolve(f"models:/{name}s/1")


def test_a_missing_version_or_alias_names_those_there_are(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    registry.register(name, toy_model(tmp_path / "model"), {}, "")
    with pytest.raises(RegistryError, match=r"no version 7\n  it has: 1"):
        registry.resolve(f"models:/{name}/7")
    with pytest.raises(RegistryError, match="no alias is set yet; name a version"):
        registry.resolve(f"models:/{name}@champion")
    registry.set_alias(name, "champion", "1", expected=None)
    with pytest.raises(RegistryError, match="did you mean 'champion'"):
        registry.resolve(f"models:/{name}@champoin")


def test_an_alias_that_is_not_set_is_none(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    made = registry.register(name, toy_model(tmp_path / "model"), {}, "")
    assert registry.alias(name, "champion") is None
    registry.set_alias(name, "champion", "1", expected=None)
    assert registry.alias(name, "champion") == made
    assert registry.aliases(name) == {"champion": "1"}


def test_an_alias_moves_only_from_where_it_is_expected(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    for number in "123":
        registry.register(name, toy_model(tmp_path / number, number), {}, "")
    registry.set_alias(name, "champion", "1", expected=None)
    for expected in (None, "2"):
        with pytest.raises(PromotionRefused, match="moved meanwhile"):
            registry.set_alias(name, "champion", "3", expected=expected)
    assert registry.aliases(name) == {"champion": "1"}
    registry.set_alias(name, "champion", "3", expected="1")
    assert registry.aliases(name) == {"champion": "3"}


def test_an_alias_cannot_point_at_a_version_that_is_not_there(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    registry.register(name, toy_model(tmp_path / "model"), {}, "")
    with pytest.raises(RegistryError, match="no version 2"):
        registry.set_alias(name, "champion", "2", expected=None)


def test_of_many_who_move_an_alias_at_once_one_wins(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    for number in "1234":
        registry.register(name, toy_model(tmp_path / number, number), {}, "")

    def move(version: str) -> str:
        try:
            registry.set_alias(name, "champion", version, expected=None)
        except PromotionRefused:
            return "refused"
        return version

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(move, "1234"))
    assert outcomes.count("refused") == 3
    assert registry.aliases(name)["champion"] in outcomes


def test_the_evidence_of_the_latest_gate_run_comes_back(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    made = registry.register(name, toy_model(tmp_path / "model"), {}, "")
    assert registry.evidence(made.uri, tmp_path / "none") is None
    for verdict in ("FAIL", "PASS"):
        evidence, report = tmp_path / "run-7.json", tmp_path / "report.html"
        evidence.write_text(f'{{"verdict": "{verdict}"}}')
        signature = tmp_path / "run-7.json.sig"
        signature.write_text("signed")
        report.write_text("<p>")
        tags = {"gates.verdict": verdict, "gates.evidence_digest": "sha256:1"}
        metrics = {"ranking-diff::ndcg@10.delta[head=x]": 0.1, "nothing": float("nan")}
        run = registry.log_gate(evidence, [report, signature], made, metrics, tags, source=ADA)
    found = registry.evidence(made.uri, tmp_path / "into")
    assert found == tmp_path / "into" / "evidence.json"
    assert found.read_text() == '{"verdict": "PASS"}'
    assert found.with_name("evidence.json.sig").read_text() == "signed"
    now = registry.resolve(made.uri)
    assert now.tags["gates.verdict"] == "PASS"
    assert now.tags["gates.evidence_run"] == run
    assert datetime.fromisoformat(now.tags["gates.gated_at"]).tzinfo
    gated = registry.events(name)[0]
    assert (gated.kind, gated.verdict, gated.by, gated.run_id) == ("gate", "PASS", "ada", run)
    assert (gated.origin, gated.link) == (ADA.origin, ADA.link)
    before = registry.events(name)[1]
    older = registry.evidence_of(before.run_id, tmp_path / "older")
    assert older.read_text() == '{"verdict": "FAIL"}'


def test_events_come_back_newest_first_and_whole(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    registry.register(name, toy_model(tmp_path / "model"), {}, "", by="ada")
    first = Event(
        when=datetime.now(UTC) + timedelta(hours=1),
        kind="promote",
        model=name,
        version="2",
        previous_version="1",
        by="Ada Lovelace",
        why="better on “tail” queries; Δ = +0.02\nsee report",
        verdict="PASS",
        evidence_digest="sha256:" + "0" * 64,
        alias="champion",
        state="begun",
    )
    note = tmp_path / "note.txt"
    note.write_text("kept")
    first = replace(first, run_id=registry.log_event(first, [note]))
    second = replace(first, when=first.when + timedelta(hours=1), kind="rollback", run_id="")
    second = replace(second, run_id=registry.log_event(second))
    assert registry.events(name)[:2] == (second, first)
    done = replace(first, state="done")
    assert registry.log_event(done) == first.run_id
    newest, completed, packaged = registry.events(name)
    assert (newest, completed) == (second, done)
    assert (packaged.kind, packaged.version, packaged.by) == ("package", "1", "ada")
    assert packaged.state == "done"


def test_only_what_was_begun_since_a_moment_is_read_when_that_is_asked(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    registry.register(name, toy_model(tmp_path / "model"), {}, "", by="ada")
    (packaged,) = registry.events(name)
    assert registry.events(name, packaged.when - timedelta(seconds=5)) == (packaged,)
    assert registry.events(name, packaged.when + timedelta(minutes=5)) == ()


def test_a_gate_recorded_by_an_earlier_version_still_says_what_it_can(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    registry.register(name, toy_model(tmp_path / "model"), {}, "")
    old = Event(datetime.now(UTC), "gate", name, "1", by="gates serve", verdict="PASS")
    run = registry.log_event(old)
    registry._connection.client.set_tag(run, "gates.champion", "3")
    registry._connection.client.set_tag(run, "gates.event.link", "javascript:alert(1)")
    (found,) = (one for one in registry.events(name) if one.kind == "gate")
    assert (found.champion, found.origin, found.link) == ("3", "service", "")


def test_tags_are_set_on_the_version(registry: MlflowRegistry, tmp_path: Path, name: str) -> None:
    made = registry.register(name, toy_model(tmp_path / "model"), {}, "")
    registry.tag(made, {"gates.note": "seen", "other": "kept out of ours"})
    assert registry.resolve(made.uri).tags == {**made.tags, "gates.note": "seen"}


def test_a_version_that_was_registered_without_the_gate_can_be_resolved(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    model = toy_model(tmp_path / "model")
    (model / "gates" / "requirements.txt").unlink()
    client = registry._connection.client
    run = client.create_run("0")
    client.log_artifacts(run.info.run_id, str(model), "model")
    client.create_registered_model(name)
    client.create_model_version(name, f"{run.info.artifact_uri}/model", run.info.run_id)
    version = registry.resolve(f"{name}/1")
    assert version.digest == tree_digest(model)
    assert (version.lock_digest, version.tags) == ("", {})
    assert registry.events(name) == ()


def test_a_gate_run_whose_evidence_was_removed_is_said_to_hold_none(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    made = registry.register(name, toy_model(tmp_path / "model"), {}, "")
    registry.tag(made, {"gates.evidence_run": made.run_id})
    with pytest.raises(RegistryError, match=r"holds no evidence\.json"):
        registry.evidence(made.uri, tmp_path / "into")


def test_an_event_that_somebody_edited_is_left_out(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    made = registry.register(name, toy_model(tmp_path / "model"), {}, "")
    registry._connection.client.set_tag(made.run_id, "gates.event.when", "yesterday")
    assert registry.events(name) == ()


def test_the_newest_version_is_the_one_with_the_highest_number(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    model = toy_model(tmp_path / "model")
    for _ in range(11):  # as text, 9 comes after 11
        registry.register(name, model, {}, "")
    registry.tag(registry.resolve(f"{name}/2"), {"touched": "last"})
    assert registry.newest(name) == "11"


def test_where_a_version_came_from_is_what_its_run_says(
    registry: MlflowRegistry, tmp_path: Path, name: str
) -> None:
    model = toy_model(tmp_path / "model")
    client = registry._connection.client
    run = client.create_run("0", tags={"mlflow.user": "ana"}, run_name="nightly").info
    client.log_param(run.run_id, "leaves", "31")
    client.log_metric(run.run_id, "auc", 0.75)
    client.log_artifacts(run.run_id, str(model), "model")
    client.create_registered_model(name)
    client.create_model_version(name, f"{run.artifact_uri}/model", run.run_id)
    version = registry.resolve(f"{name}/1")
    origin = registry.origin(version)
    assert (origin.by, origin.run) == ("ana", "nightly")
    assert (origin.params, origin.metrics) == ({"leaves": "31"}, {"auc": 0.75})
    assert origin.trained is not None
    assert origin.trained <= origin.registered
