"""A partnership on this machine: certificates, a broker and adapters as real processes over real mutual TLS.

Used by tools/demo and by the scenario tests. Everything lives in one folder; nothing outlives `close`.
"""

import json
import os
import pathlib
import signal
import subprocess
import time

SOURCE = pathlib.Path(os.environ.get("FLAGPOST_SOURCE", pathlib.Path(__file__).resolve().parent.parent))
BIN = pathlib.Path(os.environ.get("FLAGPOST_BIN", SOURCE / "build" / "bin"))
NAME = "nottinghamshire.example"


class Failed(Exception):
    """A program ended otherwise than it should; the text is what it printed."""


class Partnership:
    def __init__(self, folder, agencies, agreement, pki=None):
        self.folder = pathlib.Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.pki = pathlib.Path(pki or self.folder / "pki").resolve()
        self.agreement = pathlib.Path(agreement).resolve()
        self.port, self.broker, self.daemons = 0, None, []
        self.address = "127.0.0.1"
        self.broker_more = ""  # further lines of its config
        self.make_pki(agencies)

    def make_pki(self, agencies):
        """Makes what is missing; certificates of an earlier run serve again, their CRL is renewed."""
        listed = self.pki / "agencies.txt"
        if listed.exists() and listed.read_text().split() == list(agencies):
            self.call(SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--renew-crl")
            return
        self.pki.mkdir(parents=True, exist_ok=True)
        command = [SOURCE / "certs" / "make-dev-pki", "--out", self.pki, "--partnership", NAME]
        for agency in agencies:
            command += ["--agency", agency]
        self.call(*command)
        listed.write_text("\n".join(agencies) + "\n")

    def command_of(self, program, *arguments):
        """How a program of ours is started; replaced where it has to run in a place of its own."""
        return [BIN / program, *arguments]

    # --- the broker

    def start_broker(self, listen_port=None, wait_s=30):
        """Starts it on the port it had before, or one of the system's choice; returns when it serves."""
        config = self.folder / "broker.toml"
        config.write_text(f'partnership = "{NAME}"\nlisten = "{self.address}:{listen_port or self.port}"\ndata = "broker-data"\n'
                          f'pki = "{self.pki}"\nagreement = "{self.agreement}"\n{self.broker_more}')
        log = open(self.folder / "broker.log", "ab")
        self.broker = subprocess.Popen(self.command_of("flagpost-broker", "run", "--config", config), stdout=subprocess.PIPE, stderr=log)
        log.close()
        deadline = time.monotonic() + wait_s
        line = self.broker.stdout.readline().decode()
        if not line.startswith("ready ") or time.monotonic() > deadline:
            self.broker.kill()
            raise Failed(f"the broker did not start; see {self.folder / 'broker.log'}\n" + self.tail("broker.log"))
        self.port = int(line.split()[1])
        return self.port

    def kill_broker(self):
        """kill -9."""
        self.broker.kill()
        self.broker.wait()
        self.broker.stdout.close()

    def reload_broker(self):
        self.broker.send_signal(signal.SIGHUP)

    def stop_broker(self, wait_s=30):
        self.broker.send_signal(signal.SIGTERM)
        code = self.broker.wait(wait_s)
        self.broker.stdout.close()
        return code

    # --- adapters

    def config(self, agency, **own):
        """The config file of one adapter; `own` are its role's settings."""
        name = agency.replace("/", "-")
        path = self.folder / f"{name}.toml"
        lines = [f'broker = "localhost:{self.port}"', f'partnership = "{NAME}"', f'identity = "{self.pki / name}"', f'ca = "{self.pki / "ca.crt"}"',
                 f'log_vkey = "{self.pki / "broker" / "log.vkey"}"', f'data = "{name}.db"']
        lines += [f"{key} = {json.dumps(value)}" for key, value in own.items()]
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self, program, agency, *arguments):
        """A daemon, stopped by `close`."""
        name = agency.replace("/", "-")
        with open(self.folder / f"{name}.log", "ab") as log:
            daemon = subprocess.Popen(self.command_of(program, *arguments, "--config", self.folder / f"{name}.toml"), stdout=log, stderr=log)
        self.daemons.append(daemon)
        return daemon

    def serve_pages(self, program, agency, *arguments):
        """A daemon with pages; returns it and the address of the pages."""
        name = agency.replace("/", "-")
        with open(self.folder / f"{name}.log", "ab") as log:
            daemon = subprocess.Popen(self.command_of(program, "serve", *arguments, "--config", self.folder / f"{name}.toml"), stdout=subprocess.PIPE, stderr=log)
        self.daemons.append(daemon)
        line = daemon.stdout.readline().decode()
        if not line.startswith("pages "):
            raise Failed(f"the pages of {agency} did not start\n" + self.tail(f"{name}.log"))
        daemon.stdout.close()  # it says no more
        return daemon, line.split()[1]

    def run(self, program, agency, *arguments, wait_s=300):
        """A command of one adapter, run to its end; what it printed."""
        name = agency.replace("/", "-")
        return self.call(*self.command_of(program, *arguments, "--config", self.folder / f"{name}.toml"), wait_s=wait_s)

    def sealed_export(self, auditor, directory, scope="all", reason="practice"):
        """An export with bodies, and with what opens them sealed to `seal.key` in the partnership's folder."""
        key, public = self.folder / "seal.key", self.folder / "seal.pub"
        if not key.exists():
            self.call("openssl", "genpkey", "-algorithm", "X25519", "-out", key)
            key.chmod(0o600)
            self.call("openssl", "pkey", "-in", key, "-pubout", "-out", public)
        return self.run("flagpost-audit", auditor, "export", "--sealed", directory, "--scope", scope, "--for", public, "--reason", reason)

    def json(self, program, agency, *arguments):
        return json.loads(self.run(program, agency, *arguments, "--json"))

    @staticmethod
    def call(*command, wait_s=300):
        done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=wait_s)
        if done.returncode != 0:
            words = " ".join(str(part) for part in command)
            raise Failed(f"{words}\nended with {done.returncode}\n{done.stdout.decode()[-2000:]}\n{done.stderr.decode()[-2000:]}")
        return done.stdout.decode()

    def tail(self, log, lines=5):
        path = self.folder / log
        return "".join(path.read_text(errors="replace").splitlines(True)[-lines:]) if path.exists() else ""

    def close(self):
        for process in self.daemons:
            if process.poll() is None:
                process.terminate()
        for process in self.daemons:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self.broker is not None and self.broker.poll() is None:
            try:
                self.stop_broker()
            except subprocess.TimeoutExpired:
                self.kill_broker()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def until(condition, wait_s, what):
    """Asks again and again until the answer is true; fails by name after `wait_s`."""
    deadline = time.monotonic() + wait_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failed(f"not within {wait_s} s: {what}")
        time.sleep(0.05)
