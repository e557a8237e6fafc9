"""Which addresses out of a payload lead to Slack: answers and files go to no others."""

from urllib.parse import urlsplit

_SLACK_DOMAINS = (".slack.com", ".slack-gov.com")


def is_slack_url(url: str, *, api_url: str) -> bool:
    """Tell whether a URL out of a payload leads to Slack: over https to Slack's own hosts, or to the API we are told to use."""
    parts, api = urlsplit(url), urlsplit(api_url)
    if (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
        return True
    return parts.scheme == "https" and f".{parts.hostname}".endswith(_SLACK_DOMAINS)
