"""Where this project lies and runs: whose packages Python finds, the user's data, whether its disk is shared.

``tasks`` and ``flows`` are names that others use too: a ``tasks.py`` in the current folder, or a folder of
that name earlier on the path, stands before ours without a word, and pip lets another distribution write over
our files.

What is kept in a file is lost, and hidden from the other runs, where each run has a container of its own.
"""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("connectors", "tasks", "flows", "deployments", "sandbox")
HOME = Path(__file__).resolve().parent.parent
DISK_VARIABLE = "CONNECTWISE_FLOWS_SHARED_DISK"
"""Whether runs share the disk; ``false`` in the image, whose disk goes with its container."""
PROCESS_POOL = "process"
"""The type of work pool whose runs are processes on the worker's own disk; with others each has its own."""


def data_folder(environment: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    """The folder for this project's files among the user's data, where nothing names another."""
    if platform == "win32" and environment.get("LOCALAPPDATA"):
        place = Path(environment["LOCALAPPDATA"])
    elif platform == "darwin":
        place = Path.home() / "Library" / "Application Support"
    else:
        place = Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return place / "connectwise-flows"


class ShadowedPackageError(ImportError):
    """Another module or package has one of this project's names."""


def disk_is_shared(environment: Mapping[str, str], pool_type: str | None = None) -> bool:
    """Whether the next run finds a file that this one writes.

    What the variable says counts; else the type of the pool that started the run, if a pool did.
    """
    said = environment.get(DISK_VARIABLE, "").strip().lower()
    if said:
        return said not in {"false", "0", "no", "off"}
    return pool_type in {None, PROCESS_POOL}


def check_packages(home: Path = HOME) -> None:
    """Hold every package that is found against the folder of this one; a few file look-ups.

    Raises:
        ShadowedPackageError: Python finds another one; nothing of ours that needs it would work.
    """
    for name in PACKAGES:
        found = _found(name)
        if found is None or found == home / name:
            continue
        raise ShadowedPackageError(
            f"Python finds {name!r} in {found}, which is not a part of connectwise-flows ({home}). "
            f"Rename or move that one, or run from another folder; {sys.executable} looks through its "
            "folders in the order of sys.path."
        )


def check_files(installed: Distribution | None = None) -> None:
    """Hold the first file of every installed package against what was installed; nothing in a checkout.

    Raises:
        ShadowedPackageError: another distribution has written over it.
    """
    try:
        installed = installed or distribution("connectwise-flows")
    except PackageNotFoundError:
        return
    first = {f"{name}/__init__.py" for name in PACKAGES}
    for file in installed.files or ():
        if file.as_posix() in first and file.hash is not None and file.hash.value != _digest(file.locate()):
            raise ShadowedPackageError(
                f"{file.locate()} is not the file of connectwise-flows: another distribution has written "
                "over it. Install both in environments of their own; pip install --force-reinstall "
                "connectwise-flows puts ours back."
            )


def _digest(path: object) -> str:
    """As the records of installed packages have it: SHA-256 in URL-safe base64 without padding."""
    content = Path(str(path)).read_bytes() if Path(str(path)).exists() else b""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def _found(name: str) -> Path | None:
    """The folder of a package, or the file of a module, of that name; None if there is none."""
    try:
        spec = find_spec(name)
    except ValueError:
        # Loaded by hand, without a specification.
        return None
    if spec is None:
        return None
    places = list(spec.submodule_search_locations or ())
    place = places[0] if places else spec.origin
    return Path(place).resolve() if place else None
