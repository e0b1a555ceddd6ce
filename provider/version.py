"""The version, which is the plugin's too."""

VERSION = "0.1.0"
