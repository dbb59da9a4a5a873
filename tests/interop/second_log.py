#!/usr/bin/python3
"""A second reading of the log's formats, written from the C2SP texts and RFC 6962 and sharing no code with the first.

    second_log.py make TREES SEED > cases      as log_cases.cpp says
    second_log.py check < cases                likewise

It is meant to be read beside the texts: everything is recursive, as RFC 6962 section 2.1 defines it, and nothing is
fast. Keys and signatures are those of python3-cryptography. Whatever is malformed raises ValueError.
"""

import base64
import hashlib
import json
import random
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOTE, COSIGNATURE = 1, 4
PROOF_FIRST_LINE = "c2sp.org/tlog-proof@v1"
LARGE_TREE_EVERY, LARGE_SIZE = 500, 70_000


def sha256(data):
    return hashlib.sha256(data).digest()


def encode(data):
    return base64.b64encode(data).decode()


def decode(text):
    data = base64.b64decode(text, validate=True)
    if encode(data) != text:
        raise ValueError("base64 of another spelling")
    return data


# RFC 6962, section 2.1

def leaf_hash(leaf):
    return sha256(b"\0" + leaf)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def split_of(size):
    """The largest power of two smaller than size."""
    return 1 << (size - 1).bit_length() - 1


class Tree:
    """A tree over these leaf hashes; the roots of whole subtrees are remembered."""

    def __init__(self, leaf_hashes):
        self.leaves = leaf_hashes
        self.known = {}

    def root(self, start=0, end=None):
        end = len(self.leaves) if end is None else end
        size = end - start
        if size == 0:
            return sha256(b"")
        if size == 1:
            return self.leaves[start]
        if (start, end) not in self.known:
            middle = start + split_of(size)
            self.known[start, end] = node_hash(self.root(start, middle), self.root(middle, end))
        return self.known[start, end]

    def path(self, index, start, end):
        if end - start == 1:
            return []
        middle = start + split_of(end - start)
        if index < middle:
            return self.path(index, start, middle) + [self.root(middle, end)]
        return self.path(index, middle, end) + [self.root(start, middle)]

    def consistency(self, old, start, end, whole=True):
        if old == end:
            return [] if whole else [self.root(start, end)]
        middle = start + split_of(end - start)
        if old <= middle:
            return self.consistency(old, start, middle, whole) + [self.root(middle, end)]
        return self.consistency(old, middle, end, False) + [self.root(start, middle)]


def root_of_path(index, size, leaf, path):
    """The root this path leads to; it is used up from its end, as it was made."""
    if not 0 <= index < size:
        raise ValueError("no such leaf")
    if size == 1:
        if path:
            raise ValueError("path too long")
        return leaf
    if not path:
        raise ValueError("path too short")
    middle = split_of(size)
    if index < middle:
        return node_hash(root_of_path(index, middle, leaf, path[:-1]), path[-1])
    return node_hash(path[-1], root_of_path(index - middle, size - middle, leaf, path[:-1]))


def roots_of_consistency(old, size, proof, old_root, whole=True):
    """The old and the new root that this proof leads to."""
    if old == size:
        if whole:
            if proof:
                raise ValueError("proof too long")
            return old_root, old_root
        if len(proof) != 1:
            raise ValueError("proof too short or too long")
        return proof[0], proof[0]
    if not proof:
        raise ValueError("proof too short")
    middle = split_of(size)
    if old <= middle:
        before, after = roots_of_consistency(old, middle, proof[:-1], old_root, whole)
        return before, node_hash(after, proof[-1])
    before, after = roots_of_consistency(old - middle, size - middle, proof[:-1], old_root, False)
    return node_hash(proof[-1], before), node_hash(proof[-1], after)


# C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-proof

class Key:
    """The public half: `name+hhhhhhhh+base64(type || key)`."""

    def __init__(self, name, kind, public):
        self.name, self.kind, self.public = name, kind, public
        self.id = sha256(name.encode() + b"\n" + bytes([kind]) + public)[:4]

    @staticmethod
    def parse(vkey):
        name, _, typed = vkey.split("+", 2)
        raw = decode(typed)
        key = Key(name, raw[0], raw[1:])
        if len(raw) != 33 or key.text() != vkey:
            raise ValueError("vkey")
        return key

    def text(self):
        return f"{self.name}+{self.id.hex()}+{encode(bytes([self.kind]) + self.public)}"

    def signed(self, message, signature):
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            raise ValueError("signature") from None


class Signer:
    def __init__(self, name, kind, seed):
        self.private = Ed25519PrivateKey.from_private_bytes(seed)
        self.key = Key(name, kind, self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @staticmethod
    def load(name, kind, pem):
        """From the bytes of a PKCS#8 PEM."""
        from cryptography.hazmat.primitives.serialization import load_pem_private_key, NoEncryption, PrivateFormat
        return Signer(name, kind, load_pem_private_key(pem, None).private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()))

    def blob(self, text, at=0):
        """What stands behind the key id in a signature line; `at`: seconds, of a cosignature."""
        if self.key.kind == NOTE:
            return self.private.sign(text.encode())
        return at.to_bytes(8, "big") + self.private.sign(cosigned(text, at))

    def line(self, blob):
        return f"— {self.key.name} {encode(self.key.id + blob)}\n"


def cosigned(text, at):
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def split_note(note):
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not signatures.endswith("\n"):
        raise ValueError("no signed note")
    lines = []
    for line in signatures[:-1].split("\n"):
        dash, name, blob = line.split(" ")
        raw = decode(blob)
        if dash != "—" or len(raw) < 5:
            raise ValueError("signature line")
        lines.append((name, raw[:4], raw[4:]))
    return text + "\n", lines


def blob_of(lines, key):
    for name, key_id, blob in lines:
        if (name, key_id) == (key.name, key.id):
            return blob
    raise ValueError(f"no line of {key.name}")


def open_head(note, key):
    """Size and root of a head this log signed."""
    text, lines = split_note(note)
    key.signed(text.encode(), blob_of(lines, key))
    origin, size, root, nothing = text.split("\n")
    if origin != key.name or nothing or str(int(size)) != size or len(decode(root)) != 32:
        raise ValueError("checkpoint")
    return int(size), decode(root)


def cosigned_at(note, witness):
    """When this witness cosigned it, in seconds."""
    text, lines = split_note(note)
    blob = blob_of(lines, witness)
    at = int.from_bytes(blob[:8], "big")
    witness.signed(cosigned(text, at), blob[8:])
    return at


def format_head(origin, size, root):
    return f"{origin}\n{size}\n{encode(root)}\n"


def format_proof(index, path, note):
    return "".join(line + "\n" for line in [PROOF_FIRST_LINE, f"index {index}", *map(encode, path), ""]) + note


def parse_proof(text):
    """Index, path and signed head of a .tlog-proof file."""
    lines, _, note = text.partition("\n\n")
    first, *words = lines.split("\n")
    if first != PROOF_FIRST_LINE:
        raise ValueError("not a proof file")
    if words and words[0].startswith("extra "):
        words = words[1:]
    if not words or not words[0].startswith("index "):
        raise ValueError("no index")
    return int(words[0][6:]), [decode(word) for word in words[1:]], note


# Cases

def leaves_of(tree, size):
    return [leaf_hash(b"leaf %d of tree %d" % (index, tree)) for index in range(size)]


def holds(claim, *arguments):
    try:
        return claim(*arguments) is not False
    except ValueError:
        return False


def faults_of(case):
    tree = case["tree"]
    try:
        key = Key.parse(case["key"])
        index, path, note = parse_proof(case["proof"])
        size, root = open_head(note, key)
    except ValueError:
        return ["head"]
    try:
        old_size, old_root = open_head(case["old_head"], key)
    except ValueError:
        return ["old_head"]
    consistency = [decode(text) for text in case["consistency"]]
    checks = {
        "root": lambda: Tree(leaves_of(tree, size)).root() == root,
        "inclusion": lambda: root_of_path(index, size, leaf_hash(b"leaf %d of tree %d" % (index, tree)), path) == root,
        "consistency": lambda: roots_of_consistency(old_size, size, consistency, old_root) == (old_root, root),
    }
    if case["witness"]:
        checks["cosignature"] = lambda: cosigned_at(note, Key.parse(case["witness"])) > 0
    return [name for name, check in checks.items() if not holds(check)]


class Maker:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.log = Signer("interop.example/second", NOTE, bytes([3] * 32))
        self.witness = Signer("interop.example/second-witness", COSIGNATURE, bytes([4] * 32))

    def flipped(self, data):
        place = self.rng.randrange(len(data))
        return data[:place] + bytes([data[place] ^ 1 << self.rng.randrange(8)]) + data[place + 1:]

    def spoilt(self, hashes):
        place = self.rng.randrange(len(hashes) + 1)
        if place == len(hashes) or self.rng.random() < 1 / 3:
            return hashes[:place] + [bytes(32)] + hashes[place:]
        return hashes[:place] + self.rng.choice([[], [self.flipped(hashes[place])]]) + hashes[place + 1:]

    def make(self, number):
        rng = self.rng
        bits = rng.randrange(11)
        size = (1 << bits) + rng.randrange(1 << bits)
        if number % LARGE_TREE_EVERY == LARGE_TREE_EVERY // 2:
            size = LARGE_SIZE + rng.randrange(1000)
        old_size, index = rng.randint(1, size), rng.randrange(size)
        tree = Tree(leaves_of(number, size))
        root, old_root = tree.root(), tree.root(0, old_size)
        path, consistency = tree.path(index, 0, size), tree.consistency(old_size, 0, size)
        way = rng.choice(["root", "old_root", "path", "proof", "index", "head", "text", "old_head", "cosigned", "time", "uncosigned"]
                         + ["none"] * 11)
        if way == "root":
            root = self.flipped(root)
        if way == "old_root":
            old_root = self.flipped(old_root)
        if way == "path":
            path = self.spoilt(path)
        if way == "proof":
            consistency = self.spoilt(consistency)
        if way == "index":
            index = rng.choice([i for i in (index - 1, index + 1, size) if i >= 0])
        text, old_text = (format_head(self.log.key.name, *head) for head in ((size, root), (old_size, old_root)))
        at = rng.randrange(1_700_000_000, 2_700_000_000)
        blob, old_blob, witness_blob = self.log.blob(text), self.log.blob(old_text), self.witness.blob(text, at)
        if way == "head":
            blob = self.flipped(blob)
        if way == "text":
            text = text.replace("\n", "\n1", 1)
        if way == "old_head":
            old_blob = self.flipped(old_blob)
        if way == "cosigned":
            witness_blob = witness_blob[:8] + self.flipped(witness_blob[8:])
        if way == "time":
            witness_blob = (at + 1).to_bytes(8, "big") + witness_blob[8:]
        lines = [self.log.line(blob)] + ([] if way == "uncosigned" else [self.witness.line(witness_blob)])
        rng.shuffle(lines)
        fails = {"root": ["root", "inclusion", "consistency"], "old_root": ["consistency"], "path": ["inclusion"], "proof": ["consistency"],
                 "index": ["inclusion"], "head": ["head"], "text": ["head"], "old_head": ["old_head"], "none": []}.get(way, ["cosignature"])
        return dict(tree=number, proof=format_proof(index, path, text + "\n" + "".join(lines)), old_head=old_text + "\n" + self.log.line(old_blob),
                    consistency=[encode(one) for one in consistency], key=self.log.key.text(), witness=self.witness.key.text(), fails=fails)


def main(words):
    if words == ["check"]:
        for line in sys.stdin:
            case = json.loads(line)
            print(case["tree"], ",".join(faults_of(case)) or "-")
    elif len(words) == 3 and words[0] == "make":
        maker = Maker(int(words[2]))
        for number in range(int(words[1])):
            print(json.dumps(maker.make(number), ensure_ascii=False))
    else:
        sys.exit("usage: second_log.py make TREES SEED | check")


if __name__ == "__main__":
    main(sys.argv[1:])
