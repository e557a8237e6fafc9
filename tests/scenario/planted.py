"""Every secret that a bot may know, each with a mark of its own, planted where people keep it: environment, configuration, files."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot.sandbox.workspace import DEFAULT_WORKSPACE, Workspace

TENANT = "11111111-2222-4333-8444-555555555555"
NOBODY = "127.0.0.1:9"  # no server listens there: whoever tries has to explain that with the secret in hand
ENVIRONMENT = {
    "AWS_SECRET_ACCESS_KEY": "canary-aws-secret-0123456789abcdef",
    "AWS_SESSION_TOKEN": "canary-aws-session-0123456789abcdef",
    "SENDER_PASSWORD": "canary-smtp-password-0123456789ab",
    "COUNTERSIGN_SECRET_KEY": "canary-link-key-0123456789abcdef0123",
    "AZURE_CLIENT_SECRET": "canary-azure-secret-0123456789abcdef",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD": "canary-azure-certificate-0123456789",
}
TOKENS = {
    "SLACK_BOT_TOKEN": "xoxb-canary-bot-0123456789abcdef",
    "SLACK_APP_TOKEN": "xapp-canary-app-0123456789abcdef",
    "SLACK_SIGNING_SECRET": "canary-signing-0123456789abcdef",
}
IN_FILES = {
    "apprise": "canary-apprise-0123456789abcdef",
    "aws file, key": "canary-aws-file-secret-0123456789",
    "aws file, token": "canary-aws-file-session-0123456789",
    "google key id": "canary-google-key-id-0123456789",
    "database": "canary-database-0123456789abcdef",
    "proxy": "canary-proxy-0123456789abcdef",
}
CONFIG = """\
environment: demo
channel: C0SECURITY
policy: {{approvers: [S0SEC, U0ANA]}}
playbooks: playbooks
scripts: {{folder: scripts}}
notifications: {{oncall: "json://caller:{apprise}@{nobody}/hook?token={apprise}"}}
trail: {{anchor_file: {anchors}}}
"""
# With this one, signing in to each cloud is tried.
CLOUDS = """\
policy: {{approvers: [S0SEC]}}
notifications: {{oncall: "json://caller:{apprise}@{nobody}/hook?token={apprise}"}}
accounts:
  gcp: {{service_account: "countersign@project-1.iam.gserviceaccount.com"}}
  azure: {{tenant: {tenant}}}
"""
# It does its step, and then says that to somebody who cannot be reached.
PAGE = """\
playbook_id: BLOCK-AND-PAGE
name: Close it and page
finding_category: Storage
severity: HIGH
checks: [s3_bucket_level_public_access_block]
actions:
  - action_name: block
    action_type: aws
    params:
      service: s3
      action: put-public-access-block
      params: {BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}
  - action_name: page
    action_type: notification
    params: {type: target, target: oncall, message: "It is closed"}
"""
SHOW = """\
playbook_id: SHOW-ENVIRONMENT
name: Show the environment
finding_category: Storage
severity: HIGH
checks: [s3_bucket_level_public_access_block]
actions:
  - action_name: show
    action_type: script
    params: {script: show.sh}
"""
# The last line that a script writes stands on the card: this one tells what it was given of all that is planted.
SCRIPT = """\
#!/bin/sh
echo "I was given $(env | wc -l) values: $(env | grep -i canary | tr '\\n' ' ')"
exit 3
"""


@dataclass(frozen=True)
class Planted:
    """Where it lies, by name what must never leave, and the environment that leads to it."""

    folder: Path
    marks: Mapping[str, str]
    environment: Mapping[str, str]
    workspace: Workspace

    @property
    def behind_a_proxy(self) -> dict[str, str]:
        """Return what keeps each try to sign in to a cloud on this machine: a proxy with a password, which does not answer."""
        proxy = f"http://somebody:{IN_FILES['proxy']}@{NOBODY}"
        return {
            "COUNTERSIGN_CONFIG": str(self.folder / "clouds.yaml"),
            "HTTP_PROXY": proxy,
            "HTTPS_PROXY": proxy,
            "NO_PROXY": "127.0.0.1",
        }

    @property
    def with_files_alone(self) -> dict[str, str]:
        """Return what makes the AWS SDK read the file: the environment's keys would win."""
        return {
            "AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "aws"),
            "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "",
            "AWS_SESSION_TOKEN": "",
        }


def plant(folder: Path, *, outside: Path) -> Planted:
    """Write all files below a folder; what the bot itself writes goes `outside` of it."""
    for name in ("playbooks", "scripts"):
        (folder / name).mkdir(parents=True, mode=0o755)
    _write(folder / "playbooks" / "page.yaml", PAGE)
    _write(folder / "playbooks" / "show.yaml", SHOW)
    _write(folder / "scripts" / "show.sh", SCRIPT)
    (folder / "scripts" / "show.sh").chmod(0o755)
    names = {"anchors": outside / "anchors.jsonl", "nobody": NOBODY, "tenant": TENANT, **IN_FILES}
    _write(folder / "countersign.yaml", CONFIG.format(**names))
    _write(folder / "clouds.yaml", CLOUDS.format(**names))
    _write(
        folder / "aws",
        f"[default]\naws_access_key_id = demo\naws_secret_access_key = {IN_FILES['aws file, key']}\n"
        f"aws_session_token = {IN_FILES['aws file, token']}\n",
    )
    key = _private_key()
    _write(folder / "google.json", json.dumps(_google(key)))
    _write(folder / "azure.pem", key)
    environment = {
        **ENVIRONMENT,
        "COUNTERSIGN_CONFIG": str(folder / "countersign.yaml"),
        "AZURE_CLIENT_ID": TENANT,
        "AZURE_TENANT_ID": TENANT,
        "AZURE_CLIENT_CERTIFICATE_PATH": str(folder / "azure.pem"),
        "AZURE_AUTHORITY_HOST": f"https://{NOBODY}",
        "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "google.json"),
        "SMTP_SERVER": NOBODY.partition(":")[0],
        "SMTP_PORT": NOBODY.partition(":")[2],
        "SENDER_EMAIL": "bot@northwind.example",
    }
    lines = key.splitlines()
    marks = {**ENVIRONMENT, **TOKENS, **IN_FILES, "private key": lines[len(lines) // 2]}
    return Planted(folder, marks, environment, _workspace())


def database_of_nobody() -> str:
    """Return the address of a database that cannot be reached, with its password."""
    return f"postgresql+psycopg://keeper:{IN_FILES['database']}@{NOBODY}/countersign"


def leaks(seen: Iterable[tuple[str, bytes]], marks: Mapping[str, str]) -> set[tuple[str, str]]:
    """Return where which mark was found."""
    return {
        (place[:300], name)
        for place, content in seen
        for name, mark in marks.items()
        if mark in place or mark.encode() in content
    }


def run_apart(environment: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[bytes]":
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        [sys.executable, *words],
        env={**environment, "PYTHONPATH": root},
        cwd=Path.cwd(),
        capture_output=True,
        check=False,
    )


def _workspace() -> Workspace:
    return replace(
        DEFAULT_WORKSPACE,
        bot_token=TOKENS["SLACK_BOT_TOKEN"],
        app_token=TOKENS["SLACK_APP_TOKEN"],
        signing_secret=TOKENS["SLACK_SIGNING_SECRET"],
    )


def _private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _google(key: str) -> dict[str, str]:
    return {
        "type": "service_account",
        "project_id": "project-1",
        "private_key_id": IN_FILES["google key id"],
        "private_key": key,
        "client_email": "bot@project-1.iam.gserviceaccount.com",
        "client_id": "1",
        "token_uri": f"https://{NOBODY}/token",
    }


def _write(path: Path, text: str) -> None:
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    path.chmod(0o600)
