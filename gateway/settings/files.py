"""What tells a file from what it was."""

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

Fingerprint = tuple[int, int, int, int] | None


def fingerprint(path: Path) -> Fingerprint:
    """
    Return what ``stat`` says of a file, None when it is not there.

    Links are followed: Kubernetes changes where those of a ConfigMap or a Secret lead.
    """
    try:
        found = path.stat()
    except (OSError, ValueError):  # the latter for a path that no file can have
        return None
    if not can_be_read_again(found.st_mode):  # whoever writes into it changes it
        return found.st_dev, found.st_ino, 0, 0
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def gone(files: Mapping[Path, Fingerprint]) -> Iterator[str]:
    """Say of which files, read once, nothing can be read now; ``files`` are as they were then."""
    for path, before in files.items():
        try:
            found = path.stat()
        except (OSError, ValueError):
            continue  # whoever reads it says what is wrong
        if not can_be_read_again(found.st_mode):
            yield f"{path} is a pipe, which can be read only once; name a file, or restart the gateway."
        elif before is not None and before[2] and not found.st_size:
            yield f"{path} is empty now."


def can_be_read_again(mode: int) -> bool:
    return not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))
