"""What tells a file from what it was."""

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
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
