"""Another implementation opens the archive's lines, and DuckDB reads what is in them.

In: `golden/forward/archive/*.{in,out}.json`. Out: nothing, or an assertion. Needs cryptography and duckdb.
"""
import base64
import json
import pathlib
import tempfile

import duckdb
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

ROOT = pathlib.Path(__file__).resolve().parents[3]
CASES = ROOT / "tests/golden/forward/archive"


def opened(line, key):
    """The event in a line, by RFC 8439 and `docs/destinations/archive.md`."""
    sealed = base64.b64decode(line["sealed"])
    assert sealed[0] == 1, "the form"
    context = f"line {line['v']} {line['subject']} {line['id']}".encode()
    return ChaCha20Poly1305(key).decrypt(sealed[1:13], sealed[13:], context).decode()


def main():
    events = []
    for path in sorted(CASES.glob("*.out.json")):
        case = json.loads(path.read_text())
        given = json.loads(path.with_name(path.name.replace(".out.", ".in.")).read_text())
        for request in case.get("requests", []) if isinstance(case, dict) else []:
            key = base64.b64decode(given["person"]["archiveKey"]["key"])
            assert request["body"].endswith("\n") and "\r" not in request["body"], path.name
            for text in request["body"].splitlines():
                line = json.loads(text)
                events.append(opened(line, key))
                try:
                    opened(line, bytes(32))
                except InvalidTag:
                    continue
                raise AssertionError(f"{path.name}: another key opens the line")
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "events.ndjson").write_text("\n".join(events) + "\n")
    read = f"read_json('{folder}/events.ndjson', format = 'newline_delimited')"
    [(count, kinds, first)] = duckdb.sql(
        f'SELECT count(*), count(DISTINCT type), min("timestamp"::TIMESTAMPTZ)::VARCHAR FROM {read}').fetchall()
    assert count == len(events) and kinds >= 3, (count, kinds)
    assert first.startswith("2026-11-24"), first
    print(f"archive: {count} lines open with their key alone, and DuckDB reads them")


main()
