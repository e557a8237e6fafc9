"""Executions that an older program stored stand there by the scanner's own name of their resource."""

from dataclasses import replace

from sqlalchemy import Engine, text

from storage import Stores
from tests.fakes.samples import an_event, an_execution


def test_a_run_by_an_older_program_is_found_on_its_resource(stores: Stores, empty: Engine) -> None:
    sample = an_execution("exec-1", holds="")
    finding = replace(sample.finding, resource="arn:aws:s3:::Acme-Logs/")
    old = stores.executions.create(replace(sample, finding=finding), an_event())
    assert old.resource_names == ("arn:aws:s3:::acme-logs", "arn:aws:s3:::Acme-Logs/")
    with empty.begin() as connection:
        connection.execute(text("UPDATE executions SET resource = 'arn:aws:s3:::Acme-Logs/'"))
    assert stores.executions.touching(*old.resource_names, limit=None) == [old]
