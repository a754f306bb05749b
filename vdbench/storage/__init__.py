"""Files that appear whole or not at all, their digests, and YAML that is read as it was typed."""
