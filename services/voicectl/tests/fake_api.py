"""A small Kubernetes API server on a real socket, whose controllers go one step at each look.

Honest where it matters: a patch on an old resourceVersion is a 409, a changed spec raises the generation, a field
manager is noted, and managedFields are replaced when a patch carries them.
"""

import asyncio
import threading
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from aiohttp import web

Json = dict[str, Any]

NAMESPACE = "voice"
APPS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
ROUTES = f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/grpcroutes"
WEB_ROUTES = f"/apis/gateway.networking.k8s.io/v1/namespaces/{NAMESPACE}/httproutes"
CORE = f"/api/v1/namespaces/{NAMESPACE}"


class FakeApi:
    """Start it with `with`; `url` is its address. Every attribute below may be set by a test."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.pods: list[Json] = []
        self.bodies: dict[str, str] = {"metrics": "voice_sessions_active 2.0\n", "readyz": "{}"}
        self.ready_status = 200
        self.missing_images: set[str] = set()
        self.forbidden: set[tuple[str, str]] = set()
        """(HTTP method, last part of a path's collection), e.g. ("PATCH", "deployments")"""
        self.conflicts = 0
        """So many writes with a resourceVersion meet a change by somebody else."""
        self.controllers_work = True
        self.gateway_answers = True
        self.deaf_pods: set[str] = set()
        self.broken_images: set[str] = set()
        """Their pods stay in the state a test gave them."""
        self.events: list[Json] = []
        self.quota = ""
        """Why no pod is made any more; empty = nothing forbids it."""
        self.patches: list[tuple[str, Json]] = []
        self._version = 100
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake API server")

    def __enter__(self) -> "FakeApi":
        self._thread.start()
        self.url = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _start(self) -> str:
        app = web.Application()
        app.router.add_get(CORE + "/pods/{pod}/proxy/{path}", self._proxy)
        app.router.add_get("/{path:.*}", self._get)
        app.router.add_patch("/{path:.*}", self._patch)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def put(self, path: str, found: Json) -> None:
        """Stores an object, as Helm would have made it."""
        metadata = found.setdefault("metadata", {})
        metadata |= {"name": path.rpartition("/")[2], "generation": 1, "resourceVersion": self._next()}
        metadata.setdefault("managedFields", [{"manager": "helm", "operation": "Apply"}])
        self.objects[path] = found

    def settle(self) -> None:
        """Lets the controllers finish."""
        for _ in range(30):
            self._step()

    def owners(self, path: str) -> list[str]:
        """Who owns fields of the object."""
        return [each["manager"] for each in self.objects[path]["metadata"]["managedFields"]]

    def _next(self) -> str:
        self._version += 1
        return str(self._version)

    async def _get(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        self._step()
        if request.path == CORE + "/pods":
            return web.json_response({"items": self.pods})
        if request.path == CORE + "/events":
            return web.json_response({"items": self.events})
        if request.path == APPS:
            return web.json_response(
                {"items": [found for path, found in self.objects.items() if path.startswith(APPS)]}
            )
        found = self.objects.get(request.path)
        return web.json_response(found) if found else _status(404, f'"{request.path.rpartition("/")[2]}" not found')

    async def _patch(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        found, body = self.objects.get(request.path), await request.json()
        if found is None:
            return _status(404, "not found")
        self.patches.append((request.path, body))
        asked_version = body.get("metadata", {}).pop("resourceVersion", None)
        if asked_version is not None and self.conflicts:
            self.conflicts -= 1
            found["metadata"]["resourceVersion"] = self._next()
        if asked_version not in (None, found["metadata"]["resourceVersion"]):
            return _status(409, "the object has been modified")
        merged = merge(found, body, strategic="strategic" in request.content_type)
        metadata = merged["metadata"]
        if merged["spec"] != found["spec"]:
            metadata["generation"] += 1
        self._own(metadata, body, request.query.get("fieldManager", "unknown"))
        metadata["resourceVersion"] = self._next()
        self.objects[request.path] = merged
        return web.json_response(merged)

    def _own(self, metadata: Json, body: Json, manager: str) -> None:
        if "managedFields" in body.get("metadata", {}):
            metadata["managedFields"] = [each for each in metadata["managedFields"] if each]
        elif manager not in [each["manager"] for each in metadata["managedFields"]]:
            metadata["managedFields"].append({"manager": manager, "operation": "Update"})

    async def _proxy(self, request: web.Request) -> web.Response:
        name = request.match_info["pod"].partition(":")[0]
        if name in self.deaf_pods:
            return _status(503, "error trying to reach service: connection refused")
        path = request.match_info["path"]
        body = self.bodies.get(f"{name}/{path}", self.bodies[path])
        return web.Response(text=body, status=self.ready_status if path == "readyz" else 200)

    def _refused(self, request: web.Request) -> web.Response | None:
        parts = request.path.split("/")
        for method, kind in self.forbidden:
            if request.method == method and kind in parts:
                return _status(
                    403, f'User "eve" cannot {method.lower()} resource "{kind}" in the namespace "{NAMESPACE}"'
                )
        return None

    def _step(self) -> None:
        """Every controller does one thing."""
        for path, found in self.objects.items():
            if path.startswith(APPS) and self.controllers_work:
                self._roll(found)
            if path.startswith(ROUTES) and self.gateway_answers:
                seen = {"type": "Accepted", "observedGeneration": found["metadata"]["generation"]}
                found["status"] = {"parents": [{"conditions": [seen]}]}

    def _roll(self, found: Json) -> None:
        spec, name = found["spec"], found["metadata"]["name"]
        image, wanted = spec["template"]["spec"]["containers"][0]["image"], spec["replicas"]
        mine = [pod for pod in self.pods if pod["owner"] == name and "deletionTimestamp" not in pod["metadata"]]
        new = [pod for pod in mine if _image(pod) == image]
        old = [pod for pod in mine if _image(pod) != image]
        ready = [pod for pod in mine if _is_ready(pod)]
        waiting = [pod for pod in new if not _is_ready(pod)]
        if len(new) > wanted:
            _end(new.pop())
        elif old and (len(ready) > wanted or not _is_ready(old[-1]) or not wanted):
            _end(old.pop())
        elif waiting:
            self._go_on(waiting[0], image)
        elif len(new) < wanted and not self.quota:
            self.pods.append(_pod(name, found["spec"]["template"], f"{name}-{self._next()}"))
        alive = [pod for pod in mine if "deletionTimestamp" not in pod["metadata"]]
        fresh = [pod for pod in alive if _image(pod) == image]
        count = sum(map(_is_ready, alive))
        found["status"] = {
            "observedGeneration": found["metadata"]["generation"],
            "replicas": len(alive),
            "updatedReplicas": len(fresh),
            "readyReplicas": count,
            "availableReplicas": count,
        }
        if self.quota and len(new) < wanted:
            refused = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": self.quota}
            found["status"]["conditions"] = [refused]

    def _go_on(self, pod: Json, image: str) -> None:
        if image in self.broken_images:
            return
        if image not in self.missing_images:
            pod["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
            return
        before = pod["status"].get("containerStatuses")
        waiting = {"reason": "ImagePullBackOff" if before else "ErrImagePull", "message": f"no such image {image}"}
        pod["status"] = {"containerStatuses": [{"state": {"waiting": waiting}}]}


def merge(found: Json, patch: Mapping[str, Any], *, strategic: bool) -> Json:
    """RFC 7396, and of the strategic merge what is used: containers merge by their names."""
    merged = deepcopy(found)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge(merged.get(key, {}), value, strategic=strategic)
        elif key == "containers" and strategic:
            changes = {each["name"]: each for each in value}
            merged[key] = [{**each, **changes.get(each["name"], {})} for each in merged[key]]
        else:
            merged[key] = deepcopy(value)
    return merged


def _pod(owner: str, template: Json, name: str) -> Json:
    return {
        "owner": owner,
        "metadata": {"name": name, "labels": dict(template["metadata"]["labels"])},
        "spec": deepcopy(template["spec"]),
        "status": {},
    }


def _image(pod: Json) -> str:
    return str(pod["spec"]["containers"][0]["image"])


def _is_ready(pod: Json) -> bool:
    return any(each["type"] == "Ready" for each in pod["status"].get("conditions", []))


def _end(pod: Json) -> None:
    pod["metadata"]["deletionTimestamp"] = "2030-01-01T00:00:00Z"


def _status(code: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "status": "Failure", "message": message, "code": code}, status=code)
