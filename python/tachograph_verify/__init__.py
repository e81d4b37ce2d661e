"""A second verifier: pure Python, written from docs/internals/format.md, sharing no code with the
first.

It checks what needs no secret: the public log in a log's folder (format.md, section 12, lines 1 to
4 and 6), receipts that were kept, and evidence documents. Needs ``cryptography`` for Ed25519, and
nothing of the package ``tachograph``.

    python -m tachograph_verify FOLDER|DOCUMENT [--key VKEY] [--since RECEIPTS]
"""

from tachograph_verify.document import check_document
from tachograph_verify.folder import check_folder
from tachograph_verify.report import Report

__all__ = ["Report", "check_document", "check_folder"]
