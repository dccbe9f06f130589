"""Puts the document together: the route table, what is said of each route, the types, the errors, the examples."""

from __future__ import annotations

from typing import Any

from tools.openapi.events import add_events
from tools.openapi.examples import Examples
from tools.openapi.grammars import APP_ID, CODE_AS_TYPED, ID_IN_PATH, MCP_ADDRESS, MESSAGE_ID, Json
from tools.openapi.headers import ALWAYS, HEADERS, OF_PROBLEMS, referred
from tools.openapi.in_memory import run_examples
from tools.openapi.operations import ALL
from tools.openapi.parts import PROBLEM, Link, Operation, Parameter, Reply, Schema
from tools.openapi.problems import ALWAYS as ALWAYS_PROBLEMS
from tools.openapi.problems import ROUTING, codes_by_status, meanings
from tools.openapi.prose import DESCRIPTION, SECURITY, TAGS
from tools.openapi.refinements import TOOL
from tools.openapi.schemas import Components
from waypost_worker.app import ROUTES, Handler
from waypost_worker.handlers import service
from waypost_worker.http.messages import _Problem
from waypost_worker.http.routing import Route
from waypost_worker.version import VERSION

PATH_SCHEMAS: dict[str, Json] = {
    "code": CODE_AS_TYPED,
    "address": {**MCP_ADDRESS, "description": "An MCP address."},
    "threadId": APP_ID,
    "resourceId": APP_ID,
    "messageId": MESSAGE_ID,
    "id": {**ID_IN_PATH, "description": "The request's id."},
    "sid": {**ID_IN_PATH, "description": "The session's id, which its owner chooses: it must not be guessable."},
    "sessionId": {
        **ID_IN_PATH,
        "description": "The conversation's id, which its owner chooses: not guessable.",
    },
    "name": {**ID_IN_PATH, "description": "The document's name."},
    "intentId": {**ID_IN_PATH, "description": "The id of the intent that the page was generated for."},
}


def make_document() -> Json:
    """The whole document."""
    return _Maker().document()


class _Maker:
    def __init__(self) -> None:
        self._components = Components()
        self._components.add("Tool", TOOL)
        add_events(self._components)
        self._components.reference(_Problem)
        self._components.schemas["Problem"]["properties"]["code"]["x-meanings"] = meanings()
        self._examples = Examples(run_examples())
        self._shared: Json = {}

    def document(self) -> Json:
        paths: dict[str, Json] = {}
        for route in ROUTES:
            operation = ALL[f"{route.method} {route.template}"]
            paths.setdefault(route.template, {})[route.method.lower()] = self._operation(route, operation)
        return {
            "openapi": "3.1.1",
            "info": {
                "title": "Waypost",
                "version": VERSION,
                "summary": "Lets an AI agent call tools in an open browser tab, and keeps AI chats with their history.",
                "description": DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
            "paths": paths,
            "components": {
                "schemas": dict(sorted(self._components.schemas.items())),
                "headers": HEADERS,
                "responses": dict(sorted(self._shared.items())),
                "securitySchemes": SECURITY,
            },
        }

    def _operation(self, route: Route[Handler], operation: Operation) -> Json:
        name = f"{route.method} {route.template}"
        found: Json = {
            "operationId": operation.id,
            "tags": [operation.tag],
            "summary": operation.summary or " ".join((route.handler.__doc__ or "").split()),
        }
        if operation.description:
            found["description"] = operation.description
        parameters = [self._path_parameter(name, part[1:-1]) for part in name.split("/") if part.startswith("{")]
        parameters += [self._parameter(name, parameter) for parameter in operation.parameters]
        if parameters:
            found["parameters"] = parameters
        if operation.body:
            found["requestBody"] = {
                "required": operation.body_is_needed,
                "content": self._content(operation.body, {t: self._examples.of_body(name, t) for t in operation.body}),
            }
        found["responses"] = self._responses(route, operation)
        found["security"] = [dict(scheme) for scheme in operation.security]
        return found

    def _path_parameter(self, name: str, parameter: str) -> Json:
        schema = ALL[name].path_schemas.get(parameter, PATH_SCHEMAS[parameter])
        found: Json = {"name": parameter, "in": "path", "required": True, "schema": schema}
        if examples := self._examples.of_parameter(name, parameter, "path"):
            found["examples"] = examples
        return found

    def _parameter(self, name: str, parameter: Parameter) -> Json:
        found: Json = {"name": parameter.name, "in": parameter.where, "description": parameter.description}
        if parameter.required:
            found["required"] = True
        found |= {"schema": dict(parameter.schema), **parameter.style}
        if parameter.style:
            examples = self._examples.of_filters(name)
        else:
            examples = self._examples.of_parameter(name, parameter.name, parameter.where)
        if examples:
            found["examples"] = examples
        return found

    def _responses(self, route: Route[Handler], operation: Operation) -> Json:
        name = f"{route.method} {route.template}"
        found: Json = {}
        for status, reply in operation.replies.items():
            found[str(status)] = self._reply(name, status, reply, operation.links.get(status, ()))
        # `/health` says by itself what is not configured.
        always = ROUTING if route.handler is service.health else ALWAYS_PROBLEMS
        for status, codes in codes_by_status((*always, *operation.problems)).items():
            if str(status) in found and operation.also_problems:
                found[str(status)]["content"][PROBLEM] = self._problem_content(status, codes)
                continue
            if str(status) in found:
                raise ValueError(f"{name} has two kinds of replies with {status}")
            found[str(status)] = self._problem(name, status, codes)
        return dict(sorted(found.items()))

    def _reply(self, name: str, status: int, reply: Reply, links: tuple[Link, ...] | Any) -> Json:
        found: Json = {"description": reply.description, "headers": referred((*ALWAYS, *reply.headers))}
        if reply.content:
            examples = {media_type: self._examples.of_reply(name, status, media_type) for media_type in reply.content}
            found["content"] = self._content(reply.content, examples)
        if links:
            found["links"] = {_link_name(number, link, links): _link(link) for number, link in enumerate(links)}
        return found

    def _problem_content(self, status: int, codes: list[str]) -> Json:
        allowed = {"properties": {"status": {"const": status}, "code": {"enum": codes}}}
        return {"schema": {"allOf": [{"$ref": "#/components/schemas/Problem"}, allowed]}}

    def _problem(self, name: str, status: int, codes: list[str]) -> Json:
        content = self._problem_content(status, codes)
        found = {
            "description": f"A problem: `{'`, `'.join(codes)}`.",
            "headers": referred((*ALWAYS, *OF_PROBLEMS.get(status, ()))),
            "content": {PROBLEM: content},
        }
        if examples := self._examples.of_reply(name, status, PROBLEM):
            content["examples"] = examples
            return found
        shared = f"{status}.{'.'.join(codes)}"
        self._shared[shared] = found
        return {"$ref": f"#/components/responses/{shared}"}

    def _content(self, content: Any, examples: dict[str, Json]) -> Json:
        found = {}
        for media_type, what in content.items():
            found[media_type] = {"schema": self._schema(what)}
            if examples.get(media_type):
                found[media_type]["examples"] = examples[media_type]
        return found

    def _schema(self, what: type | Schema | Any) -> Any:
        """`what` with references in place of types."""
        if isinstance(what, type):
            return self._components.reference(what)
        if isinstance(what, dict):
            return {name: self._schema(value) for name, value in what.items()}
        return [self._schema(item) for item in what] if isinstance(what, list) else what


def _link(link: Link) -> Json:
    found: Json = {"operationId": link.target}
    if link.parameters:
        found["parameters"] = dict(link.parameters)
    if link.body is not None:
        found["requestBody"] = link.body
    if link.description:
        found["description"] = link.description
    return found


def _link_name(number: int, link: Link, links: Any) -> str:
    return link.target if [other.target for other in links].count(link.target) == 1 else f"{link.target}-{number}"
