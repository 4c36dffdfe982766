"""Problem documents (RFC 9457), by which the API says what is wrong and what to do next."""

from collections.abc import Iterable
from http import HTTPStatus

from flask import Response, g
from pydantic import BaseModel, Field

PREFIX = "/api/"
MEDIA_TYPE = "application/problem+json"
ADVICE = {
    400: "The request could not be understood. Compare it with /api/admin/openapi.json.",
    401: "Send an API token as `Authorization: Bearer <token>`; `tick token create` makes one.",
    403: "The token's role does not allow this. Use a token of role ADMIN.",
    404: "There is nothing here. It may have been removed or pruned; list what there is.",
    405: "This address does not take that method. The Allow header lists those that it takes.",
    408: "The body did not come in time. Send the request again.",
    409: "That is not possible in the present state. Read the resource again, then decide.",
    412: "Somebody changed it since it was read. Read it again, then decide.",
    413: "The body is larger than 64 KiB. Send less.",
    415: "Send the body as JSON, with `Content-Type: application/json`.",
    422: "Some values do not fit; `mistakes` lists them. Mend them and send the request again.",
    429: "The token acted too often. Wait as long as Retry-After says, then go on.",
    500: "The server made a mistake. Its log has the details under the request id.",
    503: "The database or the definitions cannot be read now. Try again after Retry-After seconds.",
}


class Mistake(BaseModel):
    """One value that does not fit."""

    where: str = Field(description="the value's place, such as `body.expression`")
    problem: str


class Problem(BaseModel):
    """What is wrong and what to do next (RFC 9457)."""

    type: str = "about:blank"
    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="what is wrong, and what to do next")
    request_id: str = Field(description="by which the server's log finds this request")
    mistakes: tuple[Mistake, ...] = Field((), description="of a 422: every value that does not fit")
    in_the_way: str | None = Field(
        None, description="of a 409: the address of the unfinished run or occurrence, if it is one"
    )


def answer(
    status: int,
    detail: str | None = None,
    mistakes: Iterable[Mistake] = (),
    in_the_way: str | None = None,
) -> Response:
    """Return the response for a status; `detail` defaults to our advice for it."""
    title = HTTPStatus(status).phrase
    problem = Problem(
        title=title,
        status=status,
        detail=detail or ADVICE.get(status, title),
        request_id=g.get("request_id", ""),
        mistakes=tuple(mistakes),
        in_the_way=in_the_way,
    )
    return Response(problem.model_dump_json(), status, content_type=MEDIA_TYPE)
