"""Azure's answers become the loop's errors: by documented code first, then by status."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.arm.answer import AzureError, parse_json, read_error, retry_after_seconds
from shared.arm.errors import TABLE, Hiccup, translate, translate_details
from shared.domain.errors import BlockedError, InvalidProfileError, NotReadyYet, TransientError


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (429, "SubscriptionRequestsThrottled", "transient"),
        (429, "OperationNotAllowed", "transient"),
        (500, "CloudInternalError", "transient"),
        (503, "SomethingNew", "transient"),
        (408, "SomethingNew", "transient"),
        (401, "ExpiredAuthenticationToken", "transient"),
        (400, "UserErrorBackupStorageLocationNotReady", "not_ready_yet"),
        (400, "usererrorbackupstoragelocationnotready", "not_ready_yet"),
        (400, "PrincipalNotFound", "not_ready_yet"),
        (409, "OperationNotAllowed", "not_ready_yet"),
        (409, "MissingSubscriptionRegistration", "not_ready_yet"),
        (404, "ResourceGroupNotFound", "not_ready_yet"),
        (404, "SomethingNew", "not_ready_yet"),
        (403, "AuthorizationFailed", "blocked"),
        (403, "RequestDisallowedByPolicy", "blocked"),
        (409, "ScopeLocked", "blocked"),
        (400, "RoleAssignmentLimitExceeded", "blocked"),
        (404, "SubscriptionNotFound", "blocked"),
        (400, "BMSUserErrorInvalidInput", "invalid_profile"),
        (400, "DppUserErrorVaultTierPolicyNotSupported", "invalid_profile"),
        (400, "UserErrorDisableSoftDeleteNotAllowed", "invalid_profile"),
        (400, "SomethingNew", "blocked"),
        (409, "SomethingNew", "blocked"),
        (418, "SomethingNew", "blocked"),
    ],
)
def test_a_code_decides_and_else_the_status(status: int, code: str, kind: str) -> None:
    error = translate(AzureError(code, "the words of Azure"), status)
    assert (error.kind, error.code, error.message) == (kind, code, "the words of Azure")


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (
            "This API version requires backup vaults to have the soft delete setting configured to Enable Always-On "
            "Soft Delete",
            InvalidProfileError,
        ),
        ("Another operation is running on the resource.", NotReadyYet),
        ("The Trusted Access role binding is missing/has gotten removed from the cluster.", NotReadyYet),
        ("Appropriate permissions are missing for the vault's MSI.", NotReadyYet),
        ("The client does not have permission to perform the action.", BlockedError),
        ("The number of trusted access role bindings exceeds the limit of 8.", BlockedError),
    ],
)
def test_where_the_code_is_not_known_its_words_are(message: str, error: type[Exception]) -> None:
    assert type(translate(AzureError("BadRequest", message), 400)) is error


def test_a_detail_says_more_than_a_wrapper() -> None:
    body = {
        "error": {
            "code": "BadRequest",
            "message": "The request is bad.",
            "details": [{"code": "Wrapper", "details": [{"code": "ScopeLocked", "message": "locked"}]}],
        }
    }
    error = read_error(body)
    assert error is not None
    assert translate(error, 400).kind == "blocked"
    assert "lock" in translate(error, 400).recommended_action


def test_retry_after_travels_and_forbids_a_try_at_once() -> None:
    told = translate(AzureError("ServiceUnavailable", ""), 503, retry_after=30)
    untold = translate(AzureError("ServiceUnavailable", ""), 503)
    assert (type(told), told.retry_after) == (TransientError, 30)
    assert type(untold) is Hiccup


def test_azures_own_advice_goes_first() -> None:
    """The envelope as recorded from Azure Backup."""
    info = {"code": "UserErrorX", "message": "m", "recommendedAction": ["Do this.", "Then that."], "isRetryable": False}
    body = {
        "error": {
            "code": "UserErrorSnapshotResourceGroupHasLocks",
            "message": "m",
            "target": None,
            "details": None,
            "additionalInfo": [{"type": "UserFacingError", "info": info}],
        }
    }
    error = read_error(body)
    assert error is not None
    assert translate(error, 400).recommended_action.startswith("Do this. Then that. Remove the lock")


def test_the_flat_body_of_aks_is_understood() -> None:
    """Recorded: GET of a missing trusted access binding."""
    body = {
        "code": "NotFound",
        "details": [{"code": "Unspecified", "message": "rpc error"}],
        "message": "Could not find the trusted access role binding testbinding",
        "subcode": "GetTrustedAccessRoleBinding_NotFound",
    }
    error = read_error(body)
    assert error is not None
    assert (error.code, error.inner_codes) == ("NotFound", ("Unspecified",))


@pytest.mark.parametrize(
    "body",
    [None, [], "text", 3, {}, {"error": None}, {"error": []}, {"error": {"message": "no code"}}, {"code": 7}],
)
def test_what_is_no_error_body_is_none(body: Any) -> None:
    assert read_error(body) is None
    assert translate_details(body) is None


def test_hostile_shapes_do_not_crash() -> None:
    body = {"error": {"code": "X", "message": ["no"], "details": "no", "additionalInfo": [{"info": "no"}, 3]}}
    assert read_error(body) == AzureError("X", "")
    deep: dict[str, Any] = {"code": "Y"}
    for _ in range(500):
        deep = {"code": "Y", "details": [deep]}
    error = read_error({"error": deep})
    assert error is not None
    assert len(error.inner_codes) < 10


def test_an_unknown_error_of_an_operation_blocks_with_its_text() -> None:
    error = translate(AzureError("NeverHeardOf", "what it said", "what to do")).as_step_error()
    assert (error.kind, error.code, error.message) == ("blocked", "NeverHeardOf", "what it said")
    assert error.recommended_action == "what to do"


def test_the_inner_error_of_a_protection_counts() -> None:
    details = {
        "code": "UserErrorWrapped",
        "message": "m",
        "innerError": {"code": "KubernetesBackupListExtensionsError"},
    }
    error = translate_details(details)
    assert error is not None
    assert error.kind == "not_ready_yet"


def test_every_row_says_where_it_is_known_from() -> None:
    assert all(meaning.evidence for meaning in TABLE.values())
    # something a person must do has words for it, wherever Azure has none of its own
    silent = {code for code, meaning in TABLE.items() if meaning.kind != "transient" and not meaning.action}
    assert {code for code in silent if TABLE[code].kind in ("blocked", "invalid_profile")} <= {
        "usererrormaxondemandbackupsreached",
        "dppplugininvalidinputparameters",
    }


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("17", 17.0), ("Sat, 21 Nov 2026 08:00:30 GMT", 30.0), ("Sat, 21 Nov 2026 07:00:00 GMT", 0.0), ("", None)],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    now = datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert retry_after_seconds({"retry-after": value}, now) == seconds


def test_a_retry_after_that_is_neither_is_left_out() -> None:
    now = datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert retry_after_seconds({"retry-after": "soon"}, now) is None
    assert retry_after_seconds({}, now) is None


def test_a_gateways_page_is_no_json() -> None:
    assert parse_json(b"<html>502</html>") is None
    assert parse_json(b"") is None
    assert parse_json(b"\xff\xfe") is None
