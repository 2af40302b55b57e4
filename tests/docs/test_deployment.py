"""What the pages on the service let people copy: it is well-formed, and names what exists."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gates.service.config import WEBHOOK_PATH, load_config
from gates.settings import load_settings

ROOT = Path(__file__).parents[2]
SERVICE = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
_VARIABLE = re.compile(r"\bGATES_[A-Z_]*[A-Z]\b")


def blocks(language: str, page: str = DEPLOYMENT) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def known_variables() -> set[str]:
    """Every variable the code reads."""
    paths = [*ROOT.glob("gates/service/config.py"), *ROOT.glob("gates/settings.py")]
    found = {name for path in paths for name in _VARIABLE.findall(path.read_text("utf-8"))}
    return found | {"GATES_WEBHOOK_SECRETS_FILE", "GATES_SERVE_TOKENS_FILE"}


def manifests() -> dict[str, list[dict[str, Any]]]:
    """Kubernetes objects by kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for block in blocks("yaml"):
        for one in yaml.safe_load_all(block):
            if "kind" in one:
                found.setdefault(one["kind"], []).append(one)
    return found


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    (found,) = (block for block in blocks("yaml") if block.startswith("# compose.yaml"))
    read: dict[str, Any] = yaml.safe_load(found)
    return read


def test_every_variable_on_the_pages_exists_and_every_one_is_explained() -> None:
    own = {"GATES_CI_TOKEN"}  # of the .env file in the example
    assert set(_VARIABLE.findall(SERVICE + DEPLOYMENT)) - own <= known_variables()
    config = (ROOT / "gates" / "service" / "config.py").read_text("utf-8")
    assert set(_VARIABLE.findall(config)) <= set(_VARIABLE.findall(SERVICE))


def test_the_defaults_in_the_table_are_those_of_the_service(tmp_path: Path) -> None:
    config = load_config(load_settings(tmp_path, environ={}), environ={})
    rows = {
        cells[2].strip("` "): cells[3].strip("` ")
        for cells in (line.strip("|").split("|") for line in SERVICE.splitlines())
        if len(cells) == 4
    }
    assert rows["GATES_SERVE_HOST"] == config.host
    assert rows["GATES_SERVE_PORT"].startswith(str(config.port))
    assert int(rows["GATES_SERVE_WORKERS"]) == config.workers
    assert int(rows["GATES_SERVE_QUEUE"]) == config.queue
    assert rows["GATES_SERVE_POLL"] == f"{config.poll.seconds}s"
    assert rows["GATES_SERVE_GATE_TIME"] == f"{config.gate_time.seconds // 3600}h"
    assert rows["GATES_SERVE_ON"] == config.triggers[0].kind
    assert rows["GATES_SERVE_TRUSTED_PROXIES"] == "127.0.0.1,::1"


def test_the_unit_is_one_for_systemd(tmp_path: Path) -> None:
    (unit,) = (block for block in blocks("ini") if "[Service]" in block)
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(unit)
    assert parser["Service"]["ExecStart"].startswith("/opt/mlgates/bin/gates serve ")
    # These would forbid the namespaces that the models' cage is made of.
    assert not {"restrictnamespaces", "protectproc", "protectkerneltunables"} & set(
        parser["Service"]
    )
    if shutil.which("systemd-analyze") is None:
        return
    path = tmp_path / "mlgates.service"
    there = unit.replace("/opt/mlgates/bin/gates", sys.executable)
    path.write_text(there.replace("network-online.target", "multi-user.target"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if "mlgates.service" in line]
    assert said == []


def test_the_env_file_holds_variables_alone() -> None:
    (text,) = (block for block in blocks("ini") if "[Service]" not in block)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert all(line.partition("=")[0] in known_variables() for line in lines)


def test_compose_keeps_the_service_behind_its_proxy(compose: dict[str, Any]) -> None:
    services = compose["services"]
    gates, proxy = services["gates"], services["proxy"]
    assert [name for name, one in services.items() if "ports" in one] == ["proxy"]
    address = proxy["networks"]["inside"]["ipv4_address"]
    assert gates["environment"]["GATES_SERVE_TRUSTED_PROXIES"] == address
    assert gates["environment"]["GATES_SERVE_DATABASE"].startswith("postgresql://")
    assert "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY" in services["mlflow"]["environment"]
    named = {v.split(":")[0] for one in services.values() for v in one.get("volumes", [])}
    assert named == set(compose["volumes"])
    assert int(gates["stop_grace_period"].rstrip("s")) > 25
    for one in services.values():
        assert set(one.get("depends_on", {})) <= set(services)


def test_compose_gives_the_service_what_it_accepts(compose: dict[str, Any], tmp_path: Path) -> None:
    environ = {
        name: re.sub(r"\$\{\w+:\?\}", 32 * "x", str(value))
        for name, value in compose["services"]["gates"]["environment"].items()
    }
    (host,) = re.findall(r"GATES_SERVE_HOST=(\S+)", "".join(blocks("dockerfile")))
    config = load_config(
        load_settings(tmp_path, environ={}), environ={"GATES_SERVE_HOST": host, **environ}
    )
    assert config.guarded
    assert config.operators == ("ann@example.com", "ben@example.com")


def test_the_manifest_fits_together(tmp_path: Path) -> None:
    found = manifests()
    assert set(found) == {
        "ConfigMap",
        "Deployment",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "Secret",
        "Service",
    }
    (deployment,), (service,) = found["Deployment"], found["Service"]
    template = deployment["spec"]["template"]
    labels = template["metadata"]["labels"]
    (policy,) = found["NetworkPolicy"]
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    (container,) = template["spec"]["containers"]
    (port,) = container["ports"]
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    assert port["containerPort"] == 8470
    for probe, path in (("startup", "/health"), ("liveness", "/health"), ("readiness", "/ready")):
        assert container[f"{probe}Probe"]["httpGet"] == {"path": path, "port": port["name"]}
    volumes = {one["name"]: one for one in template["spec"]["volumes"]}
    assert {one["name"] for one in container["volumeMounts"]} == set(volumes)
    named = {kind: {one["metadata"]["name"] for one in ones} for kind, ones in found.items()}
    claim = volumes["work"]["persistentVolumeClaim"]["claimName"]
    assert claim in named["PersistentVolumeClaim"]
    assert volumes["signing-key"]["secret"]["secretName"] in named["Secret"]
    sources = {kind: one["name"] for ref in container["envFrom"] for kind, one in ref.items()}
    assert sources["configMapRef"] in named["ConfigMap"]
    assert sources["secretRef"] in named["Secret"]
    told = {**found["ConfigMap"][0]["data"], **found["Secret"][0]["stringData"]}
    assert all(isinstance(value, str) for value in told.values())
    environ = {name: value.replace("<secret>", 32 * "z") for name, value in told.items()}
    environ["GATES_SERVE_TOKENS"] = f"a:operator:{32 * 'x'},b:viewer:{32 * 'y'}"
    config = load_config(load_settings(tmp_path, environ={}), environ=environ)
    assert config.host == "0.0.0.0"  # noqa: S104 - what it should be in a pod


def test_the_table_of_the_api_names_routes_that_exist() -> None:
    app = (ROOT / "gates" / "service" / "api.py").read_text("utf-8")
    for path in re.findall(r"\$GATES/api/v1(/[a-z/$A-Z]*)", SERVICE):
        route = path.rstrip("/").replace("$ID", "{job_id}")
        assert f'"{route}"' in app, route
    assert WEBHOOK_PATH == "/webhooks/mlflow"
