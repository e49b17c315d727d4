"""On the real engine: a stack signs an artifact, and the preview refuses a server that requires another signer."""

from pathlib import Path

from sealift.sealing import SealedArtifact, seal
from sealift.signing import SigningKey
from sealift.stores import SIGNATURES, get_signature, open_store, put_artifact
from tests.keys import key_pair
from tests.stack import PROJECT_ROOT, Stack
from tests.training_stack import PROJECT

PROGRAM = """
import sys
sys.path.insert(0, %r)
import pulumi
from components import ArtifactSignature
from components.settings.deployment import ModelDeploymentInputs
from components.settings.server import HANDED_ON
from components.validated_args import Checked

config = pulumi.Config()
artifact = config.require_object("artifact")
signed = ArtifactSignature("model", {**{name: artifact[name] for name in ("storeUrl", "artifactId", "payloadDigest")},
                                     "signingKey": config.require_secret("signingKey")})
served = {"image": "localhost:5000/model@sha256:" + "a" * 64, "manifest": artifact["manifest"], "modelName": "model",
          "privateKey": "key", "artifactId": artifact["artifactId"], "payloadDigest": artifact["payloadDigest"],
          "signature": signed.signature, "requireSignature": config.require_object("signers")}
settings = Checked('ModelDeployment "model"', ModelDeploymentInputs, served).settings(*HANDED_ON)
pulumi.export("served", settings.apply(lambda known: known.model_name))
pulumi.export("signature", signed.signature)
pulumi.export("keyId", signed.key_id)
"""


def put(url: str) -> SealedArtifact:
    artifact = seal(b"plain", {}, [key_pair(0).recipient])
    put_artifact(open_store(url), artifact.artifact_id, artifact.payload, artifact.manifest)
    return artifact


def make_stack(folder: Path, url: str, artifact: SealedArtifact) -> Stack:
    program = folder / "program"
    program.mkdir()
    (program / "__main__.py").write_text(PROGRAM % str(PROJECT_ROOT))
    (program / "Pulumi.yaml").write_text(PROJECT % (Stack.virtualenv(), PROJECT_ROOT / "components" / "plugin"))
    stack = Stack(program, name="dev", home=folder)
    stack.init()
    described = {
        "storeUrl": url, "artifactId": artifact.artifact_id, "payloadDigest": artifact.payload_digest,
        "manifest": artifact.manifest.decode(),
    }  # fmt: skip
    stack.set_config("artifact", described)
    return stack


def test_a_signed_artifact_is_served_and_another_signer_is_refused_in_the_preview(engine: str, tmp_path: Path) -> None:
    url, key, other = f"file://{tmp_path}/store", SigningKey.generate(), SigningKey.generate()
    artifact, store = put(url), open_store(url)
    stack = make_stack(tmp_path, url, artifact)
    stack.run("config", "set", "--secret", "signingKey", "--", key.pem).ok()
    stack.set_config("signers", [key.signer.pem])

    shown = [stack.preview().ok().text]
    assert get_signature(store, artifact.artifact_id) is None, "a preview signs nothing"
    shown += [stack.up().ok().text, stack.up("--expect-no-changes").ok().text]
    first = stack.outputs()
    stack.set_config("signers", [other.signer.pem])
    refused = [stack.preview(), stack.up()]
    stack.set_config("signers", [other.signer.pem, key.signer.pem])
    shown.append(stack.up().ok().text)
    store.delete(SIGNATURES, artifact.artifact_id)
    shown += [stack.refresh().ok().text, stack.up().ok().text]
    again = stack.outputs()

    assert first["served"] == "model" and first["keyId"] == key.signer.key_id
    for ended in refused:
        assert "another key than the trusted" in ended.failed().text
    assert get_signature(store, artifact.artifact_id) == again["signature"].encode() != first["signature"].encode()
    secret = key.pem.splitlines()[1]
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not any(secret in text for text in [*shown, *(one.text for one in refused)])
    assert not any(secret.encode() in content for content in kept)
