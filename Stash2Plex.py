"""Where Stash starts us: read stdin, choose a role, import that role.

The manifest runs this file as ``python3 -I -S``: no site-packages, no user environment. A hook must cost what a
bare interpreter costs, so nothing is imported here that the hook role does not need.
"""

import sys

PLUGIN_DIR = __file__[: max(__file__.rfind("/"), __file__.rfind("\\"))] or "."
sys.path.insert(0, PLUGIN_DIR)


def main() -> None:
    """Read the request from stdin and run its role; each role answers on stdout by itself.

    An update of the plugin deletes our files and writes the new ones one by one, while Stash goes on calling us: what
    is missing is waited for, about five seconds.
    """
    request = None
    for left in range(100, -1, -1):
        try:
            from stash.protocol import read_request

            request = request or read_request(PLUGIN_DIR)
            if request.hook is not None:
                from hooks.receive import receive as run
            elif request.mode == "worker":
                from worker.run import main as run
            elif request.mode == "wake":
                from hooks.page import opened as run
            else:
                from hooks.tasks import main as run
        except ImportError:
            if not left:
                raise
            from time import sleep

            sleep(0.05)
            sys.path_importer_cache.clear()  # else a file that came back is not seen
        else:
            run(request)
            return


if __name__ == "__main__":
    main()
