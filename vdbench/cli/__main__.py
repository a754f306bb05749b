"""``python -m vdbench.cli``: the same as ``vdbench``."""

from vdbench.cli import main

if __name__ == "__main__":
    main()
