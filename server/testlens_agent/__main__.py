"""Entry point of the agent: `PYTHON .../testlens_agent/__main__.py` supervises a run of the tests, with `--warm` many.

With `--child` it runs pytest, with `--explore` it tries tests that are not written yet, and with `--mutate` it checks
mutants.

The folder that holds this package is on `sys.path` only while the package is imported: the project must not see
what else lies there, and its own `sys.path` has to look as under `python -m pytest`.
"""

import os
import sys
from pathlib import Path
from typing import NoReturn


def _import_package() -> None:
    here = Path(__file__).resolve().parent
    if sys.path and sys.path[0] and Path(sys.path[0]).resolve() == here:
        del sys.path[0]
    sys.path.insert(0, str(here.parent))
    import testlens_agent  # noqa: F401  (its submodules are found through the package from now on)

    sys.path.remove(str(here.parent))


def _main() -> int:
    _import_package()
    if "--child" in sys.argv[1:]:
        from testlens_agent.child import run_child

        run_child()
    if "--explore" in sys.argv[1:]:
        from testlens_agent.explore.session import explore

        return explore()
    if "--mutate" in sys.argv[1:]:
        from testlens_agent.mutate.session import mutate

        return mutate()
    if "--warm" in sys.argv[1:]:
        from testlens_agent.warm import stay_warm

        return stay_warm()
    from testlens_agent.supervisor import supervise

    return _leave(supervise())


def _leave(code: int) -> NoReturn:
    """End this process, which has run nothing of others, without taking all objects apart first, as Python would."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(_main())
