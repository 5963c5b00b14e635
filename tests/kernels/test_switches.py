"""How kernels are compiled."""

from dqops import kernels


def test_no_kernel_assumes_that_nan_does_not_occur():
    for decorate in (kernels.kernel, kernels.parallel_kernel):
        compiled = decorate(lambda value: value != value)
        assert compiled(float("nan"))
        assert not getattr(compiled, "targetoptions", {}).get("fastmath", False)
