"""The command `testlens`. `testlens serve` starts the language server without loading anything of the command line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line in `sys.argv`; ends the process with its exit status."""
    if sys.argv[1:2] == ["serve"] and not {"-h", "--help"} & set(sys.argv[2:]):
        _forget_bundled_libraries()
        from testlens.lsp.server import serve

        serve()
        return
    from testlens.workspace.collector import collect_rarely

    # Before all else: what is loaded from here on stays loaded.
    collect_rarely()
    from testlens.cli.app import run

    run()


def _forget_bundled_libraries() -> None:
    """Keep the libraries that the extension brings for this process from the project's interpreter, its child."""
    libraries = os.environ.pop("TESTLENS_BUNDLED_LIBS", None)
    if libraries is None:
        return
    places = [place for place in os.environ.pop("PYTHONPATH", "").split(os.pathsep) if place and place != libraries]
    if places:
        os.environ["PYTHONPATH"] = os.pathsep.join(places)


if __name__ == "__main__":
    main()
