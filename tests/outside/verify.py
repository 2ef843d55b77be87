"""Checks a receipt with other people's programs: securesystemslib, in-toto-attestation, cryptography, model-signing.

Of ours it uses nothing. What stands in the folder given: receipt.json, bundle.json, key.pem, stranger.pem, model/, and reports in
JUnit XML. It says nothing and ends with 0, or it says what does not hold.
"""

import base64
import copy
import hashlib
import json
import pathlib
import sys

import xmlschema
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from google.protobuf import json_format
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from model_signing import hashing
from model_signing._signing.signing import Payload
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

folder = pathlib.Path(sys.argv[1])
schemas = pathlib.Path(sys.argv[2])


def load(name):
    return json.loads((folder / name).read_text())


def public(name):
    return serialization.load_pem_public_key((folder / name).read_bytes())


def fails(what, errors, check):
    try:
        check()
    except errors:
        return
    raise SystemExit(f"{what}: it holds, and must not")


# --- the envelope (securesystemslib) -------------------------------------------------------------------------------------------


def trusted(name, keyid):
    return SSlibKey.from_crypto(public(name), keyid=keyid)


def enveloped(written):
    return Envelope.from_dict(copy.deepcopy(written))


receipt = load("receipt.json")
written = receipt["envelope"]
keyid = written["signatures"][0]["keyid"]
enveloped(written).verify([trusted("key.pem", keyid)], 1)
stranger = trusted("stranger.pem", keyid)
fails("a stranger's key", VerificationError, lambda: enveloped(written).verify([stranger], 1))
payload = base64.b64decode(written["payload"])
for changed in (
    {**written, "payload": base64.b64encode(payload.replace(b"PASSED", b"PASSEd")).decode()},
    {**written, "payloadType": "application/json"},
):
    fails("a changed envelope", VerificationError, lambda: enveloped(changed).verify([trusted("key.pem", keyid)], 1))
bundle = load("bundle.json")
assert bundle["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
assert bundle["dsseEnvelope"] == written and len(bundle["dsseEnvelope"]["signatures"]) == 1

# --- the statement and its predicate (in-toto-attestation) ---------------------------------------------------------------------

# The bindings are of version 1 of the specification, and know what it names.
proto = json_format.Parse(payload, statement_pb2.Statement())
Statement.copy_from_pb(proto).validate()
assert proto.predicate_type == "https://slsa.dev/verification_summary/v1"
statement = json.loads(payload)
# Their summary has one level, where the specification has a list: the list is looked at as JSON.
predicate = dict(statement["predicate"])
levels = predicate.pop("verifiedLevels")
vsa = json_format.ParseDict(predicate, vsa_pb2.VerificationSummary(), ignore_unknown_fields=True)
assert vsa.verification_result == "PASSED" and vsa.resource_uri and vsa.policy.uri, vsa
assert levels and not any(level.startswith("SLSA_") for level in levels), levels

# --- the entry in the ledger (RFC 9162 section 2.1.3.2) and the checkpoint (C2SP signed-note) ----------------------------------


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def included(leaf, index, size, path, root):
    node, last = index, size - 1
    for sibling in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            leaf = hashlib.sha256(b"\1" + sibling + leaf).digest()
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            leaf = hashlib.sha256(b"\1" + leaf + sibling).digest()
        node, last = node >> 1, last >> 1
    return last == 0 and leaf == root


def noted(text, key):
    body, signatures = text.split("\n\n", 1)
    body += "\n"
    for line in signatures.splitlines():
        dash, _, packed = line.split(" ")
        assert dash == "\u2014"
        key.verify(base64.b64decode(packed)[4:], body.encode())
    origin, size, root = body.splitlines()
    return origin, int(size), base64.b64decode(root)


entry = receipt["entry"]
assert entry["data"] == "sha256:" + hashlib.sha256(canonical(receipt["data"])).hexdigest()
origin, size, root = noted(receipt["checkpoint"], public("key.pem"))
fails("a stranger's checkpoint", InvalidSignature, lambda: noted(receipt["checkpoint"], public("stranger.pem")))
leaf = hashlib.sha256(b"\0" + canonical(entry)).digest()
path = [bytes.fromhex(node.removeprefix("sha256:")) for node in receipt["inclusion"]["path"]]
assert included(leaf, entry["seq"] - 1, size, path, root), "the proof of inclusion"
assert not included(hashlib.sha256(b"\0x").digest(), entry["seq"] - 1, size, path, root)
assert statement["predicate"]["verifier"]["id"] == f"https://{origin}"
terms = statement["predicate"]["urn:licit:receipt:v1"]
assert terms["data"] == entry["data"] and terms["entry"] == entry["seq"]

# --- the model's digests (model-signing) ---------------------------------------------------------------------------------------

manifest = hashing.Config().set_ignored_paths(paths=[]).hash(folder / "model")
signed = json_format.MessageToDict(Payload(manifest).statement.pb)
theirs = signed["subject"][0]["digest"]["sha256"]
ours = [subject["digest"]["sha256"] for subject in statement["subject"] if "annotations" not in subject]
# The specification sorts by name, this implementation by folder: both roots are stated where they differ.
assert theirs in ours and len(ours) == 2, (ours, theirs)
files = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"] if "annotations" in subject}
assert files == {one["name"]: one["digest"] for one in signed["predicate"]["resources"]}, files

# --- reports (the XML Schema of Jenkins) ---------------------------------------------------------------------------------------

schema = xmlschema.XMLSchema(str(schemas / "junit-10.xsd"))
reports = sorted(folder.glob("*.xml"))
assert len(reports) >= 3, reports
for report in reports:
    schema.validate(str(report))
