"""A cloud that answers every call after the same time, for `plan_bench.py`: one public bucket by any name, a region, a security group.

Runs as a process of its own, so that its work is not counted as ours: python bench/slow_cloud.py MILLISECONDS
"""

import asyncio
import json
import sys
import time
from urllib.parse import parse_qs, urlsplit

ACCOUNT = "123456789012"
GROUP = "sg-0123456789abcdef0"
_OWNER = "<Owner><ID>o</ID></Owner>"
_EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"
_SCHEMA = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_GRANT = f'<Grant><Grantee {_SCHEMA} xsi:type="Group"><URI>{_EVERYONE}</URI></Grantee><Permission>READ</Permission></Grant>'


def _absent(code: str) -> tuple[int, str]:
    return 404, f"<Error><Code>{code}</Code><Message>It has none</Message><RequestId>r</RequestId></Error>"


def _rule(number: int, port: int, source: str) -> str:
    return (
        f"<item><securityGroupRuleId>sgr-{number}</securityGroupRuleId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol>"
        f"<fromPort>{port}</fromPort><toPort>{port}</toPort><cidrIpv4>{source}</cidrIpv4><description>r</description></item>"
    )


_RULES = "".join(
    [_rule(0, 22, "0.0.0.0/0"), *(_rule(number, 8000 + number, "10.0.0.0/8") for number in range(1, 60))]
)
_BY_QUERY = {
    "location": (200, "<LocationConstraint/>"),
    "publicAccessBlock": _absent("NoSuchPublicAccessBlockConfiguration"),
    "policyStatus": _absent("NoSuchBucketPolicy"),
    "website": _absent("NoSuchWebsiteConfiguration"),
    "acl": (
        200,
        f"<AccessControlPolicy>{_OWNER}<AccessControlList>{_GRANT}</AccessControlList></AccessControlPolicy>",
    ),
}
_BY_ACTION = {
    "GetCallerIdentity": f"<GetCallerIdentityResult><Account>{ACCOUNT}</Account></GetCallerIdentityResult>",
    "GetEbsEncryptionByDefault": "<ebsEncryptionByDefault>false</ebsEncryptionByDefault>",
    "GetEbsDefaultKmsKeyId": "<kmsKeyId>alias/aws/ebs</kmsKeyId>",
    "DescribeVolumes": "<volumeSet><item><volumeId>vol-1</volumeId></item></volumeSet>",
    "DescribeSecurityGroups": f"<securityGroupInfo><item><groupId>{GROUP}</groupId></item></securityGroupInfo>",
    "DescribeSecurityGroupRules": f"<securityGroupRuleSet>{_RULES}</securityGroupRuleSet>",
    "DescribeNetworkInterfaces": "<networkInterfaceSet/>",
}


class SlowCloud:
    """Keeps count of its calls and of the time it took for them."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._calls, self._spent_s = 0, 0.0

    async def serve(self) -> None:
        server = await asyncio.start_server(self._converse, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            lines = head.split("\r\n")
            lengths = [line for line in lines if line.lower().startswith("content-length:")]
            body = await reader.readexactly(int(lengths[0].split(":")[1]) if lengths else 0)
            status, text = await self._answer(lines[0].split(" ")[1], body.decode())
            writer.write(f"HTTP/1.1 {status} -\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode())
            await writer.drain()
        writer.close()

    async def _answer(self, path: str, body: str) -> tuple[int, str]:
        if path == "/-/spent":
            return 200, json.dumps({"calls": self._calls, "seconds": self._spent_s})
        before = time.perf_counter()
        await asyncio.sleep(self._latency_s)
        answer = _look_up(path, body)
        self._calls += 1
        self._spent_s += time.perf_counter() - before
        return answer


def _look_up(path: str, body: str) -> tuple[int, str]:
    address = urlsplit(path)
    if body:
        action = parse_qs(body)["Action"][0]
        return 200, f"<{action}Response><requestId>r</requestId>{_BY_ACTION[action]}</{action}Response>"
    asked = address.query or address.path.rpartition("/")[2]
    return _BY_QUERY[asked.partition("&")[0].partition("=")[0]]


async def _head(reader: asyncio.StreamReader) -> str:
    """Return a request's head; empty where the other side has hung up."""
    try:
        return (await reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return ""


if __name__ == "__main__":
    asyncio.run(SlowCloud(float(sys.argv[1]) / 1000).serve())
