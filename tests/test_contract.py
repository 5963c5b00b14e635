"""Every plug-in keeps the contract of its role."""

import pytest
from contract import detector_checks

import dqops.detectors  # noqa: F401
from dqops.contracts import Detector

CHECKS = [(name, check) for name, kind in Detector.known().items() for check in detector_checks(kind)]


@pytest.mark.parametrize(("name", "check"), CHECKS, ids=[f"{name}-{check.func.__name__}" for name, check in CHECKS])
def test_detectors_keep_their_contract(name, check):
    check()
