"""A guide's commands, run as they are written, in the folder of who follows it."""

import os
import subprocess

from flagpost import BIN, Scenario


class Guide(Scenario):
    def environment(self):
        return dict(os.environ, PATH=f"{BIN}:{os.environ['PATH']}")

    def call(self, *words, expect=0):
        """What it prints."""
        done = subprocess.run(words, cwd=self.desk, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, text=True)
        self.assertEqual(done.returncode, expect, (words, done.stdout, done.stderr))
        return done.stdout

    def serve(self, command):
        log = open(self.folder / "serve.log", "ab")
        daemon = subprocess.Popen(command, cwd=self.desk, env=self.environment(), stdout=subprocess.PIPE, stderr=log)
        log.close()
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.terminate)
        self.addCleanup(daemon.stdout.close)
        line = daemon.stdout.readline().decode()
        self.assertTrue(line.startswith("pages http://localhost:"), line)
        self.url = line.split()[1]
