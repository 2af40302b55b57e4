"""A delivery is let in when MLflow signed it, lately; and nothing else is."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from gates.service.webhook import Headers, Refused, RegistryEvent, read_event, signature, verify
from tests.service.deliveries import SECRET, Sent, delivery


def check(sent: Sent, *secrets: str, now: datetime | None = None) -> None:
    headers = Headers.read(sent.headers)
    verify(headers, sent.body, secrets or (SECRET,), now or datetime.now(UTC))


def test_what_mlflow_signs_is_let_in() -> None:
    check(delivery())


def test_the_signature_is_the_published_one() -> None:
    body = '{"a": "ü"}'.encode()
    expected = hmac.new(b"k\xc3\xa4se", b"id-12345.1700000000." + body, hashlib.sha256).digest()
    assert signature("käse", "id-12345", "1700000000", body) == (
        "v1," + base64.b64encode(expected).decode()
    )


def test_old_and_new_secret_both_count_while_they_are_changed() -> None:
    check(delivery(secret="the secret of last year"), SECRET, "the secret of last year")
    with pytest.raises(Refused) as caught:
        check(delivery(secret="the secret of last year"), SECRET)
    assert caught.value.status == 401


@pytest.mark.parametrize("age", [-299, 0, 299])
def test_clocks_may_differ_a_little_either_way(age: float) -> None:
    check(delivery(age=age))


@pytest.mark.parametrize("age", [-310, 310, 86_400])
def test_what_is_old_or_from_the_future_is_refused(age: float) -> None:
    with pytest.raises(Refused, match="clock") as caught:
        check(delivery(age=age))
    assert caught.value.status == 401


@pytest.mark.parametrize("part", ["x-mlflow-delivery-id", "x-mlflow-timestamp"])
def test_a_signature_is_for_its_own_id_and_time(part: str) -> None:
    sent, other = delivery(), delivery(age=1)
    with pytest.raises(Refused, match="no secret"):
        check(Sent({**sent.headers, part: other.headers[part]}, sent.body))


def test_a_changed_body_is_refused() -> None:
    sent = delivery()
    with pytest.raises(Refused, match="no secret"):
        check(Sent(sent.headers, sent.body.replace(b'"2"', b'"3"')))


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("x-mlflow-signature", "", 401),
        ("x-mlflow-signature", "sha256=00", 401),
        ("x-mlflow-signature", "v1,", 401),
        ("x-mlflow-signature", "v1,é", 401),
        ("x-mlflow-delivery-id", "", 400),
        ("x-mlflow-delivery-id", "../../etc/passwd", 400),
        ("x-mlflow-delivery-id", "x" * 65, 400),
        ("x-mlflow-timestamp", "yesterday", 400),
        ("x-mlflow-timestamp", "1" * 13, 400),
        ("x-mlflow-timestamp", "-1", 400),
    ],
)
def test_headers_of_another_form_are_refused(header: str, value: str, status: int) -> None:
    sent = delivery()
    with pytest.raises(Refused) as caught:
        check(Sent({**sent.headers, header: value}, sent.body))
    assert caught.value.status == status


def test_events_are_read_as_mlflow_writes_them() -> None:
    assert read_event(delivery().body) == RegistryEvent(
        "model_version", "created", "toy-ranker", "2"
    )
    tag = delivery("model_version_tag", "set", key="ready", value="yes")
    assert read_event(tag.body).key == "ready"
    assert read_event(b'{"entity": "prompt", "action": "created", "data": {"name": null}}') == (
        RegistryEvent("prompt", "created")
    )


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[]", b"{}", b'{"entity": 1, "action": "x"}', b"[" * 100_000]
)
def test_what_is_no_event_is_refused_not_stored(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read_event(body)
    assert caught.value.status == 400
