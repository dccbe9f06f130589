"""What people build on a server: FastAPI, a hash and pub/sub of Redis for each queue, Server-Sent Events."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import redis.asyncio as redis
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

waiting: dict[str, asyncio.Future[bytes]] = {}
"""Who waits for which answer: one subscription serves all of them, as a new one would take round trips of its own."""


async def hear_answers() -> None:
    async with store.pubsub() as answers:
        await answers.psubscribe("answer:*")
        async for heard in answers.listen():
            answered = waiting.get(heard["channel"].decode()) if heard["type"] == "pmessage" else None
            if answered and not answered.done():
                answered.set_result(heard["data"])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    hearing = asyncio.create_task(hear_answers())
    yield
    hearing.cancel()


app = FastAPI(lifespan=lifespan)
store = redis.Redis(port=int(os.environ["REDIS_PORT"]))
models = httpx.AsyncClient(base_url=os.environ.get("OPENAI_BASE_URL", ""), timeout=60)


class Opening(BaseModel):
    label: str | None = None


class Asked(BaseModel):
    code: str
    tool: str
    args: dict[str, Any]
    id: str | None = None


class Question(BaseModel):
    threadId: str
    message: str


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
    body.id = body.id or uuid4().hex
    message = body.model_dump_json()
    answered = waiting[f"answer:{body.code}:{body.id}"] = asyncio.get_running_loop().create_future()
    try:
        async with store.pipeline() as pipeline:
            pipeline.hset(f"open:{body.code}", body.id, message)
            pipeline.expire(f"open:{body.code}", 3600)
            pipeline.publish(f"requests:{body.code}", message)
            await pipeline.execute()
        if not wait:
            return JSONResponse({"id": body.id}, 202)
        return JSONResponse(json.loads(await asyncio.wait_for(answered, wait)))
    except TimeoutError:
        return JSONResponse({"id": body.id}, 202)
    finally:
        del waiting[f"answer:{body.code}:{body.id}"]


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


@app.get("/api/poll")
async def poll(code: str) -> dict[str, Any]:
    return {"messages": [json.loads(waiting) for waiting in (await store.hgetall(f"open:{code}")).values()]}


@app.put("/api/sessions/{session_id}/documents/{name}", status_code=201)
async def put_document(session_id: str, name: str, request: Request) -> None:
    await store.set(f"document:{session_id}:{name}", json.dumps(await request.json()), ex=3600)


@app.get("/api/sessions/{session_id}/documents/{name}")
async def read_document(session_id: str, name: str) -> Response:
    text = await store.get(f"document:{session_id}:{name}")
    return Response(text, 404 if text is None else 200, media_type="application/json")


@app.post("/api/chat")
async def chat(body: Question) -> StreamingResponse:
    key = f"thread:{body.threadId}"
    async with store.pipeline() as pipeline:
        pipeline.rpush(key, json.dumps({"role": "user", "content": body.message}))
        pipeline.lrange(key, 0, -1)
        _, history = await pipeline.execute()

    async def events() -> AsyncIterator[str]:
        content = ""
        asked = {"model": "m", "stream": True, "messages": [json.loads(message) for message in history]}
        async with models.stream("POST", "/chat/completions", json=asked) as answer:
            async for line in answer.aiter_lines():
                yield f"{line}\n"
                if line.startswith("data: {"):
                    content += json.loads(line[6:])["choices"][0]["delta"].get("content", "")
        await store.rpush(key, json.dumps({"role": "assistant", "content": content}))

    return StreamingResponse(events(), media_type="text/event-stream")
