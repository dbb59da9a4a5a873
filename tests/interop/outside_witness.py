"""A witness as C2SP tlog-witness describes it, with second_log.py for its formats: for tests, and for reading.

    with OutsideWitness(folder, [log_vkey]) as witness:
        witness.url, witness.key.text(), witness.answered
"""

import http.server
import json
import os
import pathlib
import threading
import time

import second_log
from second_log import Key, Signer


class OutsideWitness:
    """Serves on a port of the system's choice. `heads`: {origin: [size, root in base64]}, kept in a file, written before
    anything is answered."""

    def __init__(self, folder, log_vkeys, name="outside.example/w1", seed=bytes([9] * 32), port=0):
        self.signer = Signer(name, second_log.COSIGNATURE, seed)
        self.key = self.signer.key
        self.logs = {key.name: key for key in map(Key.parse, log_vkeys)}
        self.file = pathlib.Path(folder) / "outside-witness.json"
        self.answered = []  # status of each answer
        self.lines = lambda line: line  # a witness that lies changes them
        self.lock = threading.Lock()
        witness = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                status, kind, text = witness.answer(self.path, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())
                witness.answered.append(status)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/prefix"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def heads(self):
        return json.loads(self.file.read_text()) if self.file.exists() else {}

    def remember(self, origin, size, root):
        new = self.file.with_suffix(".new")
        with open(new, "w") as out:
            json.dump(self.heads | {origin: [size, second_log.encode(root)]}, out)
            out.flush()
            os.fsync(out.fileno())
        new.replace(self.file)

    def answer(self, path, body):
        """Status, content type and text."""
        plain = "text/plain"
        if path != "/prefix/add-checkpoint":
            return 404, plain, "no such place\n"
        try:
            first, _, head = body.partition("\n\n")
            old_line, *hashes = first.split("\n")
            word, old = old_line.split(" ")
            proof, old = [second_log.decode(line) for line in hashes], int(old)
            origin = head.split("\n")[0]
            if word != "old" or len(proof) > 63:
                raise ValueError("old")
        except ValueError:
            return 400, plain, "malformed\n"
        if origin not in self.logs:
            return 404, plain, "unknown log\n"
        try:
            size, root = second_log.open_head(head, self.logs[origin])
        except ValueError:
            return 403, plain, "no signature of this log\n"
        if old > size:
            return 400, plain, "older than old\n"
        with self.lock:
            last, last_root = self.heads.get(origin, [0, second_log.encode(second_log.sha256(b""))])
            last_root = second_log.decode(last_root)
            if old != last:
                return 409, "text/x.tlog.size", f"{last}\n"
            try:
                consistent = not proof if old == 0 else second_log.roots_of_consistency(old, size, proof, last_root) == (last_root, root)
            except ValueError:
                consistent = False
            if not consistent:
                return 422, plain, "not consistent\n"
            self.remember(origin, size, root)
        text = second_log.split_note(head)[0]
        return 200, plain, self.lines(self.signer.line(self.signer.blob(text, int(time.time()))))
