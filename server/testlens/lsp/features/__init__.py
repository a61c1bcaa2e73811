"""What the server does for the editor, one module a feature; `ALL` puts them together."""

from testlens.lsp.features import (
    code_actions,
    code_lens,
    commands,
    continuous,
    diagnostics,
    hover,
    kill,
    lifecycle,
    marks,
    mutants,
    mutate,
    plan,
    problems,
    runs,
    scaffold,
    status,
    test_links,
    writing,
)

ALL = (
    *(lifecycle, marks, status, diagnostics, problems, hover, code_lens, plan, runs, commands, code_actions),
    *(writing, scaffold, mutants, mutate, kill, continuous, test_links),
)
