"""``python -m tachograph_verify``: exit codes as ``tacho verify``: 0, 10, 11."""

import argparse
import sys
from pathlib import Path

from tachograph_verify import check_document, check_folder


def main() -> int:
    parser = argparse.ArgumentParser(
        "tachograph_verify", description="A second verifier, public part"
    )
    parser.add_argument("target", type=Path, help="a log's folder, or an evidence document")
    parser.add_argument("--key", action="append", help="a vkey that must have signed")
    parser.add_argument("--since", type=Path, help="receipts, or a checkpoint, kept from earlier")
    options = parser.parse_args()
    if options.target.is_dir():
        since = options.since.read_text() if options.since else ""
        report = check_folder(options.target, options.key, since)
    else:
        report = check_document(options.target.read_bytes(), options.key)
    print(f"{report.origin or '?'}: {report.size} entries, root {report.root}")
    for finding in report.findings:
        print(f"  wrong: {finding}")
    for note in report.notes:
        print(f"  note: {note}")
    for note in report.unassessed:
        print(f"  not assessed: {note}")
    signer = "" if report.is_pinned else " (not pinned: give --key to know who signed)"
    print(f"{report.verdict}, {report.level}{signer}; records, journal and keyring were not read")
    return {"ok": 0, "tampered": 10, "incomplete": 11}[report.verdict]


if __name__ == "__main__":
    sys.exit(main())
