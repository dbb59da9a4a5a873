"""An agency's pages as a browser without scripts sees them: cookies, forms, tokens, and the second step's codes."""

import html
import http.client
import importlib.machinery
import importlib.util
import pathlib
import re
import time
import urllib.parse

_loader = importlib.machinery.SourceFileLoader("practice_code", str(pathlib.Path(__file__).resolve().parents[2] / "tools/practice-code"))
_module = importlib.util.module_from_spec(importlib.util.spec_from_loader("practice_code", _loader))
_loader.exec_module(_module)
code_of = _module.code_of


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.body = response.read()
        self.text = self.body.decode(errors="replace")

    @property
    def words(self):
        """What a person reads, in one line."""
        shown = re.sub(r"<(head|title)\b.*?</\1>", " ", self.text, flags=re.S)
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", shown))).replace(" .", ".")

    def links(self):
        return [html.unescape(link) for link in re.findall(r'href="([^"]*)"', self.text)]

    def form(self, action, *more):
        """The hidden fields of the form that goes there; `more`: its other attributes."""
        found = re.search(rf'<form method="post" action="{re.escape(action)}"{"".join(" " + re.escape(each) for each in more)}(?: enctype="multipart/form-data")?>(.*?)</form>', self.text, re.S)
        assert found, f"no form goes to {action}"
        return dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', found.group(1)))


class Browser:
    chosen = {}  # passwords that people chose in place of the first one, by the secret of their second step

    def __init__(self, url):
        self.origin = url
        self.host = urllib.parse.urlsplit(url)
        self.cookie = None

    def request(self, method, path, fields=None, headers=None):
        connection = http.client.HTTPConnection(self.host.hostname, self.host.port, timeout=60)
        sent = dict(headers or {})
        if self.cookie:
            sent["Cookie"] = self.cookie
        body = None
        if fields is not None:
            body = fields if isinstance(fields, bytes) else urllib.parse.urlencode(fields)
            sent.setdefault("Origin", self.origin)
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        answer = Answer(response)
        connection.close()
        if response.headers["Set-Cookie"]:
            self.cookie = response.headers["Set-Cookie"].split(";")[0]
        return answer

    def upload(self, path, fields, files):
        """A multipart form; `files`: {field: (name, text)}."""
        boundary, parts = "flagpost-boundary", []
        for name, value in fields.items():
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n')
        for name, (file, text) in files.items():
            parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: text/csv\r\n\r\n{text}\r\n')
        body = "".join(parts) + f"--{boundary}--\r\n"
        return self.request("POST", path, body.encode(), {"Origin": self.origin, "Content-Type": f"multipart/form-data; boundary={boundary}"})

    def get(self, path, headers=None):
        return self.request("GET", path, headers=headers)

    def follow(self, answer):
        """As a browser does after a form."""
        assert answer.status == 303, f"{answer.status}: {answer.text[:2000]}"
        return self.get(answer.headers["Location"])

    def post(self, page, action, **fields):
        """Sends the form of a page that goes to `action`, filled in."""
        return self.request("POST", action, page.form(action) | fields)

    def sign_in(self, name, password, secret):
        """A first password serves once: the person chooses another, with which they sign in from then on."""
        answer = self.request("POST", "/sign-in", {"name": name, "password": self.chosen.get(secret, password)})
        page = self.follow(answer)
        answer = self.post(page, "/sign-in/code", code=code_of(secret, int(time.time()) // 30))
        if answer.headers["Location"] == "/new-password":
            own = self.chosen.setdefault(secret, f"{name} likes warm rain")
            answer = self.post(self.follow(answer), "/new-password", password=own, again=own)
        return self.follow(answer)
