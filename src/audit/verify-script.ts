/**
 * The text of a bundle's `verify.py`: a second implementation of the check, for people who trust neither us nor our tools.
 * Python 3.8's standard library and the `openssl` command are all it needs.
 */
export const verifyScript = String.raw`#!/usr/bin/env python3
"""Checks the audit bundle in this folder: python3 verify.py [--fingerprint HEX] [FOLDER]

Python 3.8 or newer and the openssl command are all it needs. Exits 0 when everything agrees, else 1.
"""
import argparse, base64, hashlib, hmac, json, os, re, stat, subprocess, sys, tempfile

FILES = ["entries.jsonl", "leaves.bin", "checkpoint.txt", "public-key.pem", "manifest.json", "VERIFY.md", "verify.py"]
SMALL, LINE = 1 << 20, 1 << 16
P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")


class Bad(Exception):
    pass


def need(condition, problem):
    if not condition:
        raise Bad(problem)


def sha256(data):
    return hashlib.sha256(data).digest()


def unbase64(text):
    data = base64.b64decode(text.encode("ascii"), validate=True)
    need(base64.b64encode(data).decode("ascii") == text, "a base64 text is not in its one form")
    return data


class Bundle:
    def __init__(self, folder):
        self.folder = folder

    def open(self, name):
        path = os.path.join(self.folder, name)
        need(os.path.lexists(path), name + " is missing")
        need(stat.S_ISREG(os.lstat(path).st_mode), name + " is not a plain file")
        return open(path, "rb")

    def small(self, name):
        with self.open(name) as file:
            data = file.read(SMALL + 1)
        need(len(data) <= SMALL, name + " is too large")
        return data

    def digest(self, name):
        total = hashlib.sha256()
        with self.open(name) as file:
            for block in iter(lambda: file.read(SMALL), b""):
                total.update(block)
        return total.hexdigest()

    def lines(self, name, longest):
        with self.open(name) as file:
            for line in iter(lambda: file.readline(longest + 1), b""):
                need(line.endswith(b"\n"), name + " has a line that is too long or cut off")
                yield line[:-1]


def check_sums(bundle):
    seen = set()
    for line in bundle.small("SHA256SUMS").decode("ascii").splitlines():
        match = re.fullmatch(r"([0-9a-f]{64})  ([A-Za-z0-9.-]+)", line)
        need(match and match[2] in FILES + ["personal.jsonl"], "SHA256SUMS has a line that does not belong there")
        need(match[2] not in seen, "SHA256SUMS names a file twice")
        seen.add(match[2])
        need(bundle.digest(match[2]) == match[1], match[2] + " is not what SHA256SUMS says")
    need(seen.issuperset(FILES), "SHA256SUMS does not list every file")


def read_key(bundle):
    pem = bundle.small("public-key.pem").decode("ascii")
    match = re.fullmatch(r"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)-----END PUBLIC KEY-----\n", pem)
    need(match, "public-key.pem is not one public key")
    der = unbase64(match[1].replace("\n", ""))
    need(len(der) == 91 and der.startswith(P256), "public-key.pem is not a P-256 key")
    return der


def openssl_verifies(der, signature, body):
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, name) for name in ("key", "signature", "body")]
        # The key is written anew, so that openssl uses exactly the one whose fingerprint we print.
        pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(der) + b"-----END PUBLIC KEY-----\n"
        for path, data in zip(paths, (pem, signature, body)):
            with open(path, "wb") as file:
                file.write(data)
        command = ["openssl", "dgst", "-sha256", "-verify", paths[0], "-signature", paths[1], paths[2]]
        try:
            result = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
        except FileNotFoundError:
            raise Bad("the openssl command is needed, and not there")
        return result.returncode == 0


def check_checkpoint(bundle, der):
    lines = bundle.small("checkpoint.txt").decode("utf-8").split("\n")
    need(len(lines) >= 6 and lines[3] == "" and lines[-1] == "", "checkpoint.txt is not a signed checkpoint")
    origin, size, root = lines[:3]
    need(re.fullmatch(r"keyctl/[0-9a-f-]{36}/[0-9A-Za-z._-]{1,64}", origin), "checkpoint.txt has a strange origin")
    need(re.fullmatch(r"0|[1-9][0-9]{0,15}", size), "checkpoint.txt has a strange size")
    start = "\u2014 " + origin + " "
    signed = [unbase64(line[len(start):]) for line in lines[4:-1] if line.startswith(start)]
    ours = [data[4:] for data in signed if data[:4] == sha256(der)[:4]]
    need(ours, "checkpoint.txt is not signed by public-key.pem")
    body = "\n".join(lines[:3] + [""]).encode("utf-8")
    for signature in ours:
        need(openssl_verifies(der, signature, body), "the signature of checkpoint.txt is wrong")
    return origin, int(size), unbase64(root)


def check_leaves(bundle, size, root):
    """The root of RFC 9162: full subtrees are kept on a stack and merged as soon as two have the same size."""
    stack, count = [], 0
    with bundle.open("leaves.bin") as file:
        for leaf in iter(lambda: file.read(32), b""):
            need(len(leaf) == 32, "leaves.bin is cut off")
            rest = count
            while rest & 1:
                leaf = sha256(b"\x01" + stack.pop() + leaf)
                rest >>= 1
            stack.append(leaf)
            count += 1
    node = stack.pop() if stack else sha256(b"")
    while stack:
        node = sha256(b"\x01" + stack.pop() + node)
    need(count == size and node == root, "leaves.bin does not lead to the root that was signed")


def read_personal(bundle):
    for line in bundle.lines("personal.jsonl", SMALL):
        opened = json.loads(line.decode("utf-8"))
        seq, field, salt, value = (opened[name] for name in ("seq", "field", "salt", "value"))
        data = b"keyctl/v1/pii\0" + field.encode("utf-8") + b"\0" + value.encode("utf-8")
        yield seq, field, hmac.new(bytes.fromhex(salt), data, "sha256").hexdigest()


def check_entries(bundle, log, size, personal):
    shown, last, opened = 0, -1, next(personal, None)
    with bundle.open("leaves.bin") as leaves:
        for line in bundle.lines("entries.jsonl", LINE):
            entry = json.loads(line.decode("utf-8"))
            seq = entry["seq"]
            need(type(seq) is int and last < seq < size, "entries.jsonl is not in order")
            need(entry["log"] == log, "entry %d is of another log" % seq)
            leaves.seek(32 * seq)
            need(sha256(b"\0" + line) == leaves.read(32), "entry %d is not the one that the log has there" % seq)
            while opened and opened[0] == seq:
                need(entry["personal"].get(opened[1]) == opened[2], "entry %d does not commit to personal.jsonl" % seq)
                opened = next(personal, None)
            last, shown = seq, shown + 1
    need(opened is None, "personal.jsonl speaks of an entry that is not shown, or is not in order")
    return shown


def check(folder, fingerprint):
    bundle = Bundle(folder)
    check_sums(bundle)
    der = read_key(bundle)
    found = sha256(der).hex()
    need(fingerprint in (None, found), "signed by another key: its fingerprint is " + found)
    origin, size, root = check_checkpoint(bundle, der)
    check_leaves(bundle, size, root)
    manifest = json.loads(bundle.small("manifest.json").decode("utf-8"))
    need(manifest["format"] == "keyctl-audit-bundle/1", "manifest.json is of an unknown format")
    need(manifest["origin"] == origin and manifest["size"] == size, "manifest.json does not fit checkpoint.txt")
    need(manifest["fingerprint"] == found, "manifest.json does not fit public-key.pem")
    personal = read_personal(bundle) if manifest["hasPersonalData"] is True else iter(())
    shown = check_entries(bundle, origin.split("/", 2)[2], size, personal)
    need(manifest["entries"] == shown, "manifest.json counts other entries than are here")
    need(manifest["filter"] or shown == size, "entries are left out, and manifest.json names no filter")
    print("%d of %d entries of %s" % (shown, size, origin))
    if manifest["filter"]:
        print("filtered: what is shown is real; what was left out is not shown")
    if fingerprint is None:
        print("consistent with the key inside: compare " + found)
    else:
        print("ok: signed by the key that you named")


def main():
    parser = argparse.ArgumentParser(description="Checks an audit bundle.")
    parser.add_argument("folder", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    parser.add_argument("--fingerprint", help="SHA-256 of the public key in DER, from a source that you trust")
    parser.error = lambda message: parser.exit(1, "not ok: %s\n" % message)
    options = parser.parse_args()
    wanted = options.fingerprint
    try:
        if wanted is not None:
            wanted = re.sub(r"[\s:]", "", wanted).lower()
            need(re.fullmatch(r"[0-9a-f]{64}", wanted), "a fingerprint is 64 hexadecimal digits")
        check(options.folder, wanted)
    except Bad as problem:
        return "not ok: %s" % problem
    except Exception as error:
        # Whatever a hostile file makes Python stumble over: the kind of error is enough.
        return "not ok: the bundle cannot be read (%s)" % type(error).__name__
    return 0


if __name__ == "__main__":
    sys.exit(main())
`;
