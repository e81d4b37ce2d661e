"""Holds a server to the description that it gives of itself: made-up requests to every address, from one seed.

    python check.py http://127.0.0.1:7411 TOKEN_FILE

Whatever is answered has to be described, and nothing may be the server's fault. schemathesis.toml says which checks.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

address, token_file = sys.argv[1:3]
configuration = pathlib.Path(__file__).resolve().with_name("schemathesis.toml")
program = pathlib.Path(sys.executable).with_name("st")
token = pathlib.Path(token_file).read_text().strip()
command = [program, "--config-file", configuration, "--no-color", "run", f"{address}/openapi.json"]
# It leaves notes where it runs.
with tempfile.TemporaryDirectory() as folder:
    sys.exit(subprocess.run(command, cwd=folder, env={**os.environ, "TACHO_TOKEN": token}).returncode)
