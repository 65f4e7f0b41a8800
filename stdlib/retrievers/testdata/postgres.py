"""Runs a command with a Postgres that has pgvector, and stops it afterwards.

    postgres.py COMMAND...

The server is that of the package pgserver. Its address is in DSPI_POSTGRES.
"""
import os
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")  # pgserver asks for a folder that not every machine has
import pgserver  # noqa: E402


if len(sys.argv) < 2:
    sys.exit(__doc__)
with tempfile.TemporaryDirectory(prefix="dspi-pg") as folder:
    os.chmod(folder, 0o755)
    server = pgserver.get_server(os.path.join(folder, "data"), cleanup_mode="stop")
    try:
        environment = dict(os.environ, DSPI_POSTGRES=server.get_uri())
        status = subprocess.call(sys.argv[1:], env=environment)
    finally:
        server.cleanup()
sys.exit(status)
