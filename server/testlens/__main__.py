"""The command `testlens`. `testlens serve` starts the language server without loading anything of the command line."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line in `sys.argv`; ends the process with its exit status."""
    if sys.argv[1:2] == ["serve"] and not {"-h", "--help"} & set(sys.argv[2:]):
        from testlens.lsp.server import serve

        serve()
        return
    from testlens.workspace.collector import collect_rarely

    # Before all else: what is loaded from here on stays loaded.
    collect_rarely()
    from testlens.cli.app import run

    run()


if __name__ == "__main__":
    main()
