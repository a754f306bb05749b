"""The documents: the page, and Markdown and LaTeX with the same content."""
