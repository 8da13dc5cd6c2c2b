"""ClickHouse itself judges hilo's inserts: the requests of the golden cases run on the table of the destination's page.

In: `docs/destinations/clickhouse.md`, `golden/forward/clickhouse/*.out.json`. Out: nothing, or an assertion. Needs chdb, which is ClickHouse as
a library.
"""
import json
import pathlib
import re
import tempfile
import urllib.parse

from chdb import session

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGE = ROOT / "crates/hilo-collector/docs/destinations/clickhouse.md"
CASES = ROOT / "tests/golden/forward/clickhouse"
# These belong to the HTTP interface, or to the test's own settings.
NOT_SETTINGS = {"query", "param_database", "param_table", "wait_end_of_query"}


def requests():
    """Every request of the golden cases."""
    for path in sorted(CASES.glob("*.out.json")):
        case = json.loads(path.read_text())
        for request in case.get("requests", []) if isinstance(case, dict) else []:
            yield path.name, request


def insert(engine, request):
    """Runs a request as ClickHouse's HTTP interface would."""
    given = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request["url"]).query))
    assert "FORMAT JSONEachRow" in given["query"], given["query"]
    table = f"`{given['param_database']}`.`{given['param_table']}`"
    settings = ", ".join(f"{name} = '{value}'" for name, value in given.items() if name not in NOT_SETTINGS)
    text = given["query"].replace("{database:Identifier}.{table:Identifier}", table)
    engine.query(f"{text.replace(' FORMAT', f' SETTINGS {settings} FORMAT')}\n{request['body']}")
    return table


def refuse(engine, ddl):
    """Rows that cannot be read are refused by one of the numbers that hilo takes for an event's fault."""
    source = (ROOT / "crates/hilo-collector/src/forward/destinations/clickhouse.rs").read_text()
    faults = re.search(r"\n\s+([\d |]+) => \{\s+Reception::Poison", source).group(1).split(" | ")
    engine.query(ddl.replace("hilo.events", "hilo.refused"))
    for row in ['{"event_id":"a","event_time":"no time"}', '{"event_id":"a" "type":"page"}', '{"event_id":"a","received_at":{}}']:
        try:
            engine.query(f"INSERT INTO hilo.refused SETTINGS async_insert = 0 FORMAT JSONEachRow\n{row}\n")
        except Exception as error:
            code = re.search(r"Code: (\d+)", str(error)).group(1)
            assert code in faults, f"{row}: {error}"
        else:
            raise AssertionError(f"{row} was taken")


def main():
    ddl = re.search(r"```sql\n(.*?)```", PAGE.read_text(), re.S).group(1).rstrip("; \n")
    engine = session.Session(tempfile.mkdtemp())
    engine.query("CREATE DATABASE hilo")
    engine.query(ddl)
    engine.query(ddl.replace("hilo.events", "hilo.touchpoints"))
    ids = {}
    for name, request in requests():
        table = insert(engine, request)
        rows = [json.loads(line) for line in request["body"].splitlines()]
        ids.setdefault(table, set()).update(row["event_id"] for row in rows)
        insert(engine, request)
        stored = json.loads(str(engine.query(
            f"SELECT event_id, toUnixTimestamp64Milli(event_time) AS ms, properties FROM {table} FINAL"
            f" WHERE event_id = '{rows[0]['event_id']}' AND type = '{rows[0]['type']}' FORMAT JSON")))["data"]
        assert len(stored) >= 1, f"{name}: a row is missing"
        if "async_insert=0" in request["url"]:
            # The token lets the table itself drop the repeat, before anything is merged.
            count = int(str(engine.query(f"SELECT count() FROM {table}")).strip())
            assert count == len(rows), f"{name}: {count} rows after a repeat of {len(rows)}"
        assert all(int(one["ms"]) // 1000 // 86400 == 20781 for one in stored), f"{name}: {stored}"
    refuse(engine, ddl)
    for table, known in ids.items():
        found = int(str(engine.query(f"SELECT uniq(event_id) FROM {table}")).strip())
        assert found == len(known), f"{table}: {found} ids of {len(known)}"
    print(f"clickhouse: {sum(map(len, ids.values()))} rows of {len(list(requests()))} inserts are stored, repeats are merged")


main()
