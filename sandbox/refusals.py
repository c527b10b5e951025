"""Every refusal that can be ordered, as data: HTTP status, error type, code and message."""

from typing import NamedTuple

from sandbox.errors import ApiError

INVALID = "invalid_request_error"
QUOTA = "insufficient_quota"


class Refusal(NamedTuple):
    status: int
    type: str | None
    code: str | None
    message: str

    def error(self, message: str | None = None, headers: dict[str, str] | None = None) -> ApiError:
        return ApiError(self.status, message or self.message, type=self.type, code=self.code, headers=headers)


REFUSALS = {
    "400": Refusal(400, INVALID, None, "The request is malformed: this refusal was ordered from the sandbox."),
    "context_length_exceeded": Refusal(
        400, INVALID, "context_length_exceeded", "The input exceeds the context window of this model."
    ),
    "401": Refusal(401, INVALID, "invalid_api_key", "Incorrect API key provided: sk-*****."),
    "mismatched_organization": Refusal(
        401, INVALID, "mismatched_organization", "OpenAI-Organization header should match organization for API key"
    ),
    "mismatched_project": Refusal(
        401, INVALID, "mismatched_project", "OpenAI-Project header should match project for API key"
    ),
    "ip_not_authorized": Refusal(401, INVALID, "ip_not_authorized", "Your IP is not authorized for this project."),
    "unsupported_country": Refusal(
        403, "request_forbidden", "unsupported_country_region_territory", "Country, region, or territory not supported"
    ),
    "model_not_found": Refusal(
        404, INVALID, "model_not_found", "The model does not exist or you do not have access to it."
    ),
    "408": Refusal(408, None, None, "The request timed out."),
    "409": Refusal(409, None, None, "The resource is locked by another request."),
    "insufficient_quota": Refusal(
        429, QUOTA, QUOTA, "You exceeded your current quota, check your plan and billing details."
    ),
    "credit_balance_exhausted": Refusal(429, QUOTA, "credit_balance_exhausted", "Your credit balance is exhausted."),
    "organization_spend_limit_exceeded": Refusal(
        429, QUOTA, "organization_spend_limit_exceeded", "Your organization has reached its spend limit."
    ),
    "project_spend_limit_exceeded": Refusal(
        429, QUOTA, "project_spend_limit_exceeded", "Your project has reached its spend limit."
    ),
    "organization_usage_limit_exceeded": Refusal(
        429, QUOTA, "organization_usage_limit_exceeded", "Your organization has reached its usage limit."
    ),
    "billing_not_active": Refusal(
        429, "billing_not_active", "billing_not_active", "Your account is not active, check your billing details."
    ),
    "resource_unavailable": Refusal(429, None, "resource_unavailable", "Resource Unavailable"),
    "500": Refusal(500, "server_error", None, "The server had an error while processing your request."),
    "503": Refusal(503, "service_unavailable_error", "server_is_overloaded", "The engine is currently overloaded."),
    "503_slow_down": Refusal(503, None, "slow_down", "Slow Down: your request rate rose too quickly."),
}


def missing_scope(scope: str, status: int = 401) -> ApiError:
    """What a restricted key gets. Seen with 401 and with 403; the code is often null, so match on the message."""
    return ApiError(
        status,
        f"You have insufficient permissions for this operation. Missing scopes: {scope}.",
        code="missing_scope" if status == 403 else None,
    )
