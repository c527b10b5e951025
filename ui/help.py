"""What can go wrong and what to do about it, by code. Pages show the code beside the error, linked to its help page.

The entries are data: every room's codes stand here, because the help pages do. Ranges: 1 connecting, 2 calling,
3 webhooks, 4 mappings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KEY_REFUSED: Final = "PB-1001"
SCOPE_MISSING: Final = "PB-1002"
ORGANIZATION_WRONG: Final = "PB-1003"
PROJECT_WRONG: Final = "PB-1004"
HOST_UNKNOWN: Final = "PB-1005"
CONNECTION_REFUSED: Final = "PB-1006"
TLS_FAILED: Final = "PB-1007"
TIMED_OUT: Final = "PB-1008"
ANSWER_FOREIGN: Final = "PB-1009"
ADDRESS_PRIVATE: Final = "PB-1010"
REDIRECT_REFUSED: Final = "PB-1011"
BODY_CUT_OFF: Final = "PB-1012"
THROTTLE_REJECTED: Final = "PB-2001"
RATE_LIMITED: Final = "PB-2002"
CREDIT_MISSING: Final = "PB-2003"
OUTCOME_UNKNOWN: Final = "PB-2004"
MODEL_SHUT_DOWN: Final = "PB-2005"
QUOTA_USED_UP: Final = "PB-2006"
BUDGET_SPENT: Final = "PB-2007"
CONNECTION_STOPPED: Final = "PB-2008"
LOG_UNAVAILABLE: Final = "PB-2009"
REQUEST_WRONG: Final = "PB-2010"
OBJECT_MISSING: Final = "PB-2011"
OPENAI_FAILED: Final = "PB-2012"
ANSWER_FAILED: Final = "PB-2013"
PROCESS_STOPPED: Final = "PB-2014"
WEBHOOK_TOKEN_WRONG: Final = "PB-3001"  # noqa: S105 - a code, not a token
SIGNATURE_FORGED: Final = "PB-3002"
SIGNATURE_STALE: Final = "PB-3003"
EVENT_OVERSIZED: Final = "PB-3004"
EXPRESSION_FAULTY: Final = "PB-4001"


@dataclass(frozen=True)
class HelpEntry:
    """One thing that can go wrong: `what` happened, `why` it does, what `todo`, each in one to three sentences."""

    code: str
    title: str
    what: str
    why: str
    todo: str


ENTRIES: Final[dict[str, HelpEntry]] = {
    entry.code: entry
    for entry in (
        HelpEntry(
            KEY_REFUSED,
            "OpenAI refused the key",
            "OpenAI answered 401: it does not accept the API key of this connection.",
            "The key was mistyped, deleted or revoked, or belongs to another server than the base URL names.",
            "Make a new secret key in the OpenAI project and replace the key of the connection. Mind stray spaces.",
        ),
        HelpEntry(
            SCOPE_MISSING,
            "The key lacks a permission",
            "OpenAI knows the key but does not let it make this call.",
            "A restricted key may do only what its permissions list; its owner's role in the project limits it too.",
            "Edit the key at OpenAI and grant the permission that the message names. Roles can take half an hour.",
        ),
        HelpEntry(
            ORGANIZATION_WRONG,
            "The organization does not fit the key",
            "OpenAI refused the organization ID that this connection sends.",
            "The ID is unknown, or the key belongs to another organization.",
            "Clear the organization ID: keys of a project need none. If you need one, copy it from OpenAI's settings.",
        ),
        HelpEntry(
            PROJECT_WRONG,
            "The project does not fit the key",
            "OpenAI refused the project ID that this connection sends.",
            "The ID is unknown, the project is archived, or the key belongs to another project.",
            "Clear the project ID, or copy it from the settings of the project in which the key was made.",
        ),
        HelpEntry(
            HOST_UNKNOWN,
            "There is no such host",
            "The name in the base URL has no address.",
            "It is mistyped, or this machine cannot reach its name server.",
            "Check the base URL for typing errors, then check that this machine resolves other names.",
        ),
        HelpEntry(
            CONNECTION_REFUSED,
            "The server does not accept connections",
            "The machine that the base URL names was reached and refused the connection.",
            "No program listens at that port, or a firewall turns us away.",
            "Check the port in the base URL, that the server runs, and that the firewall lets this machine out.",
        ),
        HelpEntry(
            TLS_FAILED,
            "The secure connection failed",
            "The server's certificate could not be trusted, so nothing was sent to it.",
            "The certificate is expired, made for another name, or signed by an authority this machine does not know.",
            "Check the host name in the base URL and this machine's clock. Install the authority of your own gateway.",
        ),
        HelpEntry(
            TIMED_OUT,
            "No answer in time",
            "The server did not answer before the time allowed was over.",
            "It is overloaded, the network drops packets, or the request takes longer than this call may.",
            "Try again. If it stays so, check the network path, and raise the timeout for calls that think long.",
        ),
        HelpEntry(
            ANSWER_FOREIGN,
            "This is not OpenAI's answer",
            "Something answered, but not in the form that OpenAI's API uses.",
            "The base URL leads to a web page, a proxy's sign-in page, or a server that speaks another language.",
            "Check the base URL: it usually ends in /v1. Ask whoever runs the proxy in between.",
        ),
        HelpEntry(
            ADDRESS_PRIVATE,
            "Private addresses are not allowed",
            "The base URL leads to an address inside a private network, so it was not dialled.",
            "Calls to private networks could be turned against machines that trust this one.",
            "If the server is yours, have the operator list its network in ALLOW_PRIVATE_ADDRESSES and restart.",
        ),
        HelpEntry(
            REDIRECT_REFUSED,
            "The server points elsewhere",
            "The server answered with a redirect, which was not followed.",
            "Following it would hand the API key to an address that nobody checked.",
            "Enter the final address as the base URL, if you trust it. A redirect from http to https needs only the s.",
        ),
        HelpEntry(
            BODY_CUT_OFF,
            "The request broke off on its way",
            "The connection ended while the body of the request was being sent. OpenAI can't act on half a body.",
            "The network or a proxy in between dropped the connection, the upload took longer than the call may, or the far "
            "side did not want to read on.",
            "Send it again: nothing was carried out and nothing is paid. If large uploads break again and again, raise the "
            "timeout, or look at what lies between this machine and OpenAI.",
        ),
        HelpEntry(
            THROTTLE_REJECTED,
            "Rejected by throttle",
            "Patchbay did not send the call, because a limit of the installation was reached.",
            "Its window, connections, batches or tokens of the minute were all in use until the call's deadline, or the "
            "installation rejects what exceeds them.",
            "Come back at the time that the message names, let excess calls wait in line, or raise the limit.",
        ),
        HelpEntry(
            RATE_LIMITED,
            "OpenAI's rate limit was reached",
            "OpenAI answered 429 and went on doing so until the retries were used up.",
            "Limits at OpenAI belong to the project: other programs with keys of the same project count too.",
            "Lower the throttle limit of the installation, or ask OpenAI for a higher limit.",
        ),
        HelpEntry(
            CREDIT_MISSING,
            "The account has no credit",
            "OpenAI answered 429 with insufficient_quota. Trying again cannot help, so it was not tried.",
            "The prepaid credit is used up, or the monthly budget of the organization or project is.",
            "Add credit or raise the budget in OpenAI's billing settings, then start the work again.",
        ),
        HelpEntry(
            OUTCOME_UNKNOWN,
            "It is not known whether this call happened",
            "The call was sent, and its answer never came.",
            "The connection broke, or this process ended, after the request had left. OpenAI may have billed it.",
            "Look for the result at OpenAI, then decide under Unknown calls. Patchbay does not repeat it by itself.",
        ),
        HelpEntry(
            MODEL_SHUT_DOWN,
            "The model is not available",
            "OpenAI does not offer the model of this call to this account.",
            "The model was shut down, its name is mistyped, or the project may not use it.",
            "Choose another model for the installation. The picker shows the account's models and their end dates.",
        ),
        HelpEntry(
            QUOTA_USED_UP,
            "OpenAI's own limit is used up",
            "Patchbay did not send the call: OpenAI's headers said that nothing is left of this model's quota for now.",
            "Limits at OpenAI are per project and model. Sending on would only earn refusals, which count as well.",
            "Wait until the time that the message names, or ask OpenAI for a higher limit.",
        ),
        HelpEntry(
            BUDGET_SPENT,
            "The budget is used up",
            "Patchbay did not send the call, because the installation's budget for the day or month is spent.",
            "Every call counts with what it cost, and calls on their way with what they are expected to cost.",
            "Raise the budget in the installation's settings, or wait: a day and a month end at midnight UTC.",
        ),
        HelpEntry(
            CONNECTION_STOPPED,
            "The connection is stopped",
            "Patchbay sends nothing through this connection for now, because it failed three times or more in a row.",
            "The key was refused, the account has no credit, or the server cannot be reached. More calls would fail too.",
            "Mend the cause that the message names, then test the connection. It is also tried again by itself.",
        ),
        HelpEntry(
            LOG_UNAVAILABLE,
            "The log could not be written",
            "The call was not sent, because its row could not be written first.",
            "The database is locked, full or gone, or more calls arrive than it can write.",
            "Check the disk and the database. Nothing was sent, so the call can simply be repeated.",
        ),
        HelpEntry(
            REQUEST_WRONG,
            "OpenAI refused the request",
            "OpenAI answered 400, 413, 422 or another error of this kind: it will not carry out this request as it is.",
            "A field is missing, misspelt, too long, or not allowed for this model. OpenAI's message names it.",
            "Correct the mapping or the program that made the request. Patchbay does not try it again: it would fail again.",
        ),
        HelpEntry(
            OBJECT_MISSING,
            "OpenAI has no such object",
            "OpenAI answered 404: the response, file, batch or other object that was asked for is not there.",
            "Its id is mistyped, it was deleted or has expired, or another project made it and this key cannot see it.",
            "Check the id, and that the connection's key belongs to the project that made the object.",
        ),
        HelpEntry(
            OPENAI_FAILED,
            "OpenAI failed",
            "OpenAI answered with an error of its own (500 to 504, 408 or 409), on every try that the installation allows.",
            "The fault is at OpenAI, or so many calls arrive there that it asks everyone to slow down.",
            "Look at status.openai.com, then send it again in a while. More tries can be set in the installation.",
        ),
        HelpEntry(
            ANSWER_FAILED,
            "The answer says that it failed",
            "OpenAI answered 200, and within the answer stands that the work failed or broke off.",
            "The model met an error, a filter stopped it, or a limit on its output was reached. The message says which.",
            "Read the answer in the log. What was used until then is paid. Change the request, or send it again.",
        ),
        HelpEntry(
            PROCESS_STOPPED,
            "Patchbay was stopped before the call was done",
            "The process that had this call in its hands ended, and nothing was sent or nothing was changed by it.",
            "Patchbay was restarted or updated, or the system ended the process.",
            "Send it again: nothing can happen twice. Runs do that by themselves.",
        ),
        HelpEntry(
            WEBHOOK_TOKEN_WRONG,
            "The token of a webhook is wrong",
            "An event came to the webhook address with a token that fits no installation, and was refused.",
            "The URL at OpenAI was cut off, or is from before the webhook key was replaced.",
            "Copy the webhook URL of the installation once more into the endpoint's settings at OpenAI.",
        ),
        HelpEntry(
            SIGNATURE_FORGED,
            "The signature of an event does not match",
            "An event with a wrong signature was refused and not processed.",
            "The signing secret here is not the one of the endpoint at OpenAI, or someone else sent the event.",
            "Enter the endpoint's signing secret at the installation. If it is right, the event was not OpenAI's.",
        ),
        HelpEntry(
            SIGNATURE_STALE,
            "An event is too old",
            "An event whose time stamp is more than five minutes away from this machine's clock was refused.",
            "This machine's clock is wrong, or an old event was sent again by someone who recorded it.",
            "Check the clock of this machine. OpenAI signs each new delivery afresh, so nothing else is needed.",
        ),
        HelpEntry(
            EVENT_OVERSIZED,
            "An event is too large",
            "An event was refused because its body is larger than webhooks may be.",
            "Events of OpenAI are small; a body of this size is not one of them, or a proxy has added to it.",
            "Find out who sends to this address. Replace the webhook key if the URL has become known.",
        ),
        HelpEntry(
            EXPRESSION_FAULTY,
            "A mapping's expression cannot be used",
            "The expression of a field rule could not be read, or failed on this record.",
            "It has a typing error, names a field that the record lacks, or takes too long.",
            "Open the rule. The message names the line and the character; try the rule before you save it.",
        ),
    )
}
