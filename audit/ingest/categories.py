"""Which of the specification's categories a check belongs to: what playbooks are matched by."""

from functools import lru_cache

_BY_WORD = {
    "securitygroup": "Network",
    "networkacl": "Network",
    "firewall": "Network",
    "nsg": "Network",
    "logging": "Compliance",
}
"""Words of a check's name that say more than the service it is filed under."""

_BY_TYPE = {
    "securitygroup": "Network",
    "networkacl": "Network",
    "firewall": "Network",
    "virtualnetwork": "Network",
}
"""The same for parts of a resource type, for scanners whose checks have numbers instead of names."""

_SERVICES = {
    "Storage": "s3 efs fsx glacier backup storage cloudstorage storageaccounts",
    "Compute": "ec2 ebs awslambda lambda ecs eks ecr lightsail autoscaling compute computeengine gke kubernetesengine vm aks "
    "virtualmachines containerservice",
    "Network": "vpc elb elbv2 cloudfront route53 apigateway apigatewayv2 networkfirewall waf wafv2 network dns",
    "IAM": "iam accessanalyzer cognito sso identitystore organizations entra aad rbac",
    "Compliance": "cloudtrail cloudwatch config configservice logging stackdriverlogging stackdrivermonitoring monitor securityhub "
    "guardduty",
}
_BY_SERVICE = {service: category for category, services in _SERVICES.items() for service in services.split()}


@lru_cache(maxsize=4096)
def category_of(check_id: str, service: str, resource_type: str = "") -> str:
    """Return `Storage`, `Compute`, `Network`, `IAM` or `Compliance`; the service's own name if none fits."""
    words = check_id.lower().replace("-", "_").split("_")
    named = (_BY_WORD[word] for word in words if word in _BY_WORD)
    kind = resource_type.lower()
    typed = (category for part, category in _BY_TYPE.items() if kind and part in kind)
    return next(named, None) or next(typed, None) or _BY_SERVICE.get(service.lower(), service)
