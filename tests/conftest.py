"""One thread per test process: two math threads on busy cores are many times slower than one."""

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from hypothesis import settings  # noqa: E402  (numpy reads the variables above when it is imported)

settings.register_profile("vdbench", deadline=None)  # how long a test takes says nothing on a busy machine
settings.load_profile("vdbench")
