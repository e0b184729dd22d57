"""What errors say, and the exceptions that calls raise."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from understudy.v1 import routing_pb2

ERROR_DOMAIN: Final = "understudy"
"""Domain of the reasons that the gateway gives."""

_STATUS_DETAILS = "grpc-status-details-bin"
_PUSHBACK = "grpc-retry-pushback-ms"
_REQUEST_ID = "x-request-id"

# Reasons that the gateway gives only before it asks a provider, or with a trail that says otherwise.
_BEFORE_CONTACT = frozenset({"CIRCUIT_OPEN", "OVERLOADED", "LIMITS_UNAVAILABLE"})
# What grpcio says where no connection came about, so that nothing was sent.
_NEVER_REACHED = (
    "failed to connect to all addresses",
    "connections to all backends failing",
    "no children in weighted_target policy",
    "empty address list",
    "DNS resolution failed",
    "errors resolving",
    "Domain name not found",
)

_Detail = TypeVar("_Detail", bound=Message)


@dataclass(frozen=True)
class FieldViolation:
    """A field of the request that is wrong, such as ``messages[0].role``."""

    field: str
    description: str


@dataclass(frozen=True)
class QuotaViolation:
    """A limit that is used up, such as that of ``target:openai``."""

    subject: str
    description: str


@dataclass(frozen=True)
class DecodedError:
    """What an error says.

    Attributes:
        code: The gRPC status code. UNKNOWN for something that is no error of a call.
        reason: Why, such as ``CIRCUIT_OPEN``: a name of ``ErrorReason`` without its prefix. Empty where the error carries
            none, so that it does not come from the gateway.
        message: The same in words.
        domain: Who gives the reason: ``understudy`` for the gateway. Empty for none.
        metadata: Further facts of the reason, such as ``attempts`` and ``lastProvider``.
        retry_after: How long to wait before a repeat, in seconds. None where nobody said.
        may_retry: Whether a repeat cannot bill twice: the gateway invites to it, or says that no provider was asked, or was
            never reached. False where that is not certain.
        violations: What is wrong with the request.
        quota_violations: Which limits are used up.
        request_id: The id of the request. Empty for none.
        attempts: What the gateway tried, in order: which provider, why it failed, how long, what it cost. Empty where it
            tried nothing, or the error is not its own.
    """

    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN
    reason: str = ""
    message: str = ""
    domain: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    may_retry: bool = False
    violations: tuple[FieldViolation, ...] = ()
    quota_violations: tuple[QuotaViolation, ...] = ()
    request_id: str = ""
    attempts: tuple[routing_pb2.Attempt, ...] = ()


class Error(Exception):
    """A call that failed. Its subclasses are one per status code that callers tell apart.

    ``__cause__`` is the error of grpcio, where there is one. It can be pickled.
    """

    def __init__(self, decoded: DecodedError) -> None:
        super().__init__(decoded)
        self.decoded: DecodedError = decoded
        """All that the error says."""

    def __str__(self) -> str:
        decoded = self.decoded
        text = f"{decoded.code.name}: {decoded.message}" if decoded.message else decoded.code.name
        if decoded.reason:
            text += f" (reason {decoded.reason})"
        for violation in decoded.violations:
            text += f"\n  {violation.field}: {violation.description}"
        return text

    @property
    def code(self) -> grpc.StatusCode:
        """The gRPC status code."""
        return self.decoded.code

    @property
    def reason(self) -> str:
        """Why, such as ``CIRCUIT_OPEN``. Empty where the error is not of the gateway."""
        return self.decoded.reason

    @property
    def message(self) -> str:
        """Why, in words."""
        return self.decoded.message

    @property
    def retry_after(self) -> float | None:
        """How long to wait before a repeat, in seconds. None where nobody said."""
        return self.decoded.retry_after

    @property
    def may_retry(self) -> bool:
        """Whether a repeat cannot bill twice."""
        return self.decoded.may_retry

    @property
    def violations(self) -> tuple[FieldViolation, ...]:
        """What is wrong with the request."""
        return self.decoded.violations

    @property
    def quota_violations(self) -> tuple[QuotaViolation, ...]:
        """Which limits are used up."""
        return self.decoded.quota_violations

    @property
    def metadata(self) -> Mapping[str, str]:
        """Further facts of the reason, such as ``renewsAt`` of a budget."""
        return self.decoded.metadata

    @property
    def attempts(self) -> tuple[routing_pb2.Attempt, ...]:
        """What the gateway tried, in order."""
        return self.decoded.attempts

    @property
    def request_id(self) -> str:
        """The id of the request. Empty for none."""
        return self.decoded.request_id


class InvalidArgumentError(Error):
    """The request is wrong; ``violations`` names the fields."""


class UnauthenticatedError(Error):
    """The gateway wants a key, or does not take the one it got."""


class PermissionDeniedError(Error):
    """The caller may not do that."""


class NotFoundError(Error):
    """There is no such model, route, target or service."""


class FailedPreconditionError(Error):
    """The gateway is not able to answer as it is configured."""


class ResourceExhaustedError(Error):
    """A limit of rate, quota or size is used up."""


class DeadlineExceededError(Error, TimeoutError):
    """Time was up. It is a TimeoutError as well."""


class UnavailableError(Error):
    """The gateway or every provider cannot be used at the moment."""


class StreamInterruptedError(Error):
    """The answer broke off: what came is a beginning of it. Code ABORTED."""


class CallCancelledError(Error):
    """The call was cancelled: the stream was left, or the client closed."""


_CLASSES: Final[Mapping[grpc.StatusCode, type[Error]]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPreconditionError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.ABORTED: StreamInterruptedError,
    grpc.StatusCode.CANCELLED: CallCancelledError,
}


def decode_error(error: BaseException) -> DecodedError:
    """Reads an error of a call, whatever it is, and never raises: what cannot be read is left out.

    Takes the errors of this package, those of grpcio (also of ``grpc.aio``) from stubs that were called without it, and any
    other exception, which has code UNKNOWN.
    """
    try:
        return _decode(error)
    except Exception:  # noqa: BLE001 - whatever was thrown at it
        return DecodedError(message="an error that cannot be read")


def error_of(error: grpc.RpcError) -> Error:
    """Makes the exception of an error of grpcio."""
    decoded = decode_error(error)
    made = _CLASSES.get(decoded.code, Error)(decoded)
    made.__cause__ = error
    return made


def interrupted_error() -> Error:
    """Makes the error of a stream that ended without ``finished``; it looks as the gateway's own for a broken answer."""
    return StreamInterruptedError(
        DecodedError(
            code=grpc.StatusCode.ABORTED,
            reason="STREAM_INTERRUPTED",
            message='the stream ended without "finished"',
            domain=ERROR_DOMAIN,
            metadata={"origin": "client"},
        )
    )


def cancelled_error(message: str) -> Error:
    """Makes the error of a call that this side has ended."""
    return CallCancelledError(DecodedError(code=grpc.StatusCode.CANCELLED, message=message))


def deadline_error() -> Error:
    """Makes the error of a call whose time was up before it was made."""
    return DeadlineExceededError(DecodedError(code=grpc.StatusCode.DEADLINE_EXCEEDED, message="Deadline Exceeded"))


def was_never_reached(error: DecodedError) -> bool:
    """Tells whether no connection came about, so that the gateway knows nothing of the call."""
    return error.code is grpc.StatusCode.UNAVAILABLE and not error.domain and error.message.startswith(_NEVER_REACHED)


def _decode(error: BaseException) -> DecodedError:
    if isinstance(error, Error):
        return error.decoded
    if isinstance(error, asyncio.CancelledError):
        return DecodedError(code=grpc.StatusCode.CANCELLED, message="cancelled")
    if not isinstance(error, grpc.RpcError):
        is_timeout = isinstance(error, TimeoutError | asyncio.TimeoutError)
        code = grpc.StatusCode.DEADLINE_EXCEEDED if is_timeout else grpc.StatusCode.UNKNOWN
        return DecodedError(code=code, message=str(error))
    code = _told(error, "code")
    message = _told(error, "details")
    trailers = dict(_pairs(_told(error, "trailing_metadata")))
    details = _details(trailers.get(_STATUS_DETAILS))
    infos = sorted(_all(details, error_details_pb2.ErrorInfo), key=lambda info: info.domain != ERROR_DOMAIN)
    info = infos[0] if infos else None
    trail = tuple(attempt for found in _all(details, routing_pb2.AttemptTrail)[:1] for attempt in found.attempts)
    pushback = _pushback(trailers.get(_PUSHBACK))
    delays = [found.retry_delay.ToTimedelta().total_seconds() for found in _all(details, error_details_pb2.RetryInfo)]
    retry_after = (
        pushback if pushback is not None and pushback >= 0 else next((max(0.0, delay) for delay in delays), None)
    )
    decoded = DecodedError(
        code=code if isinstance(code, grpc.StatusCode) else grpc.StatusCode.UNKNOWN,
        reason=info.reason if info else "",
        message=message if isinstance(message, str) else "",
        domain=info.domain if info else "",
        metadata=dict(info.metadata) if info else {},
        retry_after=retry_after,
        violations=tuple(
            FieldViolation(violation.field, violation.description)
            for found in _all(details, error_details_pb2.BadRequest)[:1]
            for violation in found.field_violations
        ),
        quota_violations=tuple(
            QuotaViolation(violation.subject, violation.description)
            for found in _all(details, error_details_pb2.QuotaFailure)[:1]
            for violation in found.violations
        ),
        request_id=next(
            (found.request_id for found in _all(details, error_details_pb2.RequestInfo) if found.request_id),
            _text(trailers.get(_REQUEST_ID)) or _initial_request_id(error),
        ),
        attempts=trail,
    )
    may_retry = _invites(decoded, has_retry_info=bool(delays)) if pushback is None else pushback >= 0
    return replace(decoded, may_retry=may_retry)


def _invites(decoded: DecodedError, *, has_retry_info: bool) -> bool:
    if was_never_reached(decoded):
        return True
    if decoded.domain != ERROR_DOMAIN or not (has_retry_info or decoded.reason in _BEFORE_CONTACT):
        return False
    return all(attempt.kind == routing_pb2.ATTEMPT_KIND_SKIPPED for attempt in decoded.attempts)


def _told(error: grpc.RpcError, name: str) -> Any:
    method = getattr(error, name, None)
    return method() if callable(method) else None


def _pairs(metadata: Iterable[tuple[str, str | bytes]] | None) -> Iterator[tuple[str, str | bytes]]:
    for key, value in metadata or ():
        yield key.lower(), value


def _initial_request_id(error: grpc.RpcError) -> str:
    return _text(dict(_pairs(_told(error, "initial_metadata"))).get(_REQUEST_ID))


def _text(value: str | bytes | None) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else value or ""


def _details(value: str | bytes | None) -> list[Any]:
    if not isinstance(value, bytes):
        return []
    try:
        return list(status_pb2.Status.FromString(value).details)
    except Exception:  # noqa: BLE001 - protobuf's own errors differ between its implementations
        return []


def _all(details: list[Any], kind: type[_Detail]) -> list[_Detail]:
    found = []
    for detail in details:
        message = kind()
        try:
            if detail.Is(kind.DESCRIPTOR) and detail.Unpack(message):
                found.append(message)
        except Exception:  # noqa: BLE001, S112 - a detail that cannot be parsed is left out
            continue
    return found


def _pushback(value: str | bytes | None) -> float | None:
    """Returns seconds; None without a pushback, -1 where it forbids a repeat or cannot be read, which means the same."""
    if value is None:
        return None
    text = _text(value)
    return int(text) / 1000 if re.fullmatch(r"[0-9]{1,10}", text) else -1.0
