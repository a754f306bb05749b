"""Templates: compiled once for all leaderboards that a process renders."""

from jinja2 import Environment

from vdbench_leaderboard.page import documents


def test_templates_are_compiled_once_with_escapes_and_once_without(monkeypatch, watched):
    for autoescape in (True, False):
        monkeypatch.setitem(documents.COMPILED, autoescape, documents.Compiled())
    compiled = watched(Environment, "compile")
    for autoescape in (True, False, True, False):
        documents.environment(autoescape).get_template("splits.html.j2")
    assert compiled.call_count == 2
