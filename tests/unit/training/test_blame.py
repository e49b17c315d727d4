"""Whose fault an error is: the user's code is blamed for what its own lines did, and for nothing else."""

import sys
from pathlib import Path

import pytest

from training import user_code
from training.errors import ModelError


def raised(filename: str) -> Exception:
    """An error whose only other frame is of this file."""
    try:
        exec(compile("raise ValueError('no')", filename, "exec"))
    except ValueError as error:
        return error.with_traceback(error.__traceback__.tb_next if error.__traceback__ else None)
    raise AssertionError


@pytest.mark.parametrize(
    ("filename", "blamed"),
    [
        ("/home/me/models/nets.py", True),
        (str(user_code.ROOT / "models" / "nets.py"), True),
        ("pyarrow/error.pxi", False),
        ("sklearn/tree/_tree.pyx", False),
        ("<frozen importlib._bootstrap>", False),
        ("<string>", False),
        (f"{next(path for path in sys.path if path.endswith('site-packages'))}/pyarrow/csv.py", False),
        (str(user_code.ROOT / "training" / "sources.py"), False),
    ],
)
def test_code_of_libraries_is_not_the_user_s(filename: str, blamed: bool) -> None:
    """pyarrow's compiled code has frames with relative names: "code of net raised … correct the code"."""
    assert user_code.is_blamed(raised(filename)) == blamed


def test_a_module_s_own_filters_of_warnings_end_with_its_import(tmp_path: Path) -> None:
    """They stayed for the run, and could turn a library's warning into its end."""
    import warnings

    (tmp_path / "loud_net.py").write_text("import warnings\nwarnings.filterwarnings('error')\nclass Net: ...\n")
    before = list(warnings.filters)
    assert user_code.load("loud_net:Net", [tmp_path])

    assert list(warnings.filters) == before
    with pytest.raises(ModelError, match="does not define Other"):
        user_code.load("loud_net:Other", [tmp_path])
