"""EBS beyond the contract: what a plan tells, half-made copies, and what stands in the way."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from audit.errors import ActionError, Cause, InputError, PermanentActionError, TemporaryActionError
from remediation.actions.aws.errors import aws_errors
from remediation.actions.registry import Step
from remediation.playbook import PlaybookAction
from tests.contract.cases.aws_ebs import EbsDefaultEncryptionCase, EncryptedCopyCase
from tests.contract.cases.contract import OneClient, aws_registry
from tests.fakes.cloud_proxy import CloudProxy, ec2_error, lost

pytestmark = pytest.mark.slow

KEY_ANSWER = (
    200,
    b"<GetEbsDefaultKmsKeyIdResponse><kmsKeyId>arn:aws:kms:us-east-1:123456789012:key/k-1</kmsKeyId></GetEbsDefaultKmsKeyIdResponse>",
)
KEY = "arn:aws:kms:us-east-1:123456789012:key/0123abcd"


@pytest.fixture
def default(ec2: Any) -> EbsDefaultEncryptionCase:
    made = EbsDefaultEncryptionCase(ec2)
    made.set_state("off")
    return made


@pytest.fixture
def case(ec2: Any, volume: str) -> EncryptedCopyCase:
    return EncryptedCopyCase(ec2, volume)


@pytest.fixture
def proxy(moto_endpoint: str) -> Iterator[CloudProxy]:
    with CloudProxy.before(moto_endpoint) as running:
        yield running


def copy_step(case: EncryptedCopyCase, client: Any = None, **params: object) -> Step:
    written = PlaybookAction("copy", "aws", {**case.written.params, "params": params})
    return aws_registry(OneClient(client or case.ec2)).resolve(written)


def default_notes(default: EbsDefaultEncryptionCase, client: Any) -> tuple[str, ...]:
    return aws_registry(OneClient(client)).resolve(default.written).plan(default.target()).notes


def parts(case: EncryptedCopyCase) -> Any:
    return case.read_raw()[1]  # type: ignore[index]


def test_the_plan_names_the_key_the_plain_volumes_and_what_no_rollback_undoes(
    default: EbsDefaultEncryptionCase, proxy: CloudProxy, volume: str
) -> None:
    proxy.answer_instead("GetEbsDefaultKmsKeyId", KEY_ANSWER)
    key, plain, by_hand, rollback = default_notes(default, proxy.client())
    assert "with the KMS key arn:aws:kms:us-east-1:123456789012:key/k-1" in key
    count = re.search(r"which stay so: (\d+) \(vol-", plain)
    assert count is not None
    assert int(count[1]) >= 1
    assert by_hand.startswith("To encrypt one by hand: stop its instance")
    assert "made meanwhile stay encrypted" in rollback
    assert all(len(note) <= 300 for note in (key, plain, by_hand, rollback))


def test_what_cannot_be_read_is_unknown_and_no_obstacle(
    default: EbsDefaultEncryptionCase, proxy: CloudProxy
) -> None:
    proxy.answer_instead("GetEbsDefaultKmsKeyId", ec2_error("UnauthorizedOperation", 403))
    proxy.answer_instead("DescribeVolumes", ec2_error("UnauthorizedOperation", 403))
    notes = default_notes(default, proxy.client())
    assert "which could not be read (unknown)" in notes[0]
    assert "could not be read; those that are stay so" in notes[1]


def test_but_the_setting_itself_is(default: EbsDefaultEncryptionCase, proxy: CloudProxy) -> None:
    proxy.answer_instead("GetEbsEncryptionByDefault", ec2_error("UnauthorizedOperation", 403))
    with pytest.raises(
        PermanentActionError, match="Could not read the default encryption of us-east-1"
    ) as caught:
        default_notes(default, proxy.client())
    assert caught.value.cause is Cause.DENIED


def test_a_copy_is_made_of_three_parts_and_the_original_is_left_alone(case: EncryptedCopyCase) -> None:
    step, before = copy_step(case), case.read_raw()
    plan = step.plan(case.target())
    assert plan.before == {"Snapshot": None, "Encrypted copy of the snapshot": None, "Encrypted volume": None}
    assert plan.after["Encrypted volume"] == "8 GiB gp3 in us-east-1a, encrypted"
    assert len(step.action.apply(plan)) == 3
    step.action.verify(plan)
    assert len(parts(case)) == 3
    made = case.ec2.describe_volumes(
        VolumeIds=[next(part for part in parts(case) if part.startswith("vol-"))]
    )
    assert made["Volumes"][0]["Throughput"] == 130
    assert case.read_raw()[0] == before[0]  # type: ignore[index]


def test_with_a_key_of_ones_own_the_key_is_part_of_the_goal(case: EncryptedCopyCase) -> None:
    step = copy_step(case, kms_key_id=KEY)
    plan = step.plan(case.target())
    assert plan.after["Encrypted volume"] == f"8 GiB gp3 in us-east-1a, encrypted with {KEY}"
    step.action.apply(plan)
    step.action.verify(plan)


def test_a_copy_with_another_key_is_in_the_way(case: EncryptedCopyCase) -> None:
    step = copy_step(case)
    step.action.apply(step.plan(case.target()))
    with pytest.raises(PermanentActionError, match="in the way: Encrypted volume is 8 GiB gp3"):
        copy_step(case, kms_key_id=KEY).plan(case.target())


def test_an_encrypted_volume_needs_no_copy(ec2: Any) -> None:
    made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, Encrypted=True)
    case = EncryptedCopyCase(ec2, made["VolumeId"])
    step = copy_step(case)
    plan = step.plan(case.target())
    assert not plan.is_needed
    assert plan.notes == (f"{case.volume} is encrypted already.",)
    assert step.action.apply(plan) == ()
    assert parts(case) == []


def test_the_instance_and_the_way_to_swap_are_told(case: EncryptedCopyCase, ec2: Any) -> None:
    image = ec2.describe_images()["Images"][0]["ImageId"]
    started = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.attach_volume(VolumeId=case.volume, InstanceId=started, Device="/dev/sdf")
    attached, whole, swap, cost = copy_step(case).plan(case.target()).notes
    assert attached == f"{case.volume} is attached to {started} as /dev/sdf."
    assert "stop the instance first" in whole
    assert f"detach {case.volume}, attach the new volume as /dev/sdf" in swap
    assert "A rollback deletes them" in cost
    assert all(len(note) <= 300 for note in (attached, whole, swap, cost))


def test_a_volume_in_use_is_no_longer_what_we_left(case: EncryptedCopyCase, ec2: Any) -> None:
    step = copy_step(case)
    plan = step.plan(case.target())
    step.action.apply(plan)
    image = ec2.describe_images()["Images"][0]["ImageId"]
    started = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    made = next(part for part in parts(case) if part.startswith("vol-"))
    ec2.attach_volume(VolumeId=made, InstanceId=started, Device="/dev/sdg")
    assert step.action.observe(plan)["Encrypted volume"] == "8 GiB gp3 in us-east-1a, encrypted, in-use"
    with pytest.raises(PermanentActionError, match="in the way: Encrypted volume is .*in-use"):
        step.plan(case.target())


def test_snapshots_that_others_made_with_our_volumes_tags_are_not_ours(case: EncryptedCopyCase) -> None:
    step = copy_step(case)
    plan = step.plan(case.target())
    step.action.apply(plan)
    made = next(part for part in parts(case) if part.startswith("vol-"))
    tags = case.ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["Tags"]
    backup = case.ec2.create_snapshot(
        VolumeId=made, TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}]
    )["SnapshotId"]
    step.action.verify(plan)
    step.action.rollback(plan)
    assert parts(case) == [backup]


def test_what_fails_in_the_middle_is_put_back(case: EncryptedCopyCase, proxy: CloudProxy) -> None:
    step = copy_step(case, proxy.client())
    plan = step.plan(case.target())
    proxy.answer_instead("CreateVolume", ec2_error("VolumeLimitExceeded"))
    with pytest.raises(ActionError, match="Could not make the encrypted volume of vol-"):
        step.action.apply(plan)
    assert len(parts(case)) == 2
    step.action.rollback(plan)
    step.action.verify_rollback(plan)
    assert parts(case) == []


def test_or_gone_on_with_and_then_only_the_rest_is_ours(case: EncryptedCopyCase, proxy: CloudProxy) -> None:
    step = copy_step(case, proxy.client())
    proxy.answer_instead("CopySnapshot", ec2_error("InternalError", 500))
    with pytest.raises(TemporaryActionError):
        step.action.apply(step.plan(case.target()))
    left = parts(case)
    again = step.plan(case.target())
    assert again.before["Snapshot"] == "made"
    assert len(step.action.apply(again)) == 2
    step.action.rollback(again)
    assert parts(case) == left != []


def test_a_snapshot_made_twice_by_a_lost_answer_shows_and_both_go(
    case: EncryptedCopyCase, proxy: CloudProxy
) -> None:
    step = copy_step(case, proxy.client(attempts=2))
    plan = step.plan(case.target())
    proxy.next_time("CreateSnapshot", lost)
    step.action.apply(plan)
    with pytest.raises(PermanentActionError, match="Snapshot is 2 of them, not made"):
        step.action.verify(plan)
    step.action.rollback(plan)
    assert parts(case) == []


def test_what_is_gone_already_needs_no_deleting(case: EncryptedCopyCase, proxy: CloudProxy) -> None:
    step = copy_step(case, proxy.client())
    plan = step.plan(case.target())
    step.action.apply(plan)
    proxy.answer_instead("DeleteVolume", ec2_error("InvalidVolume.NotFound"))
    proxy.answer_instead("DeleteSnapshot", ec2_error("InvalidSnapshot.NotFound"))
    assert len(step.action.rollback(plan)) == 1
    proxy.answer_instead("DeleteVolume", ec2_error("VolumeInUse"))
    with pytest.raises(TemporaryActionError) as caught:
        step.action.rollback(plan)
    assert caught.value.cause is Cause.CHANGED_MEANWHILE


def test_a_missing_volume_is_explained(case: EncryptedCopyCase) -> None:
    case.ec2.delete_volume(VolumeId=case.volume)
    with pytest.raises(PermanentActionError, match="Could not read the volume vol-") as caught:
        copy_step(case).plan(case.target())
    assert caught.value.cause is Cause.NOT_FOUND


def snapshot_in(state: str) -> tuple[int, bytes]:
    body = f"<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-1</snapshotId><status>{state}</status></item></snapshotSet></DescribeSnapshotsResponse>"
    return 200, body.encode()


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (snapshot_in("error"), Cause.NOT_VERIFIED),
        (snapshot_in("pending"), Cause.TIMED_OUT),
        (ec2_error("UnauthorizedOperation", 403), Cause.DENIED),
    ],
)
def test_a_wait_that_ends_badly_says_why(proxy: CloudProxy, answer: tuple[int, bytes], cause: Cause) -> None:
    proxy.answer_instead("DescribeSnapshots", answer)
    with (
        pytest.raises(ActionError, match="Could not wait for the snapshot") as caught,
        aws_errors("wait for the snapshot"),
    ):
        proxy.client().get_waiter("snapshot_completed").wait(WaiterConfig={"Delay": 0, "MaxAttempts": 1})
    assert caught.value.cause is cause


@pytest.mark.parametrize(
    "params",
    [{"kms_key_id": "alias/aws/ebs"}, {"kms_key_id": ""}, {"wait_minutes": 0}, {"wait_minutes": 1000}],
)
def test_parameters_that_make_no_sense_are_refused(
    case: EncryptedCopyCase, params: dict[str, object]
) -> None:
    with pytest.raises(InputError, match="|".join(params)):
        copy_step(case, **params)
