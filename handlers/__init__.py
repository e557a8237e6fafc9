"""The Slack edge: commands, buttons and forms in; cards, lists and files out."""
