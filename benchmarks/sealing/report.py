"""The ratios by name, and the tables in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Final

Row = dict[str, str | float]

AES: Final = "raw_aes"
HASHED_AES: Final = "raw_aes_and_sha256"
COPY: Final = "cp"
UNDIGESTED: Final = "ours_undigested"
OURS: Final = "ours"
LIMITS: Final = (AES, HASHED_AES, COPY)
TITLES: Final[Mapping[str, str]] = {
    AES: "limit: AES-256-GCM of one segment, one core",
    HASHED_AES: "limit: AES-256-GCM and SHA-256 of one segment, all cores",
    COPY: "limit: cp",
    UNDIGESTED: "sealift, without the payload's digest",
    OURS: "sealift",
}


def ratios(rows: Sequence[Row]) -> dict[str, float]:
    """Returns ratios of our speed to limits and peers, by name. Above 1, ours is faster. The slower one of sealing and
    opening counts. A ratio that lacks figures is left out.

    `file_vs_cp` and `worst_peer` compare like with like: neither `cp` nor a peer makes a digest besides its own tags,
    and the format is Tink's. `digested_file_vs_cp` is that of an artifact, which has a digest.
    """
    of = {(row["program"], row["work"], row["place"]): float(row["gb_per_second"]) for row in rows}

    def worst(ours: str, other: str, place: str) -> float | None:
        found = [
            of[ours, work, place] / of[other, limit, place]
            for work in ("seal", "open")
            for limit in (work, "limit")
            if (ours, work, place) in of and (other, limit, place) in of
        ]
        return min(found, default=None)

    names = {str(row["program"]) for row in rows} - {UNDIGESTED, OURS, *LIMITS}
    compared = [worst(UNDIGESTED, name, place) for place in ("memory", "file") for name in names]
    told = {
        "memory_vs_aesgcm": worst(UNDIGESTED, AES, "memory"),
        "digested_vs_sha256": worst(OURS, HASHED_AES, "memory"),
        "file_vs_cp": worst(UNDIGESTED, COPY, "file"),
        "digested_file_vs_cp": worst(OURS, COPY, "file"),
        "worst_peer": min((one for one in compared if one is not None), default=None),
    }
    return {name: round(value, 3) for name, value in told.items() if value is not None}


def table(rows: Sequence[Row], titles: Mapping[str, str], absent: Mapping[str, str]) -> str:
    """Returns the speeds as a Markdown table, and what is not in it."""
    titles = {**TITLES, **titles}
    lines = ["| Program | Place | Sealing, GB/s | Opening, GB/s |", "| --- | --- | ---: | ---: |"]
    for program, place in dict.fromkeys((str(row["program"]), str(row["place"])) for row in rows):
        of = {row["work"]: f"{row['gb_per_second']:.2f}" for row in rows if is_of(row, program, place)}
        figures = [of.get(work, of.get("limit", "–")) for work in ("seal", "open")]
        lines.append(f"| {titles[program]} | {place} | {' | '.join(figures)} |")
    if absent:
        lines += ["", *(f"{titles[name]} is not in the table: {reason}." for name, reason in absent.items())]
    return "\n".join(lines)


def is_of(row: Row, program: str, place: str) -> bool:
    return (row["program"], row["place"]) == (program, place)
