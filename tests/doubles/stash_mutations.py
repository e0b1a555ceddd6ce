"""The root of all mutations; its own part is plugins and the job queue."""

from typing import Any, Optional

from tests.doubles.stash_job_mutations import JobMutations
from tests.doubles.stash_other_mutations import OtherMutations


class Mutations(JobMutations, OtherMutations):
    """One method per root field, named after it in snake case."""

    def configure_plugin(self, info: Any, plugin_id: str, input: dict[str, Any]) -> dict[str, Any]:
        """Replaces the whole map."""
        self.core.settings[plugin_id] = dict(input)
        return self.core.settings[plugin_id]

    def set_plugins_enabled(self, info: Any, enabledMap: dict[str, bool]) -> bool:
        for plugin_id, enabled in enabledMap.items():
            change = self.core.plugins.disabled.discard if enabled else self.core.plugins.disabled.add
            change(plugin_id)
        return True

    def reload_plugins(self, info: Any) -> bool:
        self.core.plugins.reload()
        return True

    def run_plugin_task(
        self,
        info: Any,
        plugin_id: str,
        task_name: Optional[str] = None,
        description: Optional[str] = None,
        args_map: Optional[dict[str, Any]] = None,
    ) -> str:
        return self.core.plugins.task(plugin_id, task_name, args_map, description, info.context)

    def run_plugin_operation(self, info: Any, plugin_id: str, args: Optional[dict[str, Any]] = None) -> Any:
        return self.core.plugins.operation(plugin_id, args, info.context)

    def stop_job(self, info: Any, job_id: str) -> bool:
        self.core.jobs.stop(job_id)
        return True

    def stop_all_jobs(self, info: Any) -> bool:
        self.core.jobs.stop_all()
        return True
