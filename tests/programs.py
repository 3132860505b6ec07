"""Programs that some tests start, where ``.ci/system-packages`` can install them."""

import os
import shutil

import pytest

SYSTEM = "/usr/sbin:/usr/local/sbin:/sbin"


def program(name: str, *, package: str = "") -> str:
    """Give the path of a program; skip without it, and fail where everything has to be tested."""
    path = shutil.which(name) or shutil.which(name, path=SYSTEM)
    if path is None:
        lacking = f"There is no {name}; .ci/system-packages {package or name} installs it."
        if os.environ.get("CI"):
            pytest.fail(lacking)
        pytest.skip(lacking)
    return path
