"""The voice of remediation."""

from structlog.testing import capture_logs

from handlers.notifier import DispatchingNotifier


class Closed:
    """Hands that take nothing."""

    def submit(self, kind: str, work_id: str) -> None:
        raise RuntimeError("cannot schedule new futures after shutdown")


def test_what_cannot_be_queued_disturbs_nobody_and_stands_in_the_log() -> None:
    with capture_logs() as logs:
        DispatchingNotifier(Closed()).changed("x-1")
    assert [(entry["event"], entry["execution_id"]) for entry in logs] == [("drawing not queued", "x-1")]
