"""The gateway's HTTP API: ``/api/sms`` and ``/api/balance``.

In this order: path (404), method (405), can the request be read (400), key (300, 900), address (903), parameters, the
account. Every call that arrives whole gets one line in the journal, whatever its answer.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from . import answers, codes
from .access import Access, Address, any_is, canonical_address
from .account import Account
from .exchange import Call, Reply
from .fields import Fields, MalformedError, read
from .journal import Journal
from .limits import Limits
from .recipients import Directory
from .rules import RefusedError, check, switch

METHODS = ("GET", "POST")
ALLOW = ", ".join(METHODS)

_ZERO_QUALITY = re.compile(r"q\s*=\s*0(\.0{0,3})?\Z")


class Api:
    """Answers the calls of one account.

    Args:
        resolve: host name to addresses; called in ``executor`` (it may block) for every call that depends on it.
    """

    def __init__(
        self,
        access: Access,
        account: Account,
        directory: Directory,
        journal: Journal,
        *,
        limits: Limits,
        clock: Callable[[], float],
        resolve: Callable[[str], Iterable[str]],
        executor: Executor,
    ) -> None:
        self._access = access
        self._account = account
        self._directory = directory
        self._journal = journal
        self._limits = limits
        self._clock = clock
        self._resolve = resolve
        self._executor = executor
        self._lookups: set[asyncio.Task[Reply]] = set()
        self._endpoints: dict[str, Callable[[Call, int, int, Fields, bool], Reply]] = {
            "/api/sms": self._sms,
            "/api/balance": self._balance,
        }

    def handle(self, call: Call) -> Reply | asyncio.Future[Reply]:
        """Answer ``call``; by a future if host names have to be looked up first."""
        number = self._journal.next_call()
        endpoint = self._endpoints.get(call.path)
        if endpoint is None:
            return self._reply(call, number, 404, b"There is nothing at this path.")
        if call.method not in METHODS:
            return self._reply(call, number, 405, b"The methods here are GET and POST.", allow=ALLOW)
        try:
            fields = read(call.method, call.target.partition("?")[2], call.header(b"content-type"), call.body)
        except MalformedError as error:
            return self._reply(call, number, 400, error.reason.encode())
        is_json = _wants_json(call, fields)
        code, key = self._access.identify(call.headers, fields.get("p"))
        if code:
            return self._refuse(call, number, code, is_json)
        whitelist = self._access.whitelist(key)
        if whitelist is None:
            return endpoint(call, number, key, fields, is_json)
        caller = canonical_address(call.peer.address)
        if whitelist.holds(caller):
            return endpoint(call, number, key, fields, is_json)
        if not whitelist.names:
            return self._refuse(call, number, codes.ADDRESS_NOT_ALLOWED, is_json)
        lookup = asyncio.create_task(self._after_lookup(whitelist.names, caller, call, number, key, fields, is_json))
        self._lookups.add(lookup)
        lookup.add_done_callback(self._lookups.discard)
        return lookup

    def lookups(self) -> list[asyncio.Task[Reply]]:
        """The calls that wait for a name to be looked up."""
        return list(self._lookups)

    async def _after_lookup(
        self, names: Iterable[str], caller: Address, call: Call, number: int, key: int, fields: Fields, is_json: bool
    ) -> Reply:
        loop = asyncio.get_running_loop()
        if await loop.run_in_executor(self._executor, self._one_of_names_is, names, caller):
            return self._endpoints[call.path](call, number, key, fields, is_json)
        return self._refuse(call, number, codes.ADDRESS_NOT_ALLOWED, is_json)

    def _one_of_names_is(self, names: Iterable[str], caller: Address) -> bool:
        for name in names:
            try:
                if any_is(self._resolve(name), caller):
                    return True
            except Exception:  # noqa: BLE001, S112  the lookup is the caller's code; a name without addresses allows nobody
                continue
        return False

    def _sms(self, call: Call, number: int, key: int, fields: Fields, is_json: bool) -> Reply:
        try:
            order = check(fields, self._limits.text_characters)
            code, deliveries = self._account.send(order, self._directory.expand(order.to), self._clock())
        except MalformedError as error:
            return self._reply(call, number, 400, error.reason.encode())
        except RefusedError as error:
            return self._refuse(call, number, error.code, is_json, is_debug=fields.get("debug") in ("1", 1))
        self._journal.add_messages(
            [
                {
                    "id": delivery.id,
                    "to": delivery.number,
                    "text": order.text,
                    "from": order.sender,
                    "parameters": order.parameters,
                    "encoding": order.encoding,
                    "parts": order.parts,
                    "call": number,
                    "connection": call.peer.connection,
                    "key": key,
                }
                for delivery in deliveries
                if delivery.id is not None
            ]
        )
        body = answers.sms(code, order, deliveries, self._account.balance, is_json)
        return self._answer(call, number, code, body, is_json)

    def _balance(self, call: Call, number: int, key: int, fields: Fields, is_json: bool) -> Reply:
        try:
            switch("json", fields.get("json", 0))
        except MalformedError as error:
            return self._reply(call, number, 400, error.reason.encode())
        return self._answer(call, number, None, answers.balance(self._account.balance, is_json), is_json)

    def _refuse(self, call: Call, number: int, code: int, is_json: bool, *, is_debug: bool = False) -> Reply:
        body = answers.refusal(code, is_json, self._account.balance, is_debug)
        return self._answer(call, number, code, body, is_json)

    def _answer(self, call: Call, number: int, code: int | None, body: bytes, is_json: bool) -> Reply:
        self._journal.add_call(journal_entry(call, number, 200, code))
        return Reply(200, body, answers.JSON if is_json else answers.TEXT)

    def _reply(self, call: Call, number: int, status: int, body: bytes, allow: str | None = None) -> Reply:
        self._journal.add_call(journal_entry(call, number, status, None))
        return Reply(status, body, allow=allow)


class OneTooMany:
    """Answers on a connection over the limit: 429 and the end. What the real gateway does is not known."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def handle(self, call: Call) -> Reply:
        """Refuse ``call``."""
        self._journal.add_call(journal_entry(call, self._journal.next_call(), 429, None))
        return Reply(429, b"Too many connections in this second.", close=True)


def journal_entry(call: Call, number: int, status: int, code: int | None) -> dict[str, object]:
    """What the journal keeps of a call; never its query, which may hold the key."""
    return {
        "number": number,
        "connection": call.peer.connection,
        "method": call.method,
        "path": call.path,
        "status": status,
        "code": code,
    }


def _wants_json(call: Call, fields: Fields) -> bool:
    if fields.get("json") in ("1", 1):
        return True
    accept = call.header(b"accept")
    if accept is None:
        return False
    for media_range in accept.split(","):
        media_type, *parameters = (part.strip().lower() for part in media_range.split(";"))
        if media_type == "application/json":
            return not any(_ZERO_QUALITY.match(parameter) for parameter in parameters)
    return False
