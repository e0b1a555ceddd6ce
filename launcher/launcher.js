// What Stash runs of ours inside itself, without a process: the filter in front of the hooks, and the start of a worker.
(function () {
  var MAIN = "Stash2Plex", LAUNCHER = "Stash2PlexLauncher", FRESH_S = 3, QUICK_MS = 10000, TRIES = 5;
  var hook = input.Args.hookContext, mode = input.Args.mode;

  function run(plugin, args) {
    var query = "mutation($id:ID!,$args:Map){runPluginOperation(plugin_id:$id,args:$args)}";
    return gql.Do(query, { id: plugin, args: args }).runPluginOperation;
  }

  function enabled() { // an operation of a disabled plugin would be an error in the log, at each save
    var plugins = gql.Do("{plugins{id enabled}}").plugins;
    return plugins.some(function (plugin) { return plugin.id === MAIN && plugin.enabled; });
  }

  // A living worker announces the date up to which it has seen every change. It will look at what is later, and says
  // so before it moves on (reconcile/watch.py). Where it cannot be seen to live, the date ends in a time of day.
  function foundByDate() {
    var query = "query($path:String!,$id:ID!){directory(path:$path){directories}findScene(id:$id){updated_at}}";
    var seen = gql.Do(query, { path: input.ServerConnection.PluginDir + "/alive", id: String(hook.id) });
    var changed = seen.findScene.updated_at.replace(/:/g, "."), announced = seen.directory.directories;
    return announced.length > 0 && announced.every(function (folder) {
      var name = folder.split(/[\\\/]/).pop().split("~");
      return changed > name[0] && (name.length < 2 || Math.abs(Date.now() / 1000 - name[1]) <= FRESH_S);
    });
  }

  // The hook role, as an operation. The user's cookie goes along only when a login turned out to be needed, and then
  // to an operation that has just been seen to work: of one that fails, Stash may log the arguments.
  function mark() {
    var event = { id: hook.id, type: hook.type };
    if (hook.inputFields && hook.inputFields.length) event.inputFields = hook.inputFields;
    var said = run(MAIN, { mode: "mark", hookContext: event });
    if (said === "login needed")
      said = run(MAIN, { mode: "wake", session: input.ServerConnection.SessionCookie.Value });
    return said;
  }

  function heard() {
    try {
      if (hook.type === "Scene.Update.Post" && foundByDate()) return "found by its date";
    } catch (error) {} // no worker has ever lived, or another Stash: the other road is always right
    return enabled() ? mark() : "disabled";
  }

  // A worker that ended by itself says why. One that was killed is replaced at once, and more slowly when that happens
  // again and again: this script has nobody who waits for it. The session is that of whoever asked for the worker.
  function keep(vain, session) {
    var began = Date.now();
    try {
      return run(MAIN, { mode: "worker" });
    } catch (killed) {
      vain = Date.now() - began < QUICK_MS ? (Number(vain) || 0) + 1 : 1; // Stash hands numbers over as texts
    }
    util.Sleep(1000 * (vain - 1));
    return vain <= TRIES && enabled() ? run(MAIN, { mode: "wake", session: session, vain: vain }) : "no worker stays";
  }

  // Whoever asks for a worker leaves as soon as one lives, and takes this script along, but not the one it calls.
  function launch() {
    var cookie = input.ServerConnection.SessionCookie;
    return run(LAUNCHER, { mode: "keep", vain: input.Args.vain, session: cookie ? cookie.Value : "" });
  }

  try {
    return { Output: hook ? heard() : mode === "keep" ? keep(input.Args.vain, input.Args.session) : launch() };
  } catch (error) {
    return { Output: "not done" }; // Stash has said why; a failing operation would have its arguments logged
  }
})();
