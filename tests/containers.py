"""What tests need that run containers: an engine, and a base image with a Python on it."""

from __future__ import annotations

import os

import pytest

BASE_IMAGE = os.environ.get("GATES_TEST_DOCKER_IMAGE", "")
_WHY = os.environ.get("GATES_TEST_NO_DOCKER") or (
    "needs a Docker engine, and GATES_TEST_DOCKER_IMAGE to name a base image on it: "
    "scripts/docker-for-tests makes both"
)
needs_docker = [
    pytest.mark.requires_docker,
    pytest.mark.skipif(not BASE_IMAGE, reason=_WHY),
]
