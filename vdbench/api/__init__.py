"""What ``import vdbench`` offers, and what the command line does beside talking to people."""
