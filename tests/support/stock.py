"""For tests whose clients are none of ours: a stock TLS tunnel, and accessors that flatc makes of the schemas."""

import json
import pathlib
import signal
import socket
import subprocess

from flagpost import SOURCE, Scenario, free_port, until

STUNNEL = """
foreground = yes
pid =
syslog = no
debug = warning
[broker]
client = yes
accept = 127.0.0.1:{listen}
connect = 127.0.0.1:{broker}
cert = {identity}/tls.crt
key = {identity}/tls.key
CAfile = {pki}/ca.crt
verifyChain = yes
checkHost = localhost
sslVersionMin = TLSv1.3
"""


def can_connect(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class StockScenario(Scenario):
    def accessors(self):
        """A folder to import `flagpost.schemas` from."""
        folder = self.folder / "accessors"
        if not folder.exists():
            self.partnership.call("flatc", "--python", "-o", folder, *sorted((SOURCE / "schemas").glob("*.fbs")))
        return folder

    def tunnel(self, identity):
        """A stunnel to the broker with this identity; the endpoint it listens at."""
        listen = free_port()
        config = self.folder / f"stunnel-{listen}.conf"
        config.write_text(STUNNEL.format(listen=listen, broker=self.partnership.port, identity=identity, pki=self.pki))
        with open(self.folder / "stunnel.log", "ab") as log:
            process = subprocess.Popen(["stunnel4", config], stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.send_signal, signal.SIGTERM)
        until(lambda: can_connect(listen), 10, "stunnel listens")
        return f"tcp://127.0.0.1:{listen}"

    def consume(self, endpoint, topic, items, *arguments, wait_s=60):
        """Runs consumer.py to its end, whichever that is: the deliveries it saw, and the reasons of what it was refused, or
        nothing where it did not live to say."""
        script = pathlib.Path(__file__).with_name("consumer.py")
        command = ["/usr/bin/python3", script, self.accessors(), endpoint, topic, "--items", items, *arguments]
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, timeout=wait_s)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        seen = [line for line in lines if "number" in line]
        if done.returncode == -signal.SIGKILL:
            return seen, None
        self.assertEqual(done.returncode, 0)
        return seen, lines[-1]["refused"]
