"""Clips in memory, as rows on disk, in a codec, and as pictures; a pool of generated ones."""
