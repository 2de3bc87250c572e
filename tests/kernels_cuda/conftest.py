"""Kernels that are compiled once for all tests that do not count them: most of what these take is NVRTC's."""

import os

import pytest


@pytest.fixture
def shared(tmp_path_factory):
    """A folder for process.run() that all tests of all workers have."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
