"""A distilled set as files for other people's code: written, and read again."""
