"""Where the key-encryption key is, in the order in which ``tacho`` looks for it, and which logs
this user made."""

import json
import os
from pathlib import Path

from tachograph.errors import KeyUnavailable


def place(kek_file: "str | os.PathLike[str] | None") -> tuple[str, str]:
    """The kind of source, and its value: a path, the key itself, a passphrase, or a command."""
    environment = os.environ
    path = kek_file or environment.get("TACHO_KEK_FILE")
    if path:
        return ("file", os.fspath(path))
    for kind, variable in (
        ("command", "TACHO_KEK_COMMAND"),
        ("key", "TACHO_KEK"),
        ("passphrase", "TACHO_KEK_PASSPHRASE"),
    ):
        if environment.get(variable, "").strip():
            return (kind, environment[variable])
    folder = configuration_folder()
    if folder is None:
        raise KeyUnavailable(
            "there is no place for the key-encryption key, because neither XDG_CONFIG_HOME nor "
            "HOME is set; name one with kek_file"
        )
    return ("file", str(folder / "kek"))


def configuration_folder() -> "Path | None":
    """The user's, which ``tacho`` has as well."""
    base = os.environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        home = os.environ.get("HOME", "")
        if not home:
            return None
        base = os.path.join(home, ".config")
    return Path(base) / "tachograph"


def remember(log_id: str, origin: str, vkeys: list[str]) -> None:
    """Notes the signer of a log that was made just now, for ``verify``. Fails silently: it is
    made."""
    folder = configuration_folder()
    if folder is None:
        return
    path = folder / "known-logs" / f"{log_id}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"origin": origin, "vkeys": vkeys}, indent=2) + "\n")
        temporary.rename(path)
    except OSError:
        pass


def known(log_id: str) -> "tuple[str | None, list[str]]":
    """Origin and keys of a log that this user made; nothing when it is not known."""
    folder = configuration_folder()
    if folder is None:
        return (None, [])
    try:
        it = json.loads((folder / "known-logs" / f"{log_id}.json").read_text())
        return (str(it["origin"]), [str(key) for key in it["vkeys"]])
    except (OSError, ValueError, KeyError, TypeError):
        return (None, [])
