"""The files of a server: each folder is declared once, and what is declared fits all who read it."""

import pytest

from components.args import ServedModelArgs
from components.server_files import ACCESS, FOLDERS, ServerFolder, folders_of
from components.server_version import ServerVersion
from components.settings.deployment import DeploymentSettings, component_name_problems
from components.settings.server import ServedModel, ServerSettings
from sealift.serving import __main__ as server
from sealift.settings import read
from sealift.settings.read import names_of
from tests.certificates import self_signed


def settings(**given: object) -> DeploymentSettings:
    found, problems = read(DeploymentSettings, {"modelName": "diabetes", **given}, "a deployment")
    assert problems == []
    return found


@pytest.mark.parametrize(("auth", "tls", "names"), [
    ("apiKey", False, ["manifest", "key", "access"]),
    ("none", False, ["manifest", "key"]),
    ("none", True, ["manifest", "key", "tls"]),
    ("apiKey", True, ["manifest", "key", "access", "tls"]),
])  # fmt: skip
def test_a_server_is_given_the_folders_that_its_settings_ask_for(auth: str, tls: bool, names: list[str]) -> None:
    pem = self_signed()
    given = {"tlsCertificate": pem.certificate, "tlsPrivateKey": pem.key} if tls else {}

    assert [folder.name for folder in folders_of(settings(auth=auth, **given))] == names


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_holds_inputs_that_there_are_at_a_place_that_the_server_takes(folder: ServerFolder) -> None:
    assert set(folder.inputs.values()) <= {*names_of(ServedModel), *names_of(ServerSettings)}
    words = [word for one in FOLDERS for word in one.arguments]
    told = server._parse(["--payload", "p", "--artifact-id", "ab" * 16, "--payload-digest", "cd" * 32, *words])
    option, place = folder.arguments
    assert str(getattr(told, option.removeprefix("--").replace("-", "_"))) == place
    assert place in (folder.path, f"{folder.path}/{folder.file}")


def test_no_two_folders_share_a_name_or_a_place() -> None:
    assert len({folder.name for folder in FOLDERS}) == len({folder.path for folder in FOLDERS}) == len(FOLDERS)


def test_the_longest_name_of_a_component_leaves_room_for_each_folder_s_object() -> None:
    longest = max(length for length in range(1, 64) if not component_name_problems("m" * length))

    assert all(longest + len(f"-{folder.name}-1a2b3c4d") <= 63 for folder in FOLDERS)


def test_what_only_the_owner_may_read_is_a_secret() -> None:
    assert [folder.name for folder in FOLDERS if not folder.secret] == ["manifest"]


def test_a_folder_holds_its_inputs_and_access_what_api_keys_make() -> None:
    served: ServedModelArgs = {
        "image": "i", "manifest": "m", "privateKey": "k", "artifactId": "a", "payloadDigest": "p",
    }  # fmt: skip
    version = ServerVersion("model", served)

    held = [version.contents(folder, {"access.json": "{}"}) for folder in folders_of(settings())]

    assert held == [{"manifest.json": "m"}, {"private.pem": "k"}, {"access.json": "{}"}]
    assert ACCESS.inputs == {}
