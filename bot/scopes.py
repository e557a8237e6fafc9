"""What the bot may do in a workspace, as `manifest.yml` asks for it; a test compares the two. An installed app has no manifest beside it."""

NEEDED_SCOPES = frozenset(
    {
        "channels:history",
        "chat:write",
        "commands",
        "files:read",
        "files:write",
        "groups:history",
        "im:write",
        "usergroups:read",
        "users:read",
        "users:read.email",
    }
)
