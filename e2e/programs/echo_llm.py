"""With which settings was the model asked? Answers with temperature and system prompt; runs in the mini LLM's image."""

import json

from aiohttp import web


async def complete(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    prompt = next((one["content"] for one in asked["messages"] if one["role"] == "system"), "none")
    text = f"Temperature {asked.get('temperature')}. Prompt: {prompt}"
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for delta, reason in (({"role": "assistant", "content": text}, None), ({}, "stop")):
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        chunk = {"id": "echo", "object": "chat.completion.chunk", "created": 0, "model": "echo", "choices": [choice]}
        await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
    await response.write(b"data: [DONE]\n\n")
    return response


async def models(_: web.Request) -> web.Response:
    return web.json_response({"object": "list", "data": [{"id": "echo", "object": "model", "owned_by": "e2e"}]})


async def ready(_: web.Request) -> web.Response:
    return web.json_response({"status": "ready"})


if __name__ == "__main__":
    app = web.Application()
    app.add_routes(
        [
            web.post("/v1/chat/completions", complete),
            web.get("/v1/models", models),
            web.get("/v1/health/ready", ready),
            web.get("/v1/health/live", ready),
        ]
    )
    web.run_app(app, port=8000, access_log=None, print=None)
