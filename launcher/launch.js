// Starts the worker as a child of Stash. The inner operation has a context that nobody cancels, so the hook that
// asked for it may drop its connection as soon as the worker holds its lease.
(function () {
  gql.Do(
    "mutation($id: ID!, $args: Map) { runPluginOperation(plugin_id: $id, args: $args) }",
    { id: "Stash2Plex", args: { mode: "worker" } }
  );
  return { Output: "ok" };
})();
