"""What MLflow and people are told of a gate."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import requests

from gates.errors import RegistryError
from gates.promotion.guard import Standing
from gates.registry import Registry
from gates.service.config import Notify
from gates.service.loops import Loop
from gates.service.store.jobs import Jobs
from gates.service.store.leases import Leases, new_holder
from gates.service.store.values import Job
from gates.service.webhook import signature
from gates.system.retrying import Backoff

__all__ = ["StatusTags", "alias_message", "link_of", "message", "send"]

_LEASE = timedelta(seconds=30)
_SECONDS = 10.0
_BACKOFF = Backoff(first=2.0, tries=3)
_MARKS = {"PASS": "✅", "FAIL": "❌", "UNDECIDED": "❔"}


def link_of(url: str, job_id: str) -> str:
    """The page of a gate.

    Args:
        url: The address people reach the service by.
        job_id: The gate.
    """
    return f"{url}/gates/{job_id}"


class StatusTags:
    """Keeps the tags of versions in MLflow at what their gates are; late rather than never.

    Args:
        leases: One host at a time tells.
        registry: Opens the registry.
        url: The address people reach the service by.
    """

    def __init__(
        self, jobs: Jobs, leases: Leases, registry: Callable[[], Registry], url: str
    ) -> None:
        self._jobs = jobs
        self._leases = leases
        self._registry = registry
        self._url = url
        self._name = new_holder()
        self._loop = Loop("tags", timedelta(seconds=2), self.once)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def wake(self) -> None:
        """A state has changed."""
        self._loop.wake()

    def stop(self) -> None:
        """End, once what has changed is told, if MLflow answers."""
        self._loop.stop()
        self._leases.give_back("tags", self._name)

    def once(self) -> bool:
        """Tell what has changed.

        Returns:
            Whether there may be more.

        Raises:
            RegistryError: MLflow is away; it is told later.
        """
        if not self._leases.take("tags", self._name, _LEASE):
            return False
        changed = self._jobs.untold()
        if not changed:
            return False
        registry = self._registry()
        for job in changed:
            tags = {"gates.status": job.state, "gates.link": link_of(self._url, job.id)}
            try:
                registry.note(job.model, job.version, tags)
            except RegistryError as problem:
                if problem.passing:
                    raise
            self._jobs.tell(job.id, job.state)
        return True


def message(job: Job, link: str) -> dict[str, Any]:
    """What a message says of a gate that ended, in our own fields.

    Args:
        job: The gate.
        link: Its page.
    """
    return {
        "gate": job.id,
        "model": job.model,
        "version": job.version,
        "uri": job.uri,
        "state": job.state,
        "verdict": job.verdict,
        "reasons": list(job.summary.get("reasons", ())),
        "reason": job.reason,
        "champion": job.champion,
        "evidence_digest": job.evidence_digest,
        "mlflow_run": job.mlflow_run,
        "requested_by": job.requested_by,
        "link": link,
    }


def alias_message(found: Standing, link: str, *, will_be_put_back: bool) -> dict[str, Any]:
    """What a message says of an alias that was moved past the gate, in the fields of `message`.

    Args:
        link: The model's page.
        will_be_put_back: Whether the service moves it back.
    """
    expected = found.last.version if found.last else ""
    now = f"version {found.version}" if found.version else "not set"
    return {
        "gate": "",
        "model": found.model,
        "version": found.version,
        "uri": f"models:/{found.model}/{found.version}" if found.version else "",
        "state": "foreign",
        "verdict": "",
        "reasons": [],
        "reason": f"the {found.alias} of {found.model} is {now}, and nothing in its history put "
        f"it there: by that it is version {expected or 'none'}; who moved it is not known"
        + (", and it is put back" if will_be_put_back else ""),
        "champion": expected,
        "evidence_digest": "",
        "mlflow_run": "",
        "requested_by": "",
        "link": link,
    }


def send(notify: Notify, said: Mapping[str, Any], wait: Callable[[float], bool]) -> str:
    """Send a message; trying thrice.

    Args:
        notify: Where to, and how.
        said: The message (`message`).
        wait: Waits some seconds; True when it is time to give up.

    Returns:
        Why it could not be sent; empty when it was. The address is not in it.
    """
    body = json.dumps(_slack(said) if notify.form == "slack" else said).encode()
    delivery, timestamp = str(uuid.uuid4()), str(int(time.time()))
    headers = {"content-type": "application/json"}
    if notify.secret:
        headers |= {
            "x-gates-delivery-id": delivery,
            "x-gates-timestamp": timestamp,
            "x-gates-signature": signature(notify.secret, delivery, timestamp, body),
        }
    reason = ""
    for _ in _BACKOFF.attempts(wait):
        try:
            answer = requests.post(
                notify.url, data=body, headers=headers, timeout=_SECONDS, allow_redirects=False
            )
        except requests.RequestException as problem:
            reason = f"it could not be sent: {type(problem).__name__}"
            continue
        if answer.ok:
            return ""
        reason = f"it was answered with {answer.status_code}"
    return reason


def _slack(said: Mapping[str, Any]) -> dict[str, Any]:
    verdict = said["verdict"] or said["state"]
    mark = _MARKS.get(str(verdict), "⏸")
    title = f"{mark} *{verdict}*: <{said['link']}|{_plain(said['model'])} {said['version']}>"
    against = f" against {said['champion']}" if said["champion"] else ""
    reasons = said["reasons"] or ([said["reason"]] if said["reason"] else [])
    lines = [title + against, *(f"• {_plain(one)}" for one in reasons[:5])]
    return {"text": "\n".join(lines)[:3_000]}


def _plain(text: object) -> str:
    """Text in which nothing links, mentions or formats."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")[:500]
