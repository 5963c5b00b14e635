"""Every plug-in keeps the contract of its role."""

import pytest
from contract import detector_checks
from contract_strategies import strategy_checks
from contract_valuers import valuer_checks

import dqops.detectors
import dqops.flows.by_strategy
import dqops.valuers  # noqa: F401
from dqops.contracts import Detector, Strategy, Valuer

CHECKS = [(name, check) for name, kind in Detector.known().items() for check in detector_checks(kind)]
VALUERS = [(name, check) for name, kind in Valuer.known().items() for check in valuer_checks(kind)]

STRATEGIES = [(name, check) for name, kind in Strategy.known().items() for check in strategy_checks(kind)]


@pytest.mark.parametrize(("name", "check"), CHECKS, ids=[f"{name}-{check.func.__name__}" for name, check in CHECKS])
def test_detectors_keep_their_contract(name, check):
    check()


@pytest.mark.parametrize(("name", "check"), VALUERS, ids=[f"{name}-{check.func.__name__}" for name, check in VALUERS])
def test_valuers_keep_their_contract(name, check):
    check()


@pytest.mark.parametrize(("name", "check"), STRATEGIES, ids=[f"{name}-{check.func.__name__}" for name, check in STRATEGIES])
def test_strategies_keep_their_contract(name, check):
    check()
