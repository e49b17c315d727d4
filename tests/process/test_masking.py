"""Redaction, in a process that is watched."""

import subprocess
import sys

WATCHED = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        sys.stderr.write(f"REFUSED {event}\\n")
    if event == "open" and set(str(arguments[1])) & set("wax+") and arguments[0] != "/dev/null":
        sys.stderr.write(f"REFUSED to write {arguments[0]}\\n")

import logging, io
logged = io.StringIO()
logging.basicConfig(level=0, stream=logged)
sys.dont_write_bytecode = True
sys.addaudithook(refuse)
import pyarrow as pa
from training.recipe.datasets.masking import mask
from training.options import Masking
table = pa.table({"note": ["ada@example.com 212-555-5555 4111 1111 1111 1111"]})
masked, _ = mask(table, {"note": Masking("redact")}, bytes(32))
print(masked.column("note").to_pylist()[0])
if "ada" in logged.getvalue() or "4111" in logged.getvalue():
    sys.stderr.write("REFUSED to log")
"""


def test_redaction_opens_no_connection_writes_no_file_and_logs_no_text() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "<EMAIL_ADDRESS> <PHONE_NUMBER> <CREDIT_CARD>"
    assert "REFUSED" not in done.stderr
