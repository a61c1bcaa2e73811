"""The way in which this version of Python lets one follow what runs."""

import sys

if sys.version_info >= (3, 12):
    from testlens_agent.explore.monitoring import Monitoring as Following
else:
    from testlens_agent.explore.settrace import Tracing as Following

__all__ = ["Following"]
