"""Files that appear whole or not at all, their digests, YAML as it was typed, and what is wrong with what was read."""
