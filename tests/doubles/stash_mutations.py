"""The root of all mutations; its own part is plugins, jobs and the scan."""

from typing import Any, Optional

from tests.doubles.stash_jobs import Job
from tests.doubles.stash_named_mutations import NamedMutations
from tests.doubles.stash_plugins import Call, Cancelled


class Mutations(NamedMutations):
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

    def metadata_scan(self, info: Any, input: dict[str, Any]) -> str:
        user, rescan = info.context.user, bool(input.get("rescan"))
        return self.core.jobs.add("Scanning...", lambda job: self._scan(job, user, rescan))

    def _scan(self, job: Job, user: str, rescan: bool) -> None:
        call = Call(user, job.stopping.is_set)
        with self.core.lock:
            found = [self._arrive(*arrival) for arrival in self.core.arrivals]
            self.core.arrivals.clear()
            known = {number for _, number in found}
            if rescan:
                found += [("Scene.Update.Post", n) for n in self.library.scenes if n not in known]
        try:
            for trigger, number in found:
                if trigger:
                    self.core.plugins.fire(trigger, number, None, (), call)
        except Cancelled:
            return

    def _arrive(self, what: str, where: Any, size: int) -> Any:
        """A new file makes a scene; a renamed file fires, a renamed folder does not."""
        if what == "new":
            scene = self.library.new_scene()
            self.library.new_file(scene, where, size)
            return "Scene.Create.Post", scene.number
        scene_id, path = where
        scene = self.library.scene(scene_id)
        scene.files[0].path = path
        return ("Scene.Update.Post" if what == "file" else ""), scene.number
