"""A storage account that is down, full, locked or wiped: a clear error each, and nothing taken for absent."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from shared.domain.alerts import About, Alert, Announcement, Cause, Word
from shared.domain.errors import RecordConflict, TransientError
from shared.domain.ids import ClusterId
from shared.domain.jobs import EndedJob
from shared.domain.observed import ObservedCluster
from shared.domain.record import Action, ReconcileRequest, Record
from shared.ports import Destination, OutgoingNews, Watermark
from shared.record.alert_book import TableAlertBook
from shared.record.audit import TableAuditTrail
from shared.record.destinations import TableDestinations
from shared.record.history import TableJobHistory
from shared.record.notify_queue import StorageNotifyQueue
from shared.record.outbox import TableOutbox
from shared.record.queue import StorageQueue
from shared.record.storage import Storage
from shared.record.tables import TableRecords
from shared.record.watermarks import TableWatermarks

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLUSTER = ClusterId("00000000-0000-0000-0000-000000000001", "rg", "aks-1")
RECORD = Record(CLUSTER, NOW, ObservedCluster())
KEY = "AAAA"

type Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Account:
    """A storage endpoint that says what a test tells it to, and counts what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Answer = refuse(503, "ServerBusy")
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self.server = TestServer(app)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.method)
        return await self.answer(request)

    def storage(self) -> Storage:
        endpoint = f"http://127.0.0.1:{self.server.port}/guardstate"
        return Storage.by_connection_string(
            f"AccountName=guardstate;AccountKey={KEY};TableEndpoint={endpoint};QueueEndpoint={endpoint}"
        )


def refuse(status: int, code: str, headers: dict[str, str] | None = None) -> Answer:
    async def answer(_request: web.Request) -> web.StreamResponse:
        body = {"odata.error": {"code": code, "message": {"lang": "en", "value": f"said {code}"}}}
        return web.json_response(body, status=status, headers={"x-ms-error-code": code, **(headers or {})})

    return answer


def except_creation(answer: Answer) -> Answer:
    """The table is made; what follows gets `answer`."""

    async def choose(request: web.Request) -> web.StreamResponse:
        if request.method == "POST" and request.path.endswith("/Tables"):
            return web.json_response({"TableName": "clusters"}, status=201)
        return await answer(request)

    return choose


async def reset(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    account = Account()
    await account.server.start_server()
    yield account
    await account.server.close()


@pytest.fixture
async def storage(account: Account) -> AsyncIterator[Storage]:
    storage = account.storage()
    yield storage
    await storage.close()


async def test_an_account_nobody_answers_for_is_a_transient_error_that_names_it(account: Account) -> None:
    await account.server.close()
    storage = account.storage()
    with pytest.raises(TransientError, match=r"account guardstate, table clusters: could not read a row") as caught:
        await TableRecords(storage).get(CLUSTER)
    assert caught.value.code == "StorageUnavailable"
    with pytest.raises(TransientError, match="could not write a row"):
        await TableRecords(storage).save(RECORD)
    with pytest.raises(TransientError, match=r"queue reconcile: could not put a message"):
        await StorageQueue(storage).send(ReconcileRequest(CLUSTER, "w"))
    with pytest.raises(TransientError, match="could not append actions"):
        await TableAuditTrail(storage).append([Action(NOW, CLUSTER.key, "GrantRole", "/t", "Started")])
    with pytest.raises(TransientError, match="could not look for overdue rows"):
        _ = [record async for record in TableRecords(storage).overdue(NOW, 10)]
    with pytest.raises(TransientError, match="could not list the rows"):
        _ = [record async for record in TableRecords(storage).everything()]
    await storage.close()


async def test_a_busy_account_says_when_to_come_back(account: Account, storage: Storage) -> None:
    account.answer = except_creation(refuse(503, "ServerBusy", {"Retry-After": "17"}))
    with pytest.raises(TransientError) as caught:
        await TableRecords(storage).get(CLUSTER)
    assert (caught.value.code, caught.value.retry_after) == ("ServerBusy", 17)
    assert account.asked.count("GET") == 1, "what takes longer than an invocation may wait is left to the next one"


async def test_a_read_is_repeated_and_a_write_is_not(account: Account, storage: Storage) -> None:
    account.answer = except_creation(refuse(500, "InternalError"))
    with pytest.raises(TransientError):
        await TableRecords(storage).get(CLUSTER)
    assert account.asked.count("GET") == 3
    account.asked.clear()
    with pytest.raises(TransientError):
        await TableRecords(storage).save(RECORD)
    assert account.asked == ["POST"]


async def test_a_lost_answer_to_a_write_is_transient_and_sent_once(account: Account, storage: Storage) -> None:
    account.answer = except_creation(reset)
    with pytest.raises(TransientError, match="could not write a row"):
        await TableRecords(storage).save(RECORD)
    assert account.asked == ["POST", "POST"], "the table, then the row"


async def test_a_right_that_is_missing_is_named_with_its_remedy(account: Account, storage: Storage) -> None:
    account.answer = refuse(403, "AuthorizationPermissionMismatch")
    with pytest.raises(TransientError, match="access denied") as caught:
        await TableRecords(storage).get(CLUSTER)
    assert caught.value.code == "AuthorizationPermissionMismatch"
    assert "Storage Table Data Contributor" in caught.value.recommended_action


async def test_a_table_that_is_gone_is_not_an_absent_row(account: Account, storage: Storage) -> None:
    account.answer = except_creation(refuse(404, "TableNotFound"))
    with pytest.raises(TransientError, match="it has been deleted"):
        await TableRecords(storage).get(CLUSTER)
    assert account.asked.count("POST") == 3, "every attempt makes the table again"
    account.answer = except_creation(refuse(404, "ResourceNotFound"))
    assert await TableRecords(storage).get(CLUSTER) is None


async def test_a_table_being_deleted_is_waited_for(account: Account, storage: Storage) -> None:
    account.answer = refuse(409, "TableBeingDeleted")
    with pytest.raises(TransientError, match="table clusters: could not write a row: it has been deleted"):
        await TableRecords(storage).save(RECORD)
    account.answer = refuse(409, "QueueBeingDeleted")
    with pytest.raises(TransientError, match="queue reconcile: could not put a message: it has been deleted"):
        await StorageQueue(storage).send(ReconcileRequest(CLUSTER, "w"))


@pytest.mark.parametrize(("status", "code"), [(409, "EntityAlreadyExists"), (412, "UpdateConditionNotSatisfied")])
async def test_losing_a_race_is_a_conflict(account: Account, storage: Storage, status: int, code: str) -> None:
    account.answer = except_creation(refuse(status, code))
    with pytest.raises(RecordConflict, match=code):
        await TableRecords(storage).save(RECORD)


async def test_an_answer_nobody_expects_stays_what_it_is(account: Account, storage: Storage) -> None:
    account.answer = except_creation(refuse(400, "PropertyNameInvalid"))
    with pytest.raises(Exception, match="PropertyNameInvalid") as caught:
        await TableRecords(storage).save(RECORD)
    assert not isinstance(caught.value, TransientError | RecordConflict)


def test_a_connection_string_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        Storage.by_connection_string("nonsense")


async def test_a_request_renewed_while_it_is_cleared_stays(account: Account, storage: Storage) -> None:
    async def renewed(request: web.Request) -> web.StreamResponse:
        if request.method != "GET":
            assert request.headers["If-Match"] == 'W/"1"'
            return await refuse(412, "UpdateConditionNotSatisfied")(request)
        mark = {"requested_at": "2026-03-01T12:00:00Z", "requested_at@odata.type": "Edm.DateTime"}
        return web.json_response({"PartitionKey": "p", "RowKey": "r", "odata.etag": 'W/"1"', **mark})

    account.answer = except_creation(renewed)
    await TableRecords(storage).clear_requested(CLUSTER, NOW)
    assert account.asked == ["POST", "GET", "PUT"], "the table, the mark, and one attempt to wipe it"


async def test_an_answer_that_is_not_storages_is_transient_too(account: Account, storage: Storage) -> None:
    async def proxy(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")

    account.answer = except_creation(proxy)
    with pytest.raises(TransientError, match="could not write a row: HTTP 502"):
        await TableRecords(storage).save(RECORD)


class NoToken:
    """A credential of an identity that is not there."""

    async def get_token(self, *_scopes: str, **_options: object) -> AccessToken:
        raise ClientAuthenticationError("no managed identity endpoint found")

    async def close(self) -> None: ...

    async def __aenter__(self) -> "NoToken":
        return self

    async def __aexit__(self, *_: object) -> None: ...


async def test_an_identity_without_a_token_is_a_transient_error() -> None:
    storage = Storage.by_identity(
        "https://guardstate.table.core.windows.net", "https://guardstate.queue.core.windows.net", NoToken()
    )
    with pytest.raises(TransientError, match=r"account guardstate, table clusters: .*no managed identity endpoint"):
        await TableRecords(storage).get(CLUSTER)
    with pytest.raises(TransientError, match=r"account guardstate, queue reconcile: .*no managed identity endpoint"):
        await StorageQueue(storage).send(ReconcileRequest(CLUSTER, "w"))
    await storage.close()


async def test_news_and_alerts_are_never_lost_silently(account: Account, storage: Storage) -> None:
    job = EndedJob("/vault/backupJobs/j", CLUSTER, "/i", "Backup", "failed", False, NOW, NOW)
    cause = Cause("Backup:x", "X", "Error", "title", "message", "action", NOW, NOW)
    alert = Alert(CLUSTER.key, cause, "Open", "Error", NOW)
    announcement = Announcement("key", "Opened", alert, About(CLUSTER.key, "aks-1"), NOW)
    history, book, outbox = TableJobHistory(storage), TableAlertBook(storage), TableOutbox(storage)
    account.answer = except_creation(refuse(503, "ServerBusy", {"Retry-After": "17"}))
    attempts: list[tuple[str, Awaitable[object]]] = [
        ("read a cluster's jobs", history.of(CLUSTER, NOW)),
        ("read a row", history.knows(job)),
        ("read a row", history.add(job)),
        ("show an alert", book.show([alert])),
        ("read people's words", book.words(CLUSTER.key)),
        ("keep a word", book.say(alert.id, CLUSTER.key, Word("me", NOW))),
        ("keep news", outbox.put_news(OutgoingNews("key", "/job", NOW, job))),
        ("drop news", outbox.drop_news(OutgoingNews("key", "/job", NOW, job))),
        ("write a row", outbox.put("topic", announcement)),
        ("read what is to be sent", outbox.pending("topic")),
        ("mark as delivered", outbox.delivered("topic", ["key"], NOW)),
        ("read what is to be sent", outbox.forget_delivered("topic", NOW)),
        ("read a row", TableDestinations(storage).get("topic")),
        ("write a row", TableDestinations(storage).save(Destination("topic"))),
        ("read a row", TableWatermarks(storage).get("source")),
        ("write a row", TableWatermarks(storage).save(Watermark("source", NOW))),
        ("put a message", StorageNotifyQueue(storage).send("topic")),
    ]
    for operation, attempt in attempts:
        with pytest.raises(TransientError, match=f"could not {operation}: HTTP 503"):
            await attempt
    with pytest.raises(TransientError, match="could not list the alerts"):
        _ = [shown async for shown in book.all_of()]
    with pytest.raises(TransientError, match="could not read what is to be sent"):
        _ = [entry async for entry in outbox.outgoing_news()]


async def test_a_lost_answer_never_puts_an_announcement_twice(account: Account, storage: Storage) -> None:
    cause = Cause("Backup:x", "X", "Error", "title", "message", "action", NOW, NOW)
    alert = Alert(CLUSTER.key, cause, "Open", "Error", NOW)
    announcement = Announcement("key", "Opened", alert, About(CLUSTER.key, "aks-1"), NOW)
    answers = [reset, refuse(409, "EntityAlreadyExists")]

    async def lost_then_there(request: web.Request) -> web.StreamResponse:
        return await answers.pop(0)(request)

    account.answer = except_creation(lost_then_there)
    assert not await TableOutbox(storage).put("topic", announcement)
    assert answers == []


async def test_a_word_about_an_alert_in_a_table_that_is_gone_is_not_refused(account: Account, storage: Storage) -> None:
    account.answer = except_creation(refuse(404, "TableNotFound"))
    with pytest.raises(TransientError, match="it has been deleted"):
        await TableAlertBook(storage).say("alert", CLUSTER.key, Word("me", NOW))
    account.answer = except_creation(refuse(404, "ResourceNotFound"))
    with pytest.raises(KeyError):
        await TableAlertBook(storage).say("alert", CLUSTER.key, Word("me", NOW))
