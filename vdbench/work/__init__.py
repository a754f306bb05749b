"""Long work: what trials share, the state of what is unfinished, how long it will take, and what it cost."""
