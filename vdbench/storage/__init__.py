"""Files that appear whole or not at all, their digests, documents and text of others, and what is wrong with them."""
