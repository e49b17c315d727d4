"""Properties of a machine that change a model's bits: pinned to a baseline if possible, otherwise part of the identity.

Libraries choose code, which rounds sums in another order, by the processor's instructions and by environment variables.
Baseline: x86-64-v3 (AVX2 and FMA; nearly every x86 processor since 2015) and one thread until torch gets its number.
`describe_processor` describes what no variable pins. Standard library only.
"""

import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Final

BASELINE: Final = "x86-64-v3"
BASELINE_FLAGS: Final = frozenset({"avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"})
SHAPING: Final = (
    "ATEN_", "BLIS_", "CUBLAS_", "DNNL_", "GOMP_", "GOTO_", "KMP_", "MKL_", "NPY_", "NVIDIA_TF32_",
    "OMP_", "ONEDNN_", "OPENBLAS_", "TORCH_ALLOW_TF32_",
)  # fmt: skip
"""Prefixes of variables that make libraries choose code, precision or threads."""
THREADS: Final = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "OMP_DYNAMIC": "FALSE", "MKL_DYNAMIC": "FALSE",
}  # fmt: skip
"""Fewer threads than requested, on a busy machine, would change sums."""
AT_BASELINE: Final = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "OPENBLAS_CORETYPE": "Haswell"}
ONEDNN: Final = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
"""Pin of oneDNN. Not used for bfloat16, which would take ninety times as long; there, the instructions are described
instead.
"""
BF16_FLAGS: Final = ("avx512bw", "avx512_bf16", "amx_bf16", "bf16")
MODEL: Final = ("CPU implementer", "CPU variant", "CPU part")
"""Lines that identify an Arm core."""
BELOW_BASELINE: Final = {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE", "OPENBLAS_CORETYPE": "Prescott"}


def pin(environment: Mapping[str, str], *, bf16: bool, cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """Returns the environment of a training process: the baseline, without inherited variables that change results."""
    kept = {name: value for name, value in environment.items() if not name.startswith(SHAPING)}
    if platform.machine() != "x86_64":
        return kept | THREADS
    if not _read_flags(cpuinfo) >= BASELINE_FLAGS:
        return kept | THREADS | BELOW_BASELINE
    return kept | THREADS | AT_BASELINE | ({} if bf16 else ONEDNN)


def describe_processor(
    *, gpus: bool, bf16: bool, cpuinfo: Path = Path("/proc/cpuinfo"), nvidia: Path = Path("/proc/driver/nvidia/gpus")
) -> str:
    """Describes what is not pinned: "AuthenticAMD x86-64-v3", and if relevant, bfloat16 instructions and GPU models.

    It includes the vendor, since MKL has other code for Intel's processors regardless of variables. For Arm it includes
    the core models, since OpenBLAS and the Arm Compute Library choose their code by them.
    """
    flags = _read_flags(cpuinfo)
    if platform.machine() == "x86_64":
        level = BASELINE if flags >= BASELINE_FLAGS else "x86-64"
        told = f"{_read_first(cpuinfo, 'vendor_id')} {level}"
    else:
        told = " ".join([platform.machine(), *_list_cores(cpuinfo), *(["sve"] if "sve" in flags else [])])
    special = [flag for flag in BF16_FLAGS if bf16 and flag in flags]
    models = sorted({_read_first(one / "information", "Model") for one in nvidia.glob("*")}) if gpus else []
    return ", ".join([" ".join([told, *special]), *models])


def _read_flags(cpuinfo: Path) -> frozenset[str]:
    return frozenset((_read_first(cpuinfo, "flags") or _read_first(cpuinfo, "Features")).split())


def _list_cores(cpuinfo: Path) -> list[str]:
    """Returns each kind of core once, as vendor, variant and part: "0x41:0x3:0xd0c" is Arm's Neoverse N1."""
    told = (":".join(_find_value(core, name) or "?" for name in MODEL) for core in _read_text(cpuinfo).split("\n\n"))
    return sorted(set(told) - {"?:?:?"})


def _read_first(file: Path, name: str) -> str:
    return _find_value(_read_text(file), name)


def _read_text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _find_value(text: str, name: str) -> str:
    """Returns the value of the first line `name : value`, or an empty text."""
    pairs = (line.partition(":") for line in text.splitlines())
    return next((value.strip() for key, _, value in pairs if key.strip() == name), "")
