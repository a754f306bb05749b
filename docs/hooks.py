"""What the site does to a page: roles such as ``:func:`` before a name are left out, which only Sphinx knows."""

import re

_ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):(?=<code>)")


def on_page_content(html: str, **_: object) -> str:
    """The page without roles."""
    return _ROLE.sub("", html)
