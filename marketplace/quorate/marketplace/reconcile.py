"""Reconciling two order books over a stream: what gossip lost, a neighbour still has.

The client pages through the digests of the server's book (`BookQuery`, `BookPage`), keeps those that it lacks, and
fetches their messages (`BookFetch`, `BookItems`), requests before bids. Nothing is believed: each message goes
through `OrderBook.add_request` or `add_bid` as if it had been gossiped. Both sides are pure: the caller carries
the bytes. A client asks for at most MAX_PAGES pages, whatever the server says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

from quorate.contracts import Digest
from quorate.protocol.codec import Limit, decode_one_of, encode
from quorate.protocol.errors import MalformedMessage

from .errors import Refused
from .messages import SignedBid, SignedRequest
from .orderbook import MAX_BIDS, MAX_REQUESTS, Admission, OrderBook

MAX_DIGESTS_PER_PAGE: Final = 1024
"""The most digests in one page."""
MAX_ITEMS_PER_FETCH: Final = 32
"""The most messages in one fetch; with MAX_GOSSIP_BYTES each they would not fit, so fewer may come back."""
MAX_ITEMS_BYTES: Final = 256 << 10
"""The bytes of messages after which a reply is closed."""
MAX_PAGES: Final = -(-(MAX_REQUESTS + MAX_BIDS) // MAX_DIGESTS_PER_PAGE)
"""The most pages that a book of the default bounds has."""
MAX_CALL_BYTES: Final = 64 << 10
"""The largest request of this protocol."""
MAX_REPLY_BYTES: Final = 384 << 10
"""The largest reply of this protocol."""


@dataclass(frozen=True, slots=True)
class BookQuery:
    """Asks for the digests after `after`; empty for the first page."""

    after: Annotated[bytes, Limit(most=32)]


@dataclass(frozen=True, slots=True)
class BookPage:
    """Digests in increasing order; a page that is not full is the last."""

    digests: Annotated[tuple[Digest, ...], Limit(most=MAX_DIGESTS_PER_PAGE)]


@dataclass(frozen=True, slots=True)
class BookFetch:
    """Asks for the messages with these digests."""

    digests: Annotated[tuple[Digest, ...], Limit(least=1, most=MAX_ITEMS_PER_FETCH)]


@dataclass(frozen=True, slots=True)
class BookItems:
    """The messages that the server still had, as many as fit in one reply, in the order of the fetch."""

    requests: Annotated[tuple[SignedRequest, ...], Limit(most=MAX_ITEMS_PER_FETCH)]
    bids: Annotated[tuple[SignedBid, ...], Limit(most=MAX_ITEMS_PER_FETCH)]


def serve_book(book: OrderBook, call: bytes) -> bytes:
    """The reply to an untrusted `call` for `book`; raises MalformedMessage for bytes that are none."""
    kinds: tuple[type[BookQuery | BookFetch], ...] = (BookQuery, BookFetch)
    asked = decode_one_of(kinds, call, most_bytes=MAX_CALL_BYTES)
    if isinstance(asked, BookQuery):
        return encode(BookPage(book.digests_after(asked.after, MAX_DIGESTS_PER_PAGE)))
    return encode(_items(book, asked))


class BookSync:
    """The client's side: send what `call` returns, hand the answer to `receive`, until `call` returns None.

    `receive` adds to `book` and counts what it `added` and what was `refused`.
    """

    def __init__(self, book: OrderBook, clock: Callable[[], int]) -> None:
        """`clock` gives Unix time in seconds."""
        self._book = book
        self._clock = clock
        self._after: bytes | None = b""
        self._pages = 0
        self._wanted: list[bytes] = []
        self._bids: list[SignedBid] = []
        self.added = 0
        self.refused = 0

    def call(self) -> bytes | None:
        """The next call, or None when the books are reconciled; bids are added then, after all requests."""
        if self._after is not None and self._pages < MAX_PAGES:
            return encode(BookQuery(self._after))
        if self._wanted:
            return encode(BookFetch(tuple(self._wanted[:MAX_ITEMS_PER_FETCH])))
        for bid in self._bids:
            self._take(partial(self._book.add_bid, bid))
        self._bids.clear()
        return None

    def receive(self, reply: bytes) -> None:
        """Take the untrusted answer to the last `call`; raises MalformedMessage when it does not answer it."""
        kinds: tuple[type[BookPage | BookItems], ...] = (BookPage, BookItems)
        answer = decode_one_of(kinds, reply, most_bytes=MAX_REPLY_BYTES)
        paging = self._after is not None and self._pages < MAX_PAGES
        if paging != isinstance(answer, BookPage):
            raise MalformedMessage("the reply answers another call")
        if isinstance(answer, BookPage):
            self._receive_page(answer)
        else:
            self._receive_items(answer)

    def _receive_page(self, page: BookPage) -> None:
        previous = self._after or b""
        for digest in page.digests:
            if digest <= previous:
                raise MalformedMessage("the digests of a page are not in order")
            previous = digest
            if self._book.message(digest) is None:
                self._wanted.append(digest)
        self._pages += 1
        self._after = previous if len(page.digests) == MAX_DIGESTS_PER_PAGE else None

    def _receive_items(self, items: BookItems) -> None:
        asked = min(len(self._wanted), MAX_ITEMS_PER_FETCH)
        count = len(items.requests) + len(items.bids)
        if count > asked:
            raise MalformedMessage("more messages than were asked for")
        # A reply may be cut at its largest size, but never to nothing while the server has the first message;
        # an empty one therefore says that all of these are gone.
        del self._wanted[: count or asked]
        for request in items.requests:
            self._take(partial(self._book.add_request, request))
        self._bids.extend(items.bids)

    def _take(self, add: Callable[..., Admission]) -> None:
        try:
            self.added += add(now=self._clock()) is not Admission.KNOWN
        except Refused:
            self.refused += 1


def _items(book: OrderBook, asked: BookFetch) -> BookItems:
    requests: list[SignedRequest] = []
    bids: list[SignedBid] = []
    size = 0
    for digest in asked.digests:
        found = book.message(digest)
        if found is None:
            continue
        size += len(encode(found))
        if size > MAX_ITEMS_BYTES:
            break
        if isinstance(found, SignedRequest):
            requests.append(found)
        else:
            bids.append(found)
    return BookItems(tuple(requests), tuple(bids))
