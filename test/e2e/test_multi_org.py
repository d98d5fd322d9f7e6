# SPDX-License-Identifier: Apache-2.0
"""Several organisations on one server see nothing of each other; roles allow what they say."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from api import Api, Operator, problem
from sandtrail_server import wait_until

ORGANIZATIONS = 6  # more than there are partitions


@pytest.fixture(scope="module")
def tenants(server, check):
    """[(organization, client)]"""
    with Operator(server) as operator:
        made = [operator.create_organization(f"tenant {n}", grant_credits=10 + n)
                for n in range(ORGANIZATIONS)]
    clients = [Api(server.url, row["api_key"], check) for row in made]
    yield list(zip(made, clients))
    for client in clients:
        client.close()


def test_organizations_run_side_by_side_each_on_its_own_account(tenants):
    def work(pair):
        number, (_, client) = pair
        results = [client.run({"command": ["echo", str(number)]}) for _ in range(5)]
        return [result["stdout"] for result in results]

    with ThreadPoolExecutor(ORGANIZATIONS) as pool:
        outputs = list(pool.map(work, enumerate(tenants)))
    for number, (made, client) in enumerate(tenants):
        assert outputs[number] == [f"{number}\n"] * 5
        rows = wait_until(lambda c=client: (lambda r: r if all(
            "settled_microcredits" in x["cost"] for x in r) else None)(c.all("/v1/executions")),
            what="the settlements")
        assert len(rows) == 5
        spent = sum(row["cost"]["settled_microcredits"] for row in rows)
        balance = client.balance()
        assert balance["granted_microcredits"] == (10 + number) * 10 ** 6
        assert balance["available_microcredits"] == (10 + number) * 10 ** 6 - spent
        assert made["organization"]["id"].startswith("org_")


def test_what_belongs_to_others_is_not_there(tenants):
    (_, mine), (_, other) = tenants[0], tenants[1]
    execution = mine.run({"command": ["true"], "thread": "shared",
                          "callback_url": "http://127.0.0.1:9/"})["id"]
    endpoint = mine.http.post("/v1/webhook-endpoints",
                              json={"url": "http://127.0.0.1:9/e"}).json()["id"]
    key = mine.http.post("/v1/api-keys", json={"name": "mine"}).json()["id"]
    delivery = wait_until(lambda: mine.all(f"/v1/executions/{execution}/deliveries"),
                          what="a delivery")[0]["id"]
    reads = [f"/v1/executions/{execution}", f"/v1/executions/{execution}/events",
             f"/v1/executions/{execution}/deliveries", f"/v1/deliveries/{delivery}",
             f"/v1/webhook-endpoints/{endpoint}", f"/v1/webhook-endpoints/{endpoint}/deliveries"]
    for path in reads:
        assert mine.http.get(path).status_code == 200, path
        problem(other.http.get(path), 404, "not_found")
    problem(other.http.post(f"/v1/executions/{execution}/cancel"), 404, "not_found")
    problem(other.http.delete(f"/v1/webhook-endpoints/{endpoint}"), 404, "not_found")
    problem(other.http.delete(f"/v1/api-keys/{key}"), 404, "not_found")
    assert execution not in [row["id"] for row in other.all("/v1/executions")]
    assert other.all("/v1/executions", thread="shared") == []
    assert other.all("/v1/webhook-endpoints") == []
    assert endpoint not in str(other.all("/v1/audit/entries"))
    assert mine.http.get(f"/v1/webhook-endpoints/{endpoint}").status_code == 200
    mine.http.delete(f"/v1/webhook-endpoints/{endpoint}")


def test_one_idempotency_key_in_two_organizations_is_two_executions(tenants):
    ids = {client.submit({"command": ["true"]}, key="same").json()["id"]
           for _, client in tenants[:3]}
    assert len(ids) == 3


def test_a_key_of_one_organization_does_not_open_another(server, tenants):
    (first, _), (second, _) = tenants[0], tenants[1]
    _, org, key, secret = first["api_key"].split("_")
    _, other_org, other_key, other_secret = second["api_key"].split("_")
    for parts in ((other_org, key, secret), (org, other_key, secret), (org, key, other_secret),
                  (other_org, other_key, secret), (other_org, key, other_secret)):
        with Api(server.url, "_".join(("st", *parts))) as client:
            problem(client.http.get("/v1/executions"), 401, "key_unknown")


def test_each_organization_signs_with_its_own_secret(tenants):
    secrets = [made["callback_secret"] for made, _ in tenants]
    assert len(set(secrets)) == len(secrets)


ALLOWED = {
    # (method, path, body): roles that may
    ("GET", "/v1/executions", None): {"viewer", "member", "admin", "auditor"},
    ("GET", "/v1/billing/balance", None): {"viewer", "member", "admin", "auditor"},
    ("GET", "/v1/languages", None): {"viewer", "member", "admin", "auditor"},
    ("GET", "/v1/webhook-endpoints", None): {"viewer", "member", "admin", "auditor"},
    ("POST", "/v1/executions", '{"command": ["true"]}'): {"member", "admin"},
    ("POST", "/v1/webhook-endpoints", '{"url": "https://example.com/"}'): {"admin"},
    ("GET", "/v1/api-keys", None): {"admin"},
    ("POST", "/v1/api-keys", '{"name": "more"}'): {"admin"},
    ("GET", "/v1/audit/entries", None): {"admin", "auditor"},
    ("GET", "/v1/audit/checkpoint", None): {"admin", "auditor"},
}


@pytest.mark.parametrize("role", ["viewer", "member", "admin", "auditor"])
def test_roles_allow_what_they_say(server, tenants, role):
    _, admin = tenants[2]
    made = admin.http.post("/v1/api-keys", json={"name": role, "role": role}).json()
    assert made["role"] == role
    with Api(server.url, made["api_key"]) as client:
        for (method, path, body), roles in ALLOWED.items():
            response = client.http.request(method, path, content=body,
                                           headers={"Content-Type": "application/json"})
            if role in roles:
                assert response.status_code in (200, 201, 202), (method, path, response.text)
            else:
                problem(response, 403, "missing_role")


def test_refused_attempts_are_audited_with_their_number(server, tenants):
    made, admin = tenants[3]
    key = admin.http.post("/v1/api-keys", json={"name": "looker", "role": "viewer"}).json()
    with Api(server.url, key["api_key"]) as client:
        for _ in range(7):
            problem(client.submit({"command": ["true"]}), 403, "missing_role")

    def counted():
        found = admin.all("/v1/audit/entries", outcome="denied", key=key["id"])
        return found if sum(entry["count"] for entry in found) == 7 else None

    entries = wait_until(counted, what="the audit of seven refusals")
    assert {entry["action"] for entry in entries} == {"execution.create"}
    assert {entry["reason"] for entry in entries} == {"missing_role"}


def test_a_key_past_its_time_is_refused(server, tenants):
    _, admin = tenants[4]
    import datetime
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1.5)
    made = admin.http.post("/v1/api-keys", json={
        "name": "soon over", "expires_at": soon.strftime("%Y-%m-%dT%H:%M:%S.%fZ")[:-4] + "Z"})
    assert made.status_code == 201, made.text
    with Api(server.url, made.json()["api_key"]) as client:
        assert client.http.get("/v1/executions").status_code == 200
        wait_until(lambda: client.http.get("/v1/executions").status_code == 401, 10,
                   "the end of the key")
        problem(client.http.get("/v1/executions"), 401, "key_expired")


def test_the_operator_sees_and_grants(server, tenants):
    made, client = tenants[5]
    organization = made["organization"]["id"]
    with Operator(server) as operator:
        before = client.balance()["granted_microcredits"]
        response = operator.http.post(f"/operator/organizations/{organization}/grants",
                                      json={"amount_credits": "2.5", "reason": "a gift"})
        assert response.status_code == 201, response.text
        assert client.balance()["granted_microcredits"] == before + 2_500_000
        limits = operator.http.post(f"/operator/organizations/{organization}/limits",
                                    json={"queued_max": 0})
        assert limits.status_code == 200, limits.text
        problem(client.submit({"command": ["true"]}), 429, "queue_full")
        listed = operator.get("/operator/organizations?limit=100")["data"]
        assert {row["id"] for row in listed} >= {m["organization"]["id"] for m, _ in tenants}
        digests = operator.get("/operator/digests")["data"]
        assert digests and all(row["core"] for row in digests)


def test_the_operators_socket_is_for_its_owner_only(server):
    import os
    import stat
    mode = os.stat(server.operator_socket).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
    assert stat.S_IMODE(os.stat(server.data_dir).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(server.data_dir / "dev.json").st_mode) == 0o600
