"""Data sets: what exists, official splits, readers, the clip store, views under a protocol, and motion-digits."""
