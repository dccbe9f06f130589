"""The same calls as a FastAPI application in a Worker, as its documentation shows: typed bodies, a dict for a store."""

from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from pydantic import BaseModel
from workers import WorkerEntrypoint, asgi

app = FastAPI()
queues: dict[str, list[dict[str, Any]]] = {}


class Opening(BaseModel):
    label: str | None = None


class Asked(BaseModel):
    code: str
    tool: str
    args: dict[str, Any]


class Answered(BaseModel):
    code: str
    id: str
    result: Any


class Queued(BaseModel):
    id: str


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/api/sessions", status_code=201)
async def create(body: Opening) -> dict[str, Any]:
    code = uuid4().hex
    queues[code] = []
    return {"code": code, "label": body.label, "hostToken": code}


@app.post("/api/request", status_code=202)
async def ask(body: Asked) -> Queued:
    queued = Queued(id=uuid4().hex)
    queues.setdefault(body.code, []).append(body.model_dump() | {"id": queued.id})
    return queued


@app.get("/api/poll")
async def poll(code: str) -> dict[str, Any]:
    return {"messages": queues.get(code, [])[:10]}


@app.post("/api/response", status_code=202)
async def answer(body: Answered) -> Queued:
    left = [message for message in queues.get(body.code, []) if message["id"] != body.id]
    queues[body.code] = left
    return Queued(id=body.id)


class Default(WorkerEntrypoint):
    async def fetch(self, request: Any) -> Any:
        return await asgi.fetch(app, request.js_object, self.env, self.ctx)
