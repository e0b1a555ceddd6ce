r"""How people's files lie: what Stash calls them, what Plex does, and the scene that belongs to a name that Plex sends.

A `Group` is one installation: its library roots and path rules, all scenes of its Stash, and the names that Plex sends
with the scene that each has to lead to, or a part of the sentence that says why there is none.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Union

# Parts of the sentences that say why there is no scene.
NO_FILE = "no scene in Stash has a file of that name"
ALIKE = "scenes alike: add a path rule"
NAME_ONLY = "only the file name agrees with 1 scene: add a path rule"
SOME_FOLDERS = "above it agree with 1 scene: add a path rule"
TWO_PATHS = "have that path, and nothing tells which one is meant"
ELSEWHERE = "Stash has that file name elsewhere in Plex's libraries only"
UPWARDS = "leads upwards"
LONG = "is longer than 4096 characters"
NO_CHARACTERS = "characters that no file name can have"

NFD_CAFE = unicodedata.normalize("NFD", "Café/Ångström é.mp4")
NFC_CAFE = unicodedata.normalize("NFC", NFD_CAFE)
MIXED_CAFE = NFD_CAFE.split("/")[0] + "/" + NFC_CAFE.split("/")[1]
SIGNS = "100% [a+b]{2}(c)^$.?*/x_y; 50%25 & #1.mp4"
LONG_NAMES = "/".join(["long name " * 20 + str(number) for number in range(4)]) + "/" + "n" * 200 + ".mp4"
EVIL = r"^/data/evil/((?:[^0/]|[0-9])*\.mkv)$ => /evil/\1 | ^/evil/((?:[^0/]|[0-9])*\.mkv)$ => /data/evil/\1"


@dataclass(frozen=True)
class Case:
    """A name that Plex sends. ``absolute`` is the full path of the same file in Plex, "" when that is not the point."""

    name: str
    filename: str
    found: Union[int, str]
    absolute: str = ""


@dataclass(frozen=True)
class Group:
    """One installation; scenes by their ids, with the path of each of their files."""

    name: str
    roots: tuple[str, ...]
    rules: tuple[Union[str, dict[str, str]], ...]
    scenes: dict[int, Union[str, tuple[str, ...]]]
    cases: tuple[Case, ...] = field(repr=False)


NOTHING_SET = Group(
    "nothing is set",
    roots=(),
    rules=(),
    scenes={
        1: "/data/Studio A/First Scene.mp4",
        2: "/data/Studio A/Part I/video.mp4",
        3: "/data/Studio B/Part II/video.mp4",
        4: "/data/Studio C/Show/Part II/HD/clip.mp4",
        5: "/data/top.mp4",
        6: "/data/deep/below/1.mp4",
        7: "/data/deep/below/A telling name of a scene.mp4",
        8: "/srv/one/Same/twin.mp4",
        9: "/srv/two/Same/twin.mp4",
        10: ("/data/Studio D/copy.mp4", "/data/backup/Studio D/copy.mp4"),
        11: "D:\\Videos\\Studio W\\win.mp4",
        12: "\\\\nas\\share\\Studio U\\unc.mp4",
        13: "/data/Case/Name.mp4",
        14: "/data/case/name.mp4",
        15: "/data/AC\\DC/back.mp4",
        16: "/data/Studio E/2024/series.mp4",
        17: "/mnt/user/media/Studio F/2024/far.mp4",
        18: "/data/Studio G/gone.mp4",
        19: "/data/深い/日本語シーン.mp4",
        20: "/data/sub/deeper/シーン.mp4",
    },
    cases=(
        Case("the whole relative path is the end of the scene's", "Studio A/First Scene.mp4", 1),
        Case("the same with a leading slash", "/Studio A/First Scene.mp4", 1),
        Case("with a library's own name in front", "/Library/Studio A/First Scene.mp4", 1),
        Case("part I", "Studio A/Part I/video.mp4", 2),
        Case("part II of a studio that only has part I", "Studio A/Part II/video.mp4", SOME_FOLDERS),
        Case("part III that Stash does not have", "Studio A/Part III/video.mp4", ALIKE),
        Case("part I below the same folder as part II", "/x/Studio C/Show/Part I/HD/clip.mp4", SOME_FOLDERS),
        Case("a bare name that lies at the top of Stash's folder", "top.mp4", 5),
        Case("a bare name that says nothing and lies deep in Stash", "1.mp4", NAME_ONLY),
        Case("a bare name that is telling", "A telling name of a scene.mp4", 7),
        Case("a bare name of three Chinese characters", "日本語シーン.mp4", 19),
        Case("a bare name in two folders", "twin.mp4", ALIKE),
        Case("two folders with the same folder in them", "Same/twin.mp4", ALIKE),
        Case("as much of the path as tells them apart", "two/Same/twin.mp4", 9),
        Case("two files of one scene are one scene", "Studio D/copy.mp4", 10),
        Case("a Stash on Windows", "Studio W/win.mp4", 11),
        Case("a Stash on Windows, in other letters", "studio w/WIN.MP4", 11),
        Case("both on Windows, with backslashes", "Studio W\\win.mp4", 11, absolute="D:\\Videos\\Studio W\\win.mp4"),
        Case(
            "both on Windows, a leading backslash",
            "\\Videos\\Studio W\\win.mp4",
            11,
            absolute="d:/videos/Studio W/win.mp4",
        ),
        Case("both on the same share", "Studio U\\unc.mp4", 12, absolute="\\\\NAS\\share\\Studio U\\unc.mp4"),
        Case("POSIX names that differ in case only", "Case/Name.mp4", 13, absolute="/data/Case/Name.mp4"),
        Case("the other of them", "case/name.mp4", 14, absolute="/data/case/name.mp4"),
        Case("a POSIX name that is another in case", "CASE/Name.mp4", NAME_ONLY),
        Case("a backslash in a POSIX folder", "AC\\DC/back.mp4", 15, absolute="/data/AC\\DC/back.mp4"),
        Case("an absolute path of another mount, two folders agree", "/media/Lib/Studio E/2024/series.mp4", 16),
        Case("an absolute path of another mount, one folder agrees", "/media/Lib/Studio G/gone.mp4", SOME_FOLDERS),
        Case("two folders agree far below the mount of Stash", "/media/Lib/2024/far.mp4", SOME_FOLDERS),
        Case("another studio's file in folders of the same names", "/Studio X/Studio F/2024/far.mp4", SOME_FOLDERS),
        Case("only the file name agrees", "Somewhere/Else/gone.mp4", NAME_ONLY),
        Case("a name that Stash does not have", "Studio A/Second Scene.mp4", NO_FILE),
        Case("a link to a stream where Stash has the video", "Studio A/First Scene.strm", NO_FILE),
        Case("a name that ends like another", "Studio A/Scene.mp4", NO_FILE),
        Case("wildcards of SQL are characters", "Studio_A/First%.mp4", NO_FILE),
        Case("a way upwards", "../Studio A/First Scene.mp4", UPWARDS),
        Case("a way upwards with backslashes", "Studio A\\..\\First Scene.mp4", UPWARDS),
        Case("too long", "x/" * 2_100 + "a.mp4", LONG),
        Case("a NUL", "Studio A/First\0 Scene.mp4", NO_CHARACTERS),
    ),
)

ROOTS_ONLY = Group(
    "roots are known, and no rules are set",
    roots=("/plex/Movies", "/plex/Clips/", "/nas/Vidéos"),
    rules=(),
    scenes={
        1: "/plex/Movies/Studio/same place.mp4",
        2: "/data/Movies/Studio/other place.mp4",
        3: "/data/Studio/mounted.mp4",
        4: "/data/flat.mp4",
        5: "/data/in/the/deep/1.mp4",
        6: "/plex/Movies/twice.mp4",
        7: "/plex/Clips/twice.mp4",
        8: "/plex/Movies/Movies/own.mp4",
        9: "/plex/Movies/own.mp4",
        10: "/data/4K/Studio/2024/quality.mp4",
        11: "/nas/" + unicodedata.normalize("NFD", "Vidéos") + "/" + NFD_CAFE,
        12: "/plex/Movies/trailing. /dots...mp4 .mp4",
        13: "/plex/Movies/Studio/part I/scene.mp4",
        14: "/data/Studio/part II/scene.mp4",
        15: "/plex/Movies/AC\\DC.mp4",
        16: "/plex/Movies/Dir/.hidden.mp4",
        17: "/plex/Movies/Dir/no extension",
    },
    cases=(
        Case("both see the same paths", "Studio/same place.mp4", 1, absolute="/plex/Movies/Studio/same place.mp4"),
        Case("the library's own name in front", "/Movies/Studio/same place.mp4", 1),
        Case("the full path without its slash", "plex/Movies/Studio/same place.mp4", 1),
        Case("the end of the root's path, two names of it", "/plex/Movies//Studio/./same place.mp4", 1),
        Case(
            "another mount of the same folder",
            "Studio/other place.mp4",
            2,
            absolute="/plex/Movies/Studio/other place.mp4",
        ),
        Case(
            "another mount, without the library's folder",
            "Studio/mounted.mp4",
            3,
            absolute="/plex/Movies/Studio/mounted.mp4",
        ),
        Case("another mount, the library's own name in front", "Movies/Studio/mounted.mp4", 3),
        Case("a file in the root", "flat.mp4", 4, absolute="/plex/Movies/flat.mp4"),
        Case("a file in the root, its name in front", "/Clips/flat.mp4", 4),
        Case("1.mp4 in the root, and one deep in Stash", "1.mp4", NAME_ONLY, absolute="/plex/Movies/1.mp4"),
        Case("a file in the root of two libraries", "twice.mp4", TWO_PATHS),
        Case("the same, and it is told which", "Clips/twice.mp4", 7, absolute="/plex/Clips/twice.mp4"),
        Case("a folder with the root's own name", "Movies/own.mp4", TWO_PATHS),
        Case("the same with its full path", "/plex/Movies/Movies/own.mp4", 8),
        Case("another branch with the same folders", "HD/Studio/2024/quality.mp4", SOME_FOLDERS),
        Case("decomposed root, folder and name", "Vidéos/" + NFC_CAFE, 11, absolute="/nas/Vidéos/" + NFC_CAFE),
        Case("spaces and dots at the end of names", "trailing. /dots...mp4 .mp4", 12),
        Case("the same, trimmed, is another file", "trailing/dots...mp4.mp4", NO_FILE),
        Case(
            "part I where both see it", "Studio/part I/scene.mp4", 13, absolute="/plex/Movies/Studio/part I/scene.mp4"
        ),
        Case("part II where only Stash's mount differs", "Studio/part II/scene.mp4", 14),
        Case("part III that Stash does not have", "Studio/part III/scene.mp4", NAME_ONLY),
        Case("a backslash in a POSIX name", "AC\\DC.mp4", 15, absolute="/plex/Movies/AC\\DC.mp4"),
        Case("backslashes of a Plex on Windows", "\\Studio\\same place.mp4", 1),
        Case("a hidden file", "Dir/.hidden.mp4", 16),
        Case("no extension", "Dir/no extension", 17),
    ),
)

POSIX_RULES = Group(
    "containers with different mounts",
    roots=("/media/Movies", "/media/Clips", "/by-studio", "/media/a | b"),
    rules=(
        "/data/new => /media/Movies/incoming; /data/movies => /media/Movies",
        "/clips => /media/Clips",
        r"^/archive/(\d+)/([^/]+)/(.*)$ => /by-studio/\2/\1/\3 | ^/by-studio/([^/]+)/(\d+)/(.*)$ => /archive/\2/\1/\3",
        "/odd/a\\;b => /media/a | b",
    ),
    scenes={
        1: "/data/movies/Studio/Scene.mp4",
        2: "/clips/Studio/Scene.mp4",
        3: "/data/new/Studio/Fresh.mp4",
        4: "/archive/2019/Studio X/One.mp4",
        5: "/archive/2020/Studio X/One.mp4",
        6: "/data/movies/" + NFD_CAFE,
        7: "/data/movies/" + SIGNS,
        8: "/data/movies/🎬 日本/★ ½.mp4",
        9: "/data/movies/" + LONG_NAMES,
        10: "/odd/a;b/Strange.mp4",
        11: "/data/movies/root file.mp4",
        12: "/data/movies/Studio/Part I.mp4",
        13: "/clips/Studio/Part II.mp4",
        14: "/data/movies/a/1.mp4",
        15: "/clips/b/1.mp4",
        16: "/data/movies/line\nbreak.mp4",
        17: "/data/movies/Studio/Film.strm",
        18: "/elsewhere/Studio/moved away.mp4",
        19: "/data/movies/" + MIXED_CAFE.replace("Café", "Cafe\u0301s").replace(".mp4", ".mkv"),
    },
    cases=(
        Case("one relative name in two libraries", "Studio/Scene.mp4", TWO_PATHS),
        Case("the first of them", "Movies/Studio/Scene.mp4", 1, absolute="/media/Movies/Studio/Scene.mp4"),
        Case("the second of them", "/Clips/Studio/Scene.mp4", 2, absolute="/media/Clips/Studio/Scene.mp4"),
        Case(
            "a narrower rule before a wider one",
            "incoming/Studio/Fresh.mp4",
            3,
            absolute="/media/Movies/incoming/Studio/Fresh.mp4",
        ),
        Case("folders in another order", "Studio X/2019/One.mp4", 4, absolute="/by-studio/Studio X/2019/One.mp4"),
        Case("folders in another order, the other year", "/by-studio/Studio X/2020/One.mp4", 5),
        Case("folders in another order, a year that is not there", "Studio X/2021/One.mp4", ELSEWHERE),
        Case("decomposed in Stash, composed in Plex", NFC_CAFE, 6, absolute="/media/Movies/" + NFC_CAFE),
        Case("decomposed in both", NFD_CAFE, 6, absolute="/media/Movies/" + NFD_CAFE),
        Case("half and half", MIXED_CAFE, 6, absolute="/media/Movies/" + MIXED_CAFE),
        Case("signs of expressions, wildcards and queries", SIGNS, 7, absolute="/media/Movies/" + SIGNS),
        Case("emoji and other scripts", "🎬 日本/★ ½.mp4", 8, absolute="/media/Movies/🎬 日本/★ ½.mp4"),
        Case("a thousand characters", LONG_NAMES, 9, absolute="/media/Movies/" + LONG_NAMES),
        Case("a semicolon and a bar in folders", "a | b/Strange.mp4", 10, absolute="/media/a | b/Strange.mp4"),
        Case("a file in the root", "root file.mp4", 11, absolute="/media/Movies/root file.mp4"),
        Case("part I in one library", "Studio/Part I.mp4", 12, absolute="/media/Movies/Studio/Part I.mp4"),
        Case("part II in the other", "Studio/Part II.mp4", 13, absolute="/media/Clips/Studio/Part II.mp4"),
        Case("1.mp4 in a folder of one library", "a/1.mp4", 14, absolute="/media/Movies/a/1.mp4"),
        Case("1.mp4 in a folder of the other", "/Clips/b/1.mp4", 15),
        Case("1.mp4 in a folder that Stash does not have", "c/1.mp4", ELSEWHERE),
        Case("a line break in a name", "line\nbreak.mp4", 16),
        Case("a link to a stream that Stash has too", "Studio/Film.strm", 17),
        Case("a file that another Stash folder has now", "Studio/moved away.mp4", 18),
        Case("a file of the wrong name only", "Other/Fresh.mp4", ELSEWHERE),
        Case("doubled slashes", "//Movies//Studio//Scene.mp4", 1),
    ),
)

WINDOWS_PLEX = Group(
    "Plex on Windows",
    roots=("D:\\Media\\Movies", "e:/Clips", "\\\\nas\\share\\Videos", "F:\\"),
    rules=(
        "/data/movies => D:\\Media\\Movies ; /data/clips => E:\\Clips",
        "/nas => //nas/share/Videos",
        "/disk => F:\\ ",
    ),
    scenes={
        1: "/data/movies/Studio/Scene.mp4",
        2: "/data/clips/Studio/Clip.mp4",
        3: "/nas/Studio/Share.mp4",
        4: "/disk/Studio/Drive.mp4",
        5: "/data/movies/" + NFC_CAFE,
        6: "/data/movies/" + SIGNS.replace("*", "").replace("?", ""),
        7: "/data/movies/Part I/video.mp4",
        8: "/data/clips/Part II/video.mp4",
        9: "/data/movies/root.mp4",
    },
    cases=(
        Case("with backslashes", "Studio\\Scene.mp4", 1, absolute="D:\\Media\\Movies\\Studio\\Scene.mp4"),
        Case("with slashes", "Studio/Scene.mp4", 1, absolute="d:/media/MOVIES/Studio/Scene.mp4"),
        Case("with a leading backslash and the root's name", "\\Movies\\Studio\\Scene.mp4", 1),
        Case("with a leading slash and the root's name in other letters", "/movies/Studio/Scene.mp4", 1),
        Case("with the prefix of long paths", "\\\\?\\D:\\Media\\Movies\\Studio\\Scene.mp4", 1),
        Case(
            "a root that was written with slashes", "Clips\\Studio\\Clip.mp4", 2, absolute="E:\\Clips\\Studio\\Clip.mp4"
        ),
        Case("a share", "Studio\\Share.mp4", 3, absolute="\\\\nas\\share\\Videos\\Studio\\Share.mp4"),
        Case("a share with slashes", "/Videos/Studio/Share.mp4", 3, absolute="//NAS/share/videos/Studio/Share.mp4"),
        Case("a share with the prefix of long paths", "\\\\?\\UNC\\nas\\share\\Videos\\Studio\\Share.mp4", 3),
        Case("a whole drive", "Studio\\Drive.mp4", 4, absolute="F:\\Studio\\Drive.mp4"),
        Case(
            "decomposed", NFD_CAFE.replace("/", "\\"), 5, absolute="D:\\Media\\Movies\\" + NFD_CAFE.replace("/", "\\")
        ),
        Case("signs of expressions", SIGNS.replace("*", "").replace("?", ""), 6),
        Case("part I", "Part I\\video.mp4", 7),
        Case("part II", "Part II\\video.mp4", 8, absolute="E:\\Clips\\Part II\\video.mp4"),
        Case("part III", "Part III\\video.mp4", ELSEWHERE),
        Case("a file in the root", "root.mp4", 9, absolute="D:\\Media\\Movies\\root.mp4"),
        Case("a drive that is no library", "G:\\Studio\\Unknown.mp4", NO_FILE),
        Case("a library of another drive", "G:\\Media\\Movies\\Studio\\Clip.mp4", ELSEWHERE),
    ),
)

WINDOWS_STASH = Group(
    "Stash on Windows, Plex in a container",
    roots=("/videos", "/share"),
    rules=("D:\\Vids => /videos", "\\\\nas\\more => /share"),
    scenes={
        1: "D:\\Vids\\Studio\\Scene.mp4",
        2: "\\\\nas\\more\\Studio\\Share.mp4",
        3: "D:\\Vids\\Part I\\video.mp4",
        4: "D:\\Vids\\Part II\\video.mp4",
        5: "E:\\Vids\\Studio\\Other drive.mp4",
        6: "D:\\Vids\\" + NFC_CAFE.replace("/", "\\"),
    },
    cases=(
        Case("a drive of Stash", "Studio/Scene.mp4", 1, absolute="/videos/Studio/Scene.mp4"),
        Case("the library's own name in front", "/videos/Studio/Scene.mp4", 1),
        Case("other letters, since the system does not care", "studio/SCENE.mp4", 1),
        Case("a share of Stash", "Studio/Share.mp4", 2, absolute="/share/Studio/Share.mp4"),
        Case("part I", "Part I/video.mp4", 3, absolute="/videos/Part I/video.mp4"),
        Case("part II", "Part II/video.mp4", 4),
        Case("a drive that no rule names", "Studio/Other drive.mp4", 5),
        Case("decomposed by the file system of Plex", NFD_CAFE, 6, absolute="/videos/" + NFD_CAFE),
    ),
)

USER_SHARES = Group(
    "user shares: Plex sees one folder of Stash under two names",
    roots=("/mnt/user/adult", "/mnt/disk1/adult", "/mnt/merged"),
    rules=("/data => /mnt/user/adult; /data => /mnt/disk1/adult; /pool/a => /mnt/merged; /pool/b => /mnt/merged",),
    scenes={
        1: "/data/Studio/Scene.mp4",
        2: "/data/Studio/Part I/video.mp4",
        3: "/data/Studio/Part II/video.mp4",
        4: "/pool/a/Studio/First disk.mp4",
        5: "/pool/b/Studio/Second disk.mp4",
    },
    cases=(
        Case("the user share", "Studio/Scene.mp4", 1, absolute="/mnt/user/adult/Studio/Scene.mp4"),
        Case("the disk behind it", "adult/Studio/Scene.mp4", 1, absolute="/mnt/disk1/adult/Studio/Scene.mp4"),
        Case("part I", "Studio/Part I/video.mp4", 2, absolute="/mnt/disk1/adult/Studio/Part I/video.mp4"),
        Case("part II", "/adult/Studio/Part II/video.mp4", 3, absolute="/mnt/user/adult/Studio/Part II/video.mp4"),
        Case("merged disks, the first", "Studio/First disk.mp4", 4, absolute="/mnt/merged/Studio/First disk.mp4"),
        Case(
            "merged disks, the second",
            "merged/Studio/Second disk.mp4",
            5,
            absolute="/mnt/merged/Studio/Second disk.mp4",
        ),
    ),
)

TRIED_RULES = Group(
    "rules with a library and a trial path, some of them wrong",
    roots=(),
    rules=(
        {
            "rule": r"^/data/(.*)$ => /wrong/\1 | ^/wrong/(.*)$ => /data/\1",
            "plex_library_root": "/wrong",
            "test_plex_path": "/wrong/a.mp4",
            "test_stash_path": "/other/a.mp4",
        },
        {"rule": EVIL, "plex_library_root": "/evil"},
        {
            "rule": r"^/data/([^/]+)/(.*)$ => /media/\2 @\1 | ^/media/(.*) @([^/@]+)$ => /data/\2/\1",
            "plex_library_root": "/media",
            "test_plex_path": "/media/Series/a.mp4 @Studio",
            "test_stash_path": "/data/Studio/Series/a.mp4",
        },
        {
            "rule": "/clips => /media2/Clips",
            "plex_library_root": "/media2/Clips",
            "test_plex_path": "/media2/Clips/x.mp4",
        },
    ),
    scenes={1: "/data/Studio/Series/Scene.mp4", 2: "/clips/Studio/Clip.mp4", 3: "/data/evil/" + "1" * 50 + ".mkv"},
    cases=(
        Case(
            "the name and the folders turned round",
            "Series/Scene.mp4 @Studio",
            1,
            absolute="/media/Series/Scene.mp4 @Studio",
        ),
        Case("a root that a rule names", "Studio/Clip.mp4", 2, absolute="/media2/Clips/Studio/Clip.mp4"),
        Case("that root's own name in front", "/Clips/Studio/Clip.mp4", 2),
        Case("a rule that takes too long is left out", "/evil/" + "1" * 200 + "!", NO_FILE),
        Case("the root of a rule that is disabled counts no more", "wrong/evil/" + "2" * 50 + ".mkv", NO_FILE),
    ),
)

GROUPS = (NOTHING_SET, ROOTS_ONLY, POSIX_RULES, WINDOWS_PLEX, WINDOWS_STASH, USER_SHARES, TRIED_RULES)
