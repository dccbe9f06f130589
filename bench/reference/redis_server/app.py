"""What people build on a server: FastAPI, a hash and pub/sub of Redis for each queue, Server-Sent Events."""

import json
import os
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import redis.asyncio as redis
from fastapi import FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

app = FastAPI()
store = redis.Redis(port=int(os.environ["REDIS_PORT"]))


class Opening(BaseModel):
    label: str | None = None


class Asked(BaseModel):
    code: str
    tool: str
    args: dict[str, Any]
    id: str


class Answered(BaseModel):
    code: str
    id: str
    result: Any


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/api/sessions", status_code=201)
async def create(body: Opening) -> dict[str, str]:
    code = uuid4().hex
    await store.set(f"session:{code}", body.model_dump_json(), ex=3600)
    return {"code": code, "hostToken": code}


@app.post("/api/request", status_code=202)
async def ask(body: Asked, wait: float = 0) -> JSONResponse:
    async with store.pubsub() as answers:
        if wait:
            await answers.subscribe(f"answer:{body.code}:{body.id}")
        message = body.model_dump_json()
        async with store.pipeline() as pipeline:
            pipeline.hset(f"open:{body.code}", body.id, message)
            pipeline.expire(f"open:{body.code}", 3600)
            pipeline.publish(f"requests:{body.code}", message)
            await pipeline.execute()
        if wait:
            async for heard in answers.listen():
                if heard["type"] == "message":
                    return JSONResponse(json.loads(heard["data"]))
    return JSONResponse({"id": body.id}, 202)


@app.post("/api/response", status_code=202)
async def answer(body: Answered) -> dict[str, str]:
    message = body.model_dump_json()
    async with store.pipeline() as pipeline:
        pipeline.set(f"answered:{body.code}:{body.id}", message, ex=3600)
        pipeline.hdel(f"open:{body.code}", body.id)
        pipeline.publish(f"answer:{body.code}:{body.id}", message)
        await pipeline.execute()
    return {"id": body.id}


@app.get("/api/stream")
async def stream(code: str) -> StreamingResponse:
    async def events() -> AsyncIterator[bytes]:
        async with store.pubsub() as requests:
            await requests.subscribe(f"requests:{code}")
            yield b"event: ready\ndata: {}\n\n"
            for waiting in (await store.hgetall(f"open:{code}")).values():
                yield b"event: request\ndata: " + waiting + b"\n\n"
            async for heard in requests.listen():
                if heard["type"] == "message":
                    yield b"event: request\ndata: " + heard["data"] + b"\n\n"

    return StreamingResponse(events(), media_type="text/event-stream")
