"""What ``vdbench run`` imports on its way, imported once, in the process that real commands are forked from."""

import importlib

NEEDED = (
    "alembic", "matplotlib.pyplot", "mlflow", "scipy.stats", "seaborn", "sqlalchemy", "torch._dynamo",
    "vdbench.api.rounds", "vdbench.api.runs", "vdbench.cli.carrying", "vdbench.experiment.estimate",
    "vdbench.experiment.plan", "vdbench.experiment.run", "vdbench.experiment.tracking", "vdbench.generator.choice",
    "vdbench_leaderboard.build",
)  # fmt: skip

for name in NEEDED:
    importlib.import_module(name)
