"""A run in a machine that is cut off: loopback only, no DNS, no chat, no internet."""

import subprocess
import sys
from pathlib import Path

import pytest
from cli_place import Place

from tests.real_parts import need, strict

CUT_OFF = """
format: 1
runbook: cut-off
title: A platform that cannot be reached from outside
owner: ops
severity: sev2
checks:
  local: {http: {get: 'TARGET/there'}, pass: response.status == 200}
  world: {http: {get: 'https://status.example.com/'}, pass: response.status == 200}
  name: {dns: {name: status.example.com}, timeout: 2s, attempts: 1}
actions:
  drain:
    http: {put: 'TARGET/drained'}
    undo: {http: {delete: 'TARGET/drained'}}
  tell:
    page: {routing_key: nobody-hears-it, summary: cut off}
    leaves_nothing: true
    timeout: 3s
isolate:
  - {check: world}
  - {check: name}
  - {act: tell, on_fail: continue}
  - {approve: drain it, from: [{group: ops}]}
  - {act: drain}
restore:
  - {check: local, expect: pass}
  - {undo: all}
"""
INSIDE = """
set -e
ip link set lo up
{python} {target} {port_file} &
target=$!
trap 'kill $target' EXIT
until [ -s {port_file} ]; do sleep 0.05; done
sed -i "s|TARGET|http://127.0.0.1:$(cat {port_file})|" runbooks/cut-off.yaml
: > run.txt
{python} -m engine run cut-off >> run.txt 2>&1 &
run=$!
until grep -q 'waits for ops' run.txt; do kill -0 $run; sleep 0.1; done
id=$({python} -m engine runs --json | grep -o 'r-[a-z0-9]*' | head -1)
{python} -m engine approve "$id" > approve.txt 2>&1
wait $run
{python} -m engine timeline "$id" --format json > timeline.txt
"""
TARGET = """
import pathlib, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def do_PUT(self):
        with open("changes.txt", "a") as file:
            file.write(self.command + " " + self.path + "\\n")
        self.do_GET()

    do_DELETE = do_PUT

    def log_message(self, *told):
        pass

server = HTTPServer(("127.0.0.1", 0), Handler)
pathlib.Path(sys.argv[1]).write_text(str(server.server_address[1]))
server.serve_forever()
"""


def _cut_off(folder: Path, script: str) -> "subprocess.CompletedProcess[str]":
    """Run a script in a network of its own that has nothing but loopback."""
    need("ip")
    space = [need("unshare"), "--map-root-user", "--net", "sh", "-c"]
    probe = subprocess.run(
        [*space, "ip link set lo up"], capture_output=True, check=False
    )
    if probe.returncode != 0:
        reason = f"no network of its own here: {probe.stderr.decode().strip()}"
        if strict():
            pytest.fail(reason)
        pytest.skip(reason)
    return subprocess.run(
        [*space, script], cwd=folder, capture_output=True, text=True, timeout=100,
        check=False,
    )  # fmt: skip


def test_g13_a_run_goes_its_way_with_loopback_only(place: Place) -> None:
    """
    No DNS, no chat, no page gets through: checks say unknown, the run asks, acts on an
    address, gives back, and says what it could not tell anybody.
    """
    config = place.folder / "engine.yaml"
    config.write_text(config.read_text() + "network: {allow: [127.0.0.0/8]}\n")
    (place.folder / "runbooks/cut-off.yaml").write_text(CUT_OFF)
    (place.folder / "target.py").write_text(TARGET)
    script = INSIDE.format(
        python=sys.executable, target="target.py", port_file="port.txt"
    )
    done = _cut_off(place.folder, script)
    told = (place.folder / "run.txt").read_text()
    timeline = (place.folder / "timeline.txt").read_text()

    assert (0, "") == (done.returncode, done.stderr), told
    assert ["PUT /drained", "DELETE /drained"] == (
        (place.folder / "changes.txt").read_text().splitlines()
    )
    assert "world unknown" in timeline
    assert "name unknown" in timeline
    assert "local pass" in timeline
    assert "resolved" in told
