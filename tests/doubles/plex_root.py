"""The server root: about fifty attributes of which clients read a handful."""

from __future__ import annotations

from typing import Any

from tests.doubles.plex_settings import PlexSettings

_FACTS: dict[str, Any] = {
    "allowCameraUpload": True,
    "allowChannelAccess": True,
    "allowMediaDeletion": True,
    "allowSharing": True,
    "allowSync": True,
    "allowTuners": True,
    "apiVersion": "1.2.0",
    "backgroundProcessing": True,
    "certificate": True,
    "companionProxy": True,
    "countryCode": "aus",
    "diagnostics": "logs,databases,streaminglogs",
    "eventStream": True,
    "hubSearch": True,
    "itemClusters": True,
    "livetv": 7,
    "mediaProviders": True,
    "multiuser": True,
    "musicAnalysis": 2,
    "myPlex": True,
    "myPlexMappingState": "mapped",
    "myPlexSigninState": "ok",
    "myPlexSubscription": True,
    "myPlexUsername": "user@example.com",
    "offlineTranscode": 1,
    "ownerFeatures": "00077925-6031-401b-8679-f6617ed0cec6,002c9f1a-2fc0-4812-b85b-0e6140f21a0f",
    "platform": "Linux",
    "platformVersion": "6.17.0",
    "pluginHost": True,
    "pushNotifications": False,
    "readOnlyLibraries": False,
    "streamingBrainABRVersion": 3,
    "streamingBrainVersion": 2,
    "sync": True,
    "transcoderActiveVideoSessions": 0,
    "transcoderAudio": True,
    "transcoderLyrics": True,
    "transcoderPhoto": True,
    "transcoderSubtitles": True,
    "transcoderVideo": True,
    "transcoderVideoBitrates": "64,96,208,320,720,1500,2000,3000,4000,8000,10000,12000,20000",
    "transcoderVideoQualities": "0,1,2,3,4,5,6,7,8,9,10,11,12",
    "transcoderVideoResolutions": "128,128,160,240,320,480,768,720,720,1080,1080,1080,1080",
    "updatedAt": 1778018578,
    "updater": True,
    "voiceSearch": True,
}
_MENU = (
    "actions",
    "activities",
    "butler",
    "channels",
    "clients",
    "devices",
    "diagnostics",
    "hubs",
    "library",
    "livetv",
    "media",
    "metadata",
    "neighborhood",
    "playQueues",
    "player",
    "playlists",
    "resources",
    "search",
    "server",
    "servers",
    "statistics",
    "system",
    "transcode",
    "updater",
    "user",
)


def root_attrs(settings: PlexSettings) -> dict[str, Any]:
    """Return the attributes of ``GET /``."""
    return {
        **_FACTS,
        "friendlyName": settings.friendly_name,
        "machineIdentifier": settings.machine_id,
        "version": settings.version,
    }


def root_directories() -> list[tuple[str, str]]:
    """Return the menu of ``GET /`` as (key, title)."""
    return [(name, name) for name in _MENU]
