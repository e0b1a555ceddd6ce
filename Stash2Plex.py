"""Where Stash starts us: read stdin, choose a role, import that role.

The manifest runs this file as ``python3 -I -S``: no site-packages, no user environment. A hook must cost what a
bare interpreter costs, so nothing is imported here that the hook role does not need.
"""

import sys

PLUGIN_DIR = __file__[: max(__file__.rfind("/"), __file__.rfind("\\"))] or "."
sys.path.insert(0, PLUGIN_DIR)

from stash.protocol import read_request  # noqa: E402


def main() -> None:
    """Read the request from stdin and run its role; each role answers on stdout by itself."""
    request = read_request(PLUGIN_DIR)
    if request.hook is not None:
        from hooks.receive import receive

        receive(request)
    elif request.mode == "worker":
        from worker.run import main as run_worker

        run_worker(request)
    else:
        from hooks.tasks import main as run_task

        run_task(request)


if __name__ == "__main__":
    main()
