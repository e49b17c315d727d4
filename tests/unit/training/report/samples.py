"""Reports to render: every part there is, and parts as large as they come."""

import random
from functools import cache

from training.report import (
    Column,
    Compression,
    Confusion,
    Curves,
    DataReport,
    Energy,
    Environment,
    Fold,
    GateReport,
    HeatMap,
    Importance,
    Importances,
    ModelCardReport,
    PrivacyReport,
    Provenance,
    Report,
    Residuals,
    SearchReport,
    Trial,
    page,
)

SMALL = Report("A small report", "net", "digits", "classification")


def complete(hostile: str = "") -> Report:
    """Every part has something in it; `hostile` is added to every text that comes from data or from a user."""
    classes = tuple(f"{name}{hostile}" for name in ("cat", "dog", "a bird with quite a long name"))
    features = tuple(f"{name}{hostile}" for name in ("age", "body mass", "blood pressure"))
    return Report(
        title=f"Pets{hostile}",
        model=f"package.module:Class{hostile}",
        dataset=f"s3://bucket/pets.parquet{hostile}",
        task="classification",
        classes=classes,
        feature_names=features,
        metrics={"accuracy": 0.9123, "loss": 0.2871},
        gates=(
            GateReport(f"accuracy{hostile}", 0.9123, 0.9, "minimum", passed=True),
            GateReport("size in bytes", 12345.0, 10000.0, "maximum", passed=False),
        ),
        curves=Curves(
            epochs=tuple(range(1, 41)),
            training_loss=tuple(2.0 / epoch for epoch in range(1, 41)),
            validation_loss=tuple(None if epoch % 5 else 2.2 / epoch for epoch in range(1, 41)),
            learning_rate=tuple(0.1 * 0.9**epoch for epoch in range(40)),
            metrics={f"accuracy{hostile}": tuple(1 - 0.9**epoch for epoch in range(40))},
            loss_name="cross-entropy (nats)",
        ),
        confusion=Confusion(((0, 0, 31), (0, 1, 4), (1, 1, 28), (1, 2, 2), (2, 2, 30)), 3),
        residuals=Residuals((1.0, 2.5, 3.0), (1.5, 2.0, 3.5), (-0.5, 0.0, 0.5), (1, 2), f"price{hostile}"),
        importances=Importances(
            f"Permutation importance{hostile}",
            "loss of accuracy",
            {name: Importance(0.3 / place, 0.02) for place, name in enumerate(features, 1)},
            HeatMap(tuple(tuple(float(row * column) for column in range(8)) for row in range(8))),
        ),
        data=DataReport(
            rows_train=800,
            rows_validation=100,
            rows_held_out=95,
            columns=(Column(features[0], 41.2, 12.5, 18.0, 93.0, 7), Column(features[1])),
            labels={classes[0]: 400, classes[1]: 300, classes[2]: 100},
            findings=({"check": "constantColumns", "columns": [features[2]], "rows": None, "stopped": False},),
            masked={f"name{hostile}": "hash", "street": "drop"},
        ),
        hyperparameters={
            "learningRate": 0.01,
            "schedule": {"kind": "cosine", "warmUp": 3},
            "hidden": [64, 32],
            f"note{hostile}": hostile,
        },
        search=SearchReport(
            "loss",
            "minimize",
            (
                Trial({"learningRate": 0.1}, 0.5),
                Trial({"learningRate": 0.01}, 0.29),
                Trial({"learningRate": 9.0}, None),
            ),
            best=1,
        ),
        folds=(Fold({"accuracy": 0.9}, 600, 200), Fold({"accuracy": 0.92}, 600, 200)),
        compression=Compression(
            "dynamicInt8", 123456, 34567, {"accuracy": 0.9123}, {"accuracy": 0.9101}, accepted=True
        ),
        privacy=PrivacyReport(7.5, 1e-5, 1.1, 1.0),
        durations_seconds={"load": 0.8, "train": 192.3, "export": 0.2},
        energy=Energy(5432.1, "measured: RAPL", 0.6, 400.0, "assumed"),
        environment=Environment(
            "3.11.7", {"torch": "2.15.0"}, "Linux 6.1", f"A processor{hostile}", 16, 64 * 10**9, 2, "cpu"
        ),
        card=ModelCardReport(intended_use=f"Tells pets apart.{hostile}\n\nNot for vets.", licence="MIT", contact=" "),
        provenance=Provenance(0, "ab" * 32, "cd" * 32, "torch 2.15.0, numpy 2.4.6", "ef" * 32),
    )


def huge() -> Report:
    """10,000 epochs, 1,000 classes with 100,000 kinds of confusion, 5,000 columns, 2,000 trials, 50,000 residuals."""
    chance = random.Random(0)
    numbers = tuple(chance.random() for _ in range(10_000))
    cells = {(chance.randrange(1000), chance.randrange(1000)): chance.randrange(1, 99) for _ in range(100_000)}
    cells |= {(at, at): 500 for at in range(1000)}
    names = tuple(f"column_{at}" for at in range(5_000))
    many = numbers * 5
    return Report(
        title="Huge",
        model="mlp",
        dataset="huge",
        task="classification",
        classes=tuple(f"class number {at}" for at in range(1000)),
        feature_names=names,
        curves=Curves(
            tuple(range(1, 10_001)), numbers, numbers, numbers, {f"metric {at}": numbers for at in range(6)}
        ),
        confusion=Confusion(tuple((*pair, rows) for pair, rows in cells.items()), 1000),
        residuals=Residuals(many, many, (0.0, 1.0), (50_000,)),
        importances=Importances("all of them", "loss of accuracy", {name: Importance(0.1, 0.01) for name in names}),
        data=DataReport(1_000_000, 1000, None, tuple(Column(name, 1.5, 0.25, -3.0, 3.0) for name in names),
                  {f"class number {at}": at + 1 for at in range(1000)}),
        search=SearchReport(
            "loss", "minimize", tuple(Trial({"learningRate": one}, one) for one in numbers[:2000]), best=1999
        ),
    )  # fmt: skip


@cache
def page_of(hostile: str = "") -> str:
    """The complete report's page, once for all tests: drawing it takes half a second."""
    return page.render(complete(hostile))
