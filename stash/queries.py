"""Every GraphQL text we send to Stash. Only fields that each Stash since v0.25 has: one unknown field fails a query."""

SCENE_FIELDS = (
    "id title code details director date rating100 organized updated_at "
    "files{path size} studio{name} performers{name} tags{name}"
)

SCENES = "query Scenes($ids:[ID!]){findScenes(ids:$ids){scenes{%s}}}" % SCENE_FIELDS

CHANGED = (
    "query Changed($after:String!,$size:Int!){findScenes("
    "scene_filter:{updated_at:{value:$after,modifier:GREATER_THAN}},"
    'filter:{sort:"updated_at",direction:ASC,per_page:$size}){scenes{id updated_at}}}'
)
NEWEST = 'query Newest{findScenes(filter:{sort:"updated_at",direction:DESC,per_page:1}){scenes{id updated_at}}}'

PAGE = (
    "query Page($page:Int!,$size:Int!,$filter:SceneFilterType){findScenes(scene_filter:$filter,"
    'filter:{sort:"id",direction:ASC,page:$page,per_page:$size}){count scenes{id}}}'
)

# By id and not by page number: what is deleted meanwhile must not push others over the edge of a page.
AFTER = (
    "query After($size:Int!,$filter:SceneFilterType){findScenes(scene_filter:$filter,"
    'filter:{sort:"id",direction:ASC,per_page:$size}){scenes{id}}}'
)

PAGE_WHOLE = (
    "query PageWhole($filter:SceneFilterType,$size:Int!){findScenes(scene_filter:$filter,"
    'filter:{sort:"id",direction:ASC,per_page:$size}){count scenes{%s}}}'
) % SCENE_FIELDS

SAMPLE = 'query Sample($size:Int!){findScenes(filter:{sort:"id",direction:DESC,per_page:$size}){scenes{files{path}}}}'
VERSION = "query Version{version{version}}"

CONFIGURATION = (
    "query Configuration($ids:[ID!]){configuration{general{apiKey} plugins(include:$ids)} plugins{id enabled}}"
)

# Replaces the whole map of the plugin's settings.
CONFIGURE = "mutation Configure($id:ID!,$input:Map!){configurePlugin(plugin_id:$id,input:$input)}"

LAUNCH = "mutation Launch($id:ID!){runPluginOperation(plugin_id:$id)}"

# The metadata provider's. ``%s`` stands for the fields, to which PROVIDER_GROUPS comes where Stash knows groups.
PROVIDER_FIELDS = (
    "id title code details director date rating100 organized updated_at files{path size duration} "
    "studio{name parent_studio{name parent_studio{name}}} performers{id name image_path updated_at} tags{name}"
)
PROVIDER_GROUPS = " groups{group{name}}"
PROVIDER_SCENES = "query ProviderScenes($ids:[ID!]){findScenes(ids:$ids){scenes{%s}}}"
PROVIDER_FIND = (
    "query ProviderFind($filter:SceneFilterType,$size:Int!){findScenes(scene_filter:$filter,"
    'filter:{sort:"id",direction:ASC,per_page:$size}){count scenes{%s}}}'
)
PROVIDER_FILES = (
    "query ProviderFiles($filter:SceneFilterType,$size:Int!){findScenes(scene_filter:$filter,"
    'filter:{sort:"id",direction:ASC,per_page:$size}){scenes{id title files{path}}}}'
)
PROVIDER_KNOWS = 'query ProviderKnows{__type(name:"Scene"){fields{name}}}'


def scenes_one_by_one(ids: "list[int]", fields: str = SCENE_FIELDS) -> str:
    """The scenes as one query of aliases: a missing scene is null here, while it fails the whole of SCENES."""
    aliases = " ".join("s%d:findScene(id:%d){...F}" % (id, id) for id in ids)
    return "query ScenesOneByOne{%s} fragment F on Scene{%s}" % (aliases, fields)
