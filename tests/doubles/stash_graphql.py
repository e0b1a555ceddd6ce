"""Executes GraphQL on the double: schema, resolvers, and answers in Stash's shape."""

import calendar
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from tests.doubles.stash_core import Core
from tests.doubles.stash_go import go_json, go_text
from tests.doubles.stash_mutations import Mutations
from tests.doubles.stash_plugins import PANIC, Call, Cancelled, PluginFailed
from tests.doubles.stash_queries import Queries, scene_paths

SDL = Path(__file__).with_name("stash_schema.graphql")
# The root fields that a Stash answers without a database, as in SETUP and NEEDS_MIGRATION.
WITHOUT_DATABASE = frozenset(
    (
        "version", "systemStatus", "configuration", "plugins", "pluginTasks", "directory", "logs", "jobQueue",
        "findJob", "stopJob", "stopAllJobs", "configurePlugin", "setPluginsEnabled", "reloadPlugins",
        "runPluginTask", "runPluginOperation",
    )
)  # fmt: skip
PLAIN_TYPES = ("Scene", "VideoFile", "Performer", "Studio", "Tag", "Job")


@dataclass
class Prepared:
    """A query text, parsed and validated once."""

    document: Optional[DocumentNode]
    refusal: Optional[dict[str, Any]] = None
    fields: dict[Optional[str], list[str]] = field(default_factory=dict)


class Engine:
    """Answers query texts; keeps the parsed form of each text."""

    def __init__(self, core: Core) -> None:
        self.schema = _schema(core)
        self._prepared: dict[str, Prepared] = {}

    def prepare(self, query: str) -> Prepared:
        """The parsed query, or the refusal that Stash answers with 422."""
        known = self._prepared.get(query)
        if known is None:
            known = self._prepared[query] = self._prepare(query)
        return known

    def _prepare(self, query: str) -> Prepared:
        try:
            document = parse(query)
        except GraphQLSyntaxError as error:
            return Prepared(None, _refusal([error], "GRAPHQL_PARSE_FAILED"))
        errors = validate(self.schema, document)
        if errors:
            return Prepared(None, _refusal(errors, "GRAPHQL_VALIDATION_FAILED"))
        return Prepared(document, fields=_root_fields(document))

    def run(
        self, query: str, variables: Optional[dict[str, Any]], operation: Optional[str], call: Call
    ) -> tuple[bool, dict[str, Any]]:
        """(was it executed, the answer). Not executed means a parse or validation error."""
        prepared = self.prepare(query)
        if prepared.document is None:
            return False, prepared.refusal or {}
        result = execute_sync(
            self.schema,
            prepared.document,
            context_value=call,
            variable_values=variables or {},
            operation_name=operation,
        )
        errors = result.errors or []
        if any(error.path is None for error in errors):
            return False, _refusal(errors, "GRAPHQL_VALIDATION_FAILED")
        if not errors:
            return True, {"data": result.data}
        return True, {"errors": [{"message": e.message, "path": e.path} for e in errors], "data": result.data}

    def answer(self, query: str, variables: Optional[dict[str, Any]], call: Call) -> dict[str, Any]:
        """The answer as gql.Do of a script sees it: {"data": …} or {"error": text}."""
        executed, answer = self.run(query, variables, None, call)
        if not executed:
            body, asked = go_json(answer).decode(), go_text(variables or {})
            return {"error": f"graphQL query failed: 422 - {body}. Query: {query}. Variables: {asked}"}
        if "errors" in answer:
            return {"error": "graphql error: " + go_json(answer["errors"], sort_keys=True).decode()}
        return answer


def _root_fields(document: DocumentNode) -> dict[Optional[str], list[str]]:
    found: dict[Optional[str], list[str]] = {}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            names = [s.name.value for s in node.selection_set.selections if hasattr(s, "name")]
            found[node.name.value if node.name else None] = names
    return found


def _refusal(errors: list[GraphQLError], code: str) -> dict[str, Any]:
    shown = [
        {
            "message": _words(error.message),
            "locations": [{"line": at.line, "column": at.column} for at in error.locations or []],
            "extensions": {"code": code},
        }
        for error in errors
    ]
    return {"errors": shown, "data": None}


def _words(message: str) -> str:
    """Stash's GraphQL library quotes with double quotes and words syntax errors more briefly."""
    syntax = re.fullmatch(r"Syntax Error: (.*?)\.?", message, re.DOTALL)
    return (syntax.group(1) if syntax else message).replace("'", '"')


def _schema(core: Core) -> GraphQLSchema:
    schema = build_schema(SDL.read_text("utf-8"))
    for name in PLAIN_TYPES:
        for field_name, made in schema.type_map[name].fields.items():
            made.resolve = _attribute(field_name)
    for root, methods in ((schema.query_type, Queries(core)), (schema.mutation_type, Mutations(core))):
        for field_name, made in root.fields.items():
            made.resolve = _method(core, field_name, getattr(methods, _snake(field_name)))
    for (type_name, field_name), resolve in SPECIAL.items():
        schema.type_map[type_name].fields[field_name].resolve = resolve
    return schema


def _attribute(name: str) -> Callable[[Any, Any], Any]:
    return lambda source, info: getattr(source, name)


def _method(core: Core, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(root: Any, info: Any, **args: Any) -> Any:
        try:
            if core.status != "OK" and name not in WITHOUT_DATABASE:
                raise PluginFailed(PANIC)
            return method(info, **args)
        except Exception as error:
            if not isinstance(error, Cancelled) and not info.context.cancelled():
                _log_failure(core, info, args, error)
            raise

    return resolve


def _log_failure(core: Core, info: Any, args: dict[str, Any], error: Exception) -> None:
    """What Stash logs of a field that failed, its arguments included, unless the caller is gone."""
    at = info.path.key
    every = {**dict.fromkeys(info.parent_type.fields[info.field_name].args), **args}
    if str(error) == PANIC:
        core.log.append(("error", "", PANIC.partition("<")[2].rstrip(">")))
    core.log.append(("error", "", f"{at}: input: {at} {error}"))
    core.log.append(("debug", "", f"{at}: {go_json(every, sort_keys=True).decode()}"))


def _snake(name: str) -> str:
    return re.sub("([A-Z])", lambda m: "_" + m.group(1).lower(), name)


def _scene_count(named: Any, info: Any, depth: int = 0) -> int:
    named.library.scenes.make_all()
    return len(named.scene_ids)


def _image_path(named: Any, info: Any) -> str:
    stamp = calendar.timegm(time.strptime(named.updated_at, "%Y-%m-%dT%H:%M:%SZ"))
    drawn = "" if named.picture else "&default=true"
    return f"http://{info.context.host}/{named.kind}/{named.id}/image?t={stamp}{drawn}"


def _fingerprint(file: Any, info: Any, type: str) -> Optional[str]:
    return file.oshash if type == "oshash" else None


SPECIAL: dict[tuple[str, str], Callable[..., Any]] = {
    ("Scene", "paths"): scene_paths,
    ("VideoFile", "fingerprint"): _fingerprint,
    ("VideoFile", "fingerprints"): lambda file, info: [{"type": "oshash", "value": file.oshash}],
    ("Performer", "alias_list"): lambda named, info: named.aliases,
    **{(t, "scene_count"): _scene_count for t in ("Performer", "Studio", "Tag")},
    **{(t, "image_path"): _image_path for t in ("Performer", "Studio", "Tag")},
}
