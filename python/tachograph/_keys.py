"""Where the key-encryption key and the token are, in the order in which ``tacho`` looks for them,
and which logs this user made."""

import ipaddress
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from urllib.parse import urlsplit

from tachograph.errors import KeyUnavailable, LogUnusable

#: Bytes of a file with a token: signed tokens of issuers have some thousand.
_TOKEN_BYTES_MAX = 64 << 10


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


def of_agents(keys: Any) -> list[tuple[str | None, str, bytes]]:
    """The keys of agents: a name, ``None`` for all; the kind of source; a path, or the key."""
    if keys is None:
        return []
    if isinstance(keys, Mapping):
        return [(str(agent), *of_agent(key)) for agent, key in keys.items()]
    return [(None, *of_agent(keys))]


def of_agent(key: "str | os.PathLike[str] | bytes") -> tuple[str, bytes]:
    """The kind of source of one key, and its value."""
    if isinstance(key, (bytes, bytearray)):
        return ("line", bytes(key))
    return ("file", os.fsencode(key))


def token(
    url: str, given: "str | None", *, has_certificate: bool
) -> "tuple[str, str] | None":
    """The token that a server is shown, and where it came from; ``None`` when there is none."""
    if given is not None:
        return (given, "token=")
    if os.environ.get("TACHO_TOKEN", "").strip():
        return (os.environ["TACHO_TOKEN"], "TACHO_TOKEN")
    named = os.environ.get("TACHO_TOKEN_FILE", "").strip()
    if named:
        return (text(named, "the token"), named)
    folder = configuration_folder()
    if folder is None or has_certificate:
        return None
    # What administers the server on this machine is no other server's to know.
    names = ("token", "admin-token") if _is_loopback(url) else ("token",)
    for path in (folder / name for name in names):
        if path.exists():
            found = text(path, "the token")
            if found.strip():
                return (found, str(path))
    return None


def text(path: "str | os.PathLike[str]", what: str) -> str:
    """The text of a small file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(_TOKEN_BYTES_MAX)
    except (OSError, UnicodeDecodeError) as error:
        raise LogUnusable(f"cannot read {what} in {os.fspath(path)}: {error}") from None


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def known_by_origin(origin: str) -> list[str]:
    """Keys of a log that this user made, by its origin; none when it is not known."""
    folder = configuration_folder()
    if folder is None:
        return []
    try:
        for path in sorted((folder / "known-logs").glob("*.json")):
            it = json.loads(path.read_text())
            if it["origin"] == origin:
                return [str(key) for key in it["vkeys"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return []
