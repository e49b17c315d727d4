"""What shapes a model's bits is pinned where it can be, and the rest is told in words that a preview can show."""

import platform
from pathlib import Path

import pytest

from training.recipe.processor import AT_BASELINE, BELOW_BASELINE, describe_processor, pin

V3 = "fpu sse2 avx avx2 bmi1 bmi2 f16c fma abm movbe"


@pytest.fixture(autouse=True)
def on_x86(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.fixture
def cpuinfo(tmp_path: Path) -> Path:
    return tmp_path / "cpuinfo"


def describe(cpuinfo: Path, flags: str, maker: str = "GenuineIntel") -> None:
    cpuinfo.write_text(f"processor\t: 0\nvendor_id\t: {maker}\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t: none\n")


def test_newer_instructions_are_not_used_and_so_not_told(cpuinfo: Path) -> None:
    told = set()
    for flags in (V3, f"{V3} avx512f avx512bw avx512_bf16"):
        describe(cpuinfo, flags)
        told.add(describe_processor(gpus=False, bf16=False, cpuinfo=cpuinfo))
        assert pin({}, bf16=False, cpuinfo=cpuinfo)["ATEN_CPU_CAPABILITY"] == AT_BASELINE["ATEN_CPU_CAPABILITY"]

    assert told == {"GenuineIntel x86-64-v3"}


def test_a_processor_below_the_baseline_is_another_and_is_asked_for_nothing_it_has_not(cpuinfo: Path) -> None:
    describe(cpuinfo, V3.replace("avx2 ", ""), "AuthenticAMD")

    assert describe_processor(gpus=False, bf16=False, cpuinfo=cpuinfo) == "AuthenticAMD x86-64"
    assert pin({}, bf16=False, cpuinfo=cpuinfo).items() >= BELOW_BASELINE.items()


def test_bfloat16_keeps_its_instructions_and_they_are_told(cpuinfo: Path) -> None:
    describe(cpuinfo, f"{V3} avx512bw avx512_bf16")

    assert describe_processor(gpus=False, bf16=True, cpuinfo=cpuinfo) == "GenuineIntel x86-64-v3 avx512bw avx512_bf16"
    assert "ONEDNN_MAX_CPU_ISA" not in pin({"ONEDNN_MAX_CPU_ISA": "SSE41"}, bf16=True, cpuinfo=cpuinfo)


def test_gpus_are_told_where_a_run_may_use_them(cpuinfo: Path, tmp_path: Path) -> None:
    describe(cpuinfo, V3)
    for bus in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "gpus" / bus).mkdir(parents=True)
        (tmp_path / "gpus" / bus / "information").write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ: 1\n")

    told = [
        describe_processor(gpus=gpus, bf16=False, cpuinfo=cpuinfo, nvidia=tmp_path / "gpus") for gpus in (False, True)
    ]

    assert told == ["GenuineIntel x86-64-v3", "GenuineIntel x86-64-v3, NVIDIA H100 80GB HBM3"]


def test_what_is_inherited_is_dropped_and_the_rest_is_kept(cpuinfo: Path) -> None:
    describe(cpuinfo, V3)

    environment = pin({"HOME": "/home/a", "KMP_AFFINITY": "x", "MKL_CBWR": "SSE2"}, bf16=False, cpuinfo=cpuinfo)

    assert environment["HOME"] == "/home/a"
    assert environment["MKL_CBWR"] == "AVX2"
    assert "KMP_AFFINITY" not in environment


def test_where_nothing_can_be_read_of_the_processor_the_oldest_is_assumed(cpuinfo: Path) -> None:
    assert pin({}, bf16=False, cpuinfo=cpuinfo).items() >= BELOW_BASELINE.items()


def arm(*parts: str, features: str = "fp asimd") -> str:
    """As Linux tells of an Arm with these cores."""
    cores = (
        f"processor\t: {at}\nBogoMIPS\t: 243.75\nFeatures\t: {features}\nCPU implementer\t: 0x41\n"
        f"CPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: {part}\nCPU revision\t: 1\n"
        for at, part in enumerate(parts)
    )
    return "\n".join(cores) + "\n"


def test_of_an_arm_the_models_of_its_cores_are_told_since_its_libraries_choose_their_code_by_them(
    cpuinfo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    told = []
    for content in (
        arm("0xd0c", "0xd0c"),
        arm("0xd40", "0xd40", features="fp asimd sve bf16"),
        arm("0xd0b", "0xd05", "0xd05"),
    ):
        cpuinfo.write_text(content)
        told.append(describe_processor(gpus=False, bf16=False, cpuinfo=cpuinfo))

    assert told == [
        "aarch64 0x41:0x3:0xd0c", "aarch64 0x41:0x3:0xd40 sve", "aarch64 0x41:0x3:0xd05 0x41:0x3:0xd0b",
    ]  # fmt: skip


def test_an_arm_s_instructions_for_bfloat16_are_told_where_they_count(
    cpuinfo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    cpuinfo.write_text(arm("0xd40", features="fp asimd sve bf16"))

    assert describe_processor(gpus=False, bf16=True, cpuinfo=cpuinfo) == "aarch64 0x41:0x3:0xd40 sve bf16"


@pytest.mark.parametrize("content", [None, "", "processor\t: 0\n\nprocessor\t: 1\n"])
def test_another_kind_of_machine_is_named_whatever_it_tells(
    content: str | None, cpuinfo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    if content is not None:
        cpuinfo.write_text(content)

    assert describe_processor(gpus=False, bf16=False, cpuinfo=cpuinfo) == "riscv64"
