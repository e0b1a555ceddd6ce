// A page of Stash was loaded: after a restart there may be work that no hook and no task reminds of. Stash2Plex itself
// knows whether a worker lives or rests; one may be asked for by whoever uses Stash, so nothing secret is needed.
(function () {
  var ASKED = "Stash2Plex asked at", AGAIN_MS = 120000, PATIENCE_MS = 5000, ID = "Stash2Plex";
  function ask(query, variables) {
    var leaving = new AbortController();
    setTimeout(function () { leaving.abort(); }, PATIENCE_MS); // a request that stays would keep Stash from ending
    return fetch("graphql", { // relative: <base href> holds the prefix under which a proxy shows Stash
      method: "POST", credentials: "same-origin", signal: leaving.signal,
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify({ query: query, variables: variables }),
    }).then(function (answer) { return answer.json(); });
  }
  try {
    var age = Date.now() - Number(sessionStorage.getItem(ASKED));
    if (window.top !== window || (age >= 0 && age < AGAIN_MS)) return;
    sessionStorage.setItem(ASKED, String(Date.now()));
    ask("{plugins{id enabled}}").then(function (found) { // an operation of a disabled plugin is an error in the log
      if (found.data.plugins.some(function (plugin) { return plugin.id === ID && plugin.enabled; }))
        return ask("mutation($id:ID!,$args:Map){runPluginOperation(plugin_id:$id,args:$args)}", { id: ID, args: { mode: "wake" } });
    }).catch(function () {});
  } catch (error) {} // a browser without storage: a hook or a task will do
})();
