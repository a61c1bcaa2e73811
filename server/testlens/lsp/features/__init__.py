"""What the server does for the editor, one module a feature; `ALL` puts them together."""

from testlens.lsp.features import (
    code_actions,
    code_lens,
    commands,
    continuous,
    debug_tests,
    diagnostics,
    find_tests,
    hover,
    init_ci,
    kill,
    lifecycle,
    marks,
    mutants,
    mutate,
    native_coverage,
    plan,
    problems,
    report,
    runs,
    scaffold,
    status,
    test_explorer,
    test_links,
    writing,
)

ALL = (
    *(lifecycle, marks, status, diagnostics, problems, hover, code_lens, plan, runs, commands, code_actions),
    *(writing, scaffold, mutants, mutate, kill, continuous, test_links, init_ci, report),
    *(test_explorer, find_tests, debug_tests, native_coverage),
)
