"""What does the gateway serve to a browser? The page, its files, and headers that allow nothing else."""

import re
from importlib.resources import files

import aiohttp
from lab import lab

STATIC = files("voice_gateway.edges.page") / "static"


async def test_the_page_and_all_it_loads_is_served_with_a_strict_policy() -> None:
    async with lab() as there, aiohttp.ClientSession(f"http://127.0.0.1:{there.web_port}") as http:
        async with http.get("/") as page:
            assert (page.status, page.content_type, page.charset) == (200, "text/html", "utf-8")
            html = await page.text()
        loaded = set(re.findall(r'(?:href|src)="(/page/[^"]+)"', html))
        assert "/page/main.js" in loaded
        for path in sorted(loaded):
            async with http.get(path) as part:
                assert part.status == 200, path
                policy = part.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "script-src 'self';" in policy
                assert "unsafe" not in policy
                assert part.headers["X-Content-Type-Options"] == "nosniff"
                assert part.headers["X-Frame-Options"] == "DENY"
            async with http.get(path, headers={"If-None-Match": part.headers["ETag"]}) as again:
                assert again.status == 304
                assert await again.read() == b""


async def test_the_files_of_the_page_load_each_other_and_nothing_from_elsewhere() -> None:
    scripts = {
        entry.name: entry for folder in ("audio", "protocol", "state", "view") for entry in (STATIC / folder).iterdir()
    }
    async with lab() as there, aiohttp.ClientSession(f"http://127.0.0.1:{there.web_port}") as http:
        for name, file in scripts.items():
            text = file.read_text(encoding="utf-8")
            assert not re.search(r"https?://(?!www\.w3\.org)", text), name
        async with http.get("/page/audio/capture-worklet.js") as script:
            assert script.content_type == "text/javascript"
        for outside in ("/page/../routes.py", "/page/%2e%2e/routes.py", "/page/", "/page/nothing.js"):
            async with http.get(outside) as answer:
                assert answer.status == 404, outside


async def test_an_operator_may_switch_the_page_off() -> None:
    async with lab(gateway_page=False) as there, aiohttp.ClientSession(f"http://127.0.0.1:{there.web_port}") as http:
        async with http.get("/") as page:
            assert page.status == 404
        async with http.get("/v1/server-info") as info:
            assert (await info.json())["languages"] == ["en-US"]
