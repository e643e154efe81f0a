"""The clients, as their documents say they are best used. All wait at most ``PATIENCE_S``, and are told of no proxy.

A function hands out ``call(body)``, which gives status and text, or raises what the client raises. Nothing is imported
before a client is chosen.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..job import HEADERS, HOST

PATIENCE_S: Final = 3.0
PATH: Final = "/api/sms"
Answer = tuple[int, str]
Call = Callable[[bytes], Answer]
AsyncCall = Callable[[bytes], Awaitable[Answer]]


class Place(NamedTuple):
    """Where to call, whom to trust, and how many connections there may be."""

    port: int
    ca_file: str
    connections: int = 1

    @property
    def origin(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return self.origin + PATH

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)


@contextmanager
def http_client(place: Place) -> Iterator[Call]:
    from http.client import HTTPSConnection

    connection = HTTPSConnection(HOST, place.port, context=place.context(), timeout=PATIENCE_S)

    def call(body: bytes) -> Answer:
        try:
            connection.request("POST", PATH, body, HEADERS)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except Exception:
            connection.close()  # opens again with the next request
            raise

    yield call
    connection.close()


@contextmanager
def urllib3_pool(place: Place, **retries: Any) -> Iterator[Call]:
    import urllib3

    with urllib3.HTTPSConnectionPool(
        HOST,
        place.port,
        maxsize=place.connections,
        block=True,
        timeout=PATIENCE_S,
        ssl_context=place.context(),
        **retries,
    ) as pool:

        def call(body: bytes) -> Answer:
            response = pool.request("POST", PATH, body=body, headers=HEADERS)
            return response.status, response.data.decode()

        yield call


@contextmanager
def urllib3_without_retries(place: Place) -> Iterator[Call]:
    with urllib3_pool(place, retries=False) as call:
        yield call


@contextmanager
def requests_session(place: Place) -> Iterator[Call]:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        session.verify = place.ca_file

        def call(body: bytes) -> Answer:
            response = session.post(place.url, data=body, headers=HEADERS, timeout=PATIENCE_S)
            return response.status_code, response.text

        yield call


def _httpx_options(place: Place) -> dict[str, Any]:
    import httpx

    limits = httpx.Limits(max_connections=place.connections, max_keepalive_connections=place.connections)
    return {
        "verify": place.context(),
        "headers": HEADERS,
        "limits": limits,
        "timeout": PATIENCE_S,
        "trust_env": False,
    }


@contextmanager
def httpx_client(place: Place) -> Iterator[Call]:
    import httpx

    with httpx.Client(**_httpx_options(place)) as client:

        def call(body: bytes) -> Answer:
            response = client.post(place.url, content=body)
            return response.status_code, response.text

        yield call


@asynccontextmanager
async def httpx_async(place: Place) -> AsyncIterator[AsyncCall]:
    import httpx

    async with httpx.AsyncClient(**_httpx_options(place)) as client:

        async def call(body: bytes) -> Answer:
            response = await client.post(place.url, content=body)
            return response.status_code, response.text

        yield call


@asynccontextmanager
async def aiohttp_session(place: Place) -> AsyncIterator[AsyncCall]:
    import aiohttp

    connector = aiohttp.TCPConnector(limit=place.connections, ssl=place.context())
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
    async with aiohttp.ClientSession(connector=connector, headers=HEADERS, timeout=timeout) as session:

        async def call(body: bytes) -> Answer:
            async with session.post(place.url, data=body) as response:
                return response.status, await response.text()

        yield call


def _curl(place: Place) -> tuple[Any, list[bytes]]:
    import pycurl

    curl, chunks = pycurl.Curl(), list[bytes]()
    for option, value in (
        (pycurl.URL, place.url),
        (pycurl.CAINFO, place.ca_file),
        (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
        (pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in HEADERS.items()]),
        (pycurl.NOSIGNAL, 1),
        (pycurl.PROXY, ""),
        (pycurl.TIMEOUT_MS, int(PATIENCE_S * 1000)),
        (pycurl.WRITEFUNCTION, chunks.append),
    ):
        curl.setopt(option, value)
    return curl, chunks


@contextmanager
def pycurl_easy(place: Place) -> Iterator[Call]:
    import pycurl

    curl, chunks = _curl(place)

    def call(body: bytes) -> Answer:
        chunks.clear()
        curl.setopt(pycurl.POSTFIELDS, body)
        curl.perform()
        return curl.getinfo(pycurl.RESPONSE_CODE), b"".join(chunks).decode()

    yield call
    curl.close()


@asynccontextmanager
async def pycurl_async(place: Place) -> AsyncIterator[AsyncCall]:
    import pycurl

    async with pycurl.AsyncCurlMulti() as many:
        many.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, place.connections)
        many.setopt(pycurl.M_MAXCONNECTS, place.connections)

        async def call(body: bytes) -> Answer:
            curl, chunks = _curl(place)
            curl.setopt(pycurl.POSTFIELDS, body)
            await many.perform(curl)
            return curl.getinfo(pycurl.RESPONSE_CODE), b"".join(chunks).decode()

        yield call


def _pyreqwest_built(builder: Any, place: Place) -> Any:
    return (
        builder.http1_only()
        .no_proxy()
        .max_connections(place.connections)
        .pool_max_idle_per_host(place.connections)
        .timeout(timedelta(seconds=PATIENCE_S))
        .default_headers(HEADERS)
        .add_root_certificate_pem(Path(place.ca_file).read_bytes())
        .build()
    )


@contextmanager
def pyreqwest_sync(place: Place) -> Iterator[Call]:
    from pyreqwest.client import SyncClientBuilder

    with _pyreqwest_built(SyncClientBuilder(), place) as client:

        def call(body: bytes) -> Answer:
            response = client.post(place.url).body_bytes(body).build().send()
            return response.status, response.text()

        yield call


@asynccontextmanager
async def pyreqwest_async(place: Place) -> AsyncIterator[AsyncCall]:
    from pyreqwest.client import ClientBuilder

    async with _pyreqwest_built(ClientBuilder(), place) as client:

        async def call(body: bytes) -> Answer:
            response = await client.post(place.url).body_bytes(body).build().send()
            return response.status, await response.text()

        yield call


def _wreq_options(place: Place) -> dict[str, Any]:
    return {
        "http1_only": True,
        "no_proxy": True,
        "headers": HEADERS,
        "tls_verify": Path(place.ca_file),
        "pool_max_size": place.connections,
        "pool_max_idle_per_host": place.connections,
        "timeout": timedelta(seconds=PATIENCE_S),
    }


@contextmanager
def wreq_blocking(place: Place) -> Iterator[Call]:
    from wreq.blocking import Client

    client = Client(**_wreq_options(place))

    def call(body: bytes) -> Answer:
        with client.post(place.url, body=body) as response:
            return response.status.as_int(), response.text()

    yield call
    client.close()


@asynccontextmanager
async def wreq_async(place: Place) -> AsyncIterator[AsyncCall]:
    from wreq import Client

    async with Client(**_wreq_options(place)) as client:

        async def call(body: bytes) -> Answer:
            async with client.post(place.url, body=body) as response:
                return response.status.as_int(), await response.text()

        yield call


def _our_options(place: Place) -> dict[str, Any]:
    from smswire import Pacer

    # Nobody else keeps a limit of openings a second; with ours the churn would take longer and come to the same.
    pacer = Pacer(limit=10_000, spacing=0, lag=0.001)
    return {"trust": place.ca_file, "timeout": PATIENCE_S, "max_connections": place.connections, "pacer": pacer}


@contextmanager
def smswire_client(place: Place) -> Iterator[Call]:
    from smswire import Client

    with Client(place.origin, **_our_options(place)) as client:

        def call(body: bytes) -> Answer:
            response = client.request("POST", PATH, HEADERS.items(), body)
            return response.status, response.body.decode()

        yield call


@asynccontextmanager
async def smswire_async(place: Place) -> AsyncIterator[AsyncCall]:
    from smswire import AsyncClient

    async with AsyncClient(place.origin, **_our_options(place)) as client:

        async def call(body: bytes) -> Answer:
            response = await client.request("POST", PATH, HEADERS.items(), body)
            return response.status, response.body.decode()

        yield call


@dataclass(frozen=True)
class Contestant:
    """A client.

    Attributes:
        package: the distribution whose version is told; empty for Python's own.
        opened: for all rows but the churn.
        opened_async: for the churn, or None; and for all rows where ``opened`` is None.
    """

    package: str
    opened: Callable[[Place], Any] | None
    opened_async: Callable[[Place], Any] | None = None


CLIENTS: Final[Mapping[str, Contestant]] = {
    "smswire": Contestant("smswire", smswire_client),
    "smswire, asyncio": Contestant("smswire", None, smswire_async),
    "http.client": Contestant("", http_client),
    "urllib3": Contestant("urllib3", urllib3_pool),
    "urllib3, no retries": Contestant("urllib3", urllib3_without_retries),
    "requests": Contestant("requests", requests_session),
    "httpx": Contestant("httpx", httpx_client, httpx_async),
    "aiohttp": Contestant("aiohttp", None, aiohttp_session),
    "pycurl": Contestant("pycurl", pycurl_easy, pycurl_async),
    "pyreqwest": Contestant("pyreqwest", pyreqwest_sync, pyreqwest_async),
    "wreq": Contestant("wreq", wreq_blocking, wreq_async),
}
