"""The version of this package."""

from importlib.metadata import PackageNotFoundError, version


def _read() -> str:
    try:
        return version("understudy")
    except PackageNotFoundError:  # run from the source folder
        return "0.0.0"


__version__ = _read()
