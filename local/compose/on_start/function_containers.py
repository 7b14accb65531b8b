"""Removes the functions' containers when LocalStack stops, and those that an earlier one left.

LocalStack runs each function in containers next to its own, and Compose does not know them. When it
stops, it ends them one by one on a few threads, and skips those that it has not begun with after
five seconds (``LambdaService.stop`` in localstack-core 4.14.0). What is left keeps running, uses
memory, and prevents ``docker compose down`` from removing the network.

LocalStack runs this file when it starts, within its own process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from localstack.runtime import shutdown
from localstack.services.lambda_.invocation import execution_environment
from localstack.utils.container_networking import get_main_container_name
from localstack.utils.container_utils.container_client import ContainerException
from localstack.utils.docker_utils import DOCKER_CLIENT

REMOVED_AT_ONCE = 16


class DaemonTimer(threading.Timer):
    """Ends an idle container in time, but does not keep LocalStack's process until then.

    LocalStack cancels the timer of a container only after it has ended the container itself.
    """

    def __init__(self, interval: float, function: Callable[..., object]) -> None:
        super().__init__(interval, function)
        self.daemon = True


def remove_function_containers() -> None:
    """Remove all of them. They hold nothing that is needed again."""
    prefix = f"{get_main_container_name()}-lambda-"
    names = [each["name"] for each in DOCKER_CLIENT.list_containers(filter=f"name=^/?{prefix}")]
    if not names:
        return
    with ThreadPoolExecutor(max_workers=REMOVED_AT_ONCE) as pool:
        removed = sum(pool.map(remove, names))
    print(f"till: {removed} of {len(names)} function containers removed", flush=True)


def remove(name: str) -> bool:
    """Remove one, and tell whether that was possible."""
    try:
        DOCKER_CLIENT.remove_container(name)
    except ContainerException as error:
        # For instance one that LocalStack is removing itself at this moment.
        print(f"till: {name} was not removed: {error.__cause__ or error}", flush=True)
        return False
    return True


remove_function_containers()
execution_environment.Timer = DaemonTimer
# Before LocalStack stops its services, so that it has few to end itself; and after that, for those
# that were being started meanwhile.
shutdown.SHUTDOWN_HANDLERS.register(remove_function_containers)
shutdown.ON_AFTER_SERVICE_SHUTDOWN_HANDLERS.register(remove_function_containers)
