# SPDX-License-Identifier: Apache-2.0
"""A thousand clients that wait for their result cost no threads, and each gets its own."""

import asyncio

import httpx

CLIENTS = 1000
CONFIG = {"executions": {"slots": 4}, "billing": {"signup_credits": 100_000}}


async def one(client, number):
    response = await client.post(
        "/v1/executions", headers={"Prefer": "wait=60"},
        json={"command": ["sh", "-c", f"echo {number}"],
              "limits": {"memory_mib": 16, "wall_ms": 10_000}})
    while True:
        assert response.status_code in (200, 202), response.text
        result = response.json()
        if response.status_code == 200 and result["status"] == "finished":
            return result
        # The longest wait there is was not enough: go on waiting.
        response = await client.get(f"/v1/executions/{result['id']}",
                                    headers={"Prefer": "wait=60"})


async def all_at_once(server):
    """The results, and the most threads the server had meanwhile."""
    threads = []

    async def watch():
        while True:
            threads.append(server.status_field("Threads"))
            await asyncio.sleep(0.05)

    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx.AsyncClient(
            base_url=server.url, timeout=90, limits=limits, trust_env=False,
            headers={"Authorization": f"Bearer {server.api_key}"}) as client:
        watcher = asyncio.create_task(watch())
        results = await asyncio.gather(*(one(client, number) for number in range(CLIENTS)))
        watcher.cancel()
    return results, max(threads)


def test_a_thousand_waiting_clients_each_get_their_result(server, api):
    assert api.run({"command": ["true"]})["verdict"] == "ok"
    before = server.status_field("Threads")
    results, most = asyncio.run(all_at_once(server))
    assert [result["stdout"] for result in results] == [f"{n}\n" for n in range(CLIENTS)]
    assert {result["verdict"] for result in results} == {"ok"}
    assert len({result["id"] for result in results}) == CLIENTS
    assert most == before
    assert server.status_field("Threads") == before
