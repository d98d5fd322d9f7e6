# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI document: valid, complete, the same everywhere. (That answers are as it says is
checked with every answer of the other tests.)"""

import json
import re

import httpx
import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from sandtrail_server import ROOT


@pytest.fixture(scope="module")
def document(server):
    response = httpx.get(server.url + "/openapi.json", trust_env=False)
    assert response.status_code == 200
    return response.json()


def operations(document):
    for path, item in document["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            if method in item:
                yield method, path, item[method]


def references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_it_is_valid_openapi_31(document):
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_its_schemas_are_valid_and_its_references_lead_somewhere(document):
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert schema, name
    for reference in references(document):
        target = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part.replace("~1", "/").replace("~0", "~")]


def test_every_operation_has_a_name_words_answers_and_problems(document):
    found = list(operations(document))
    assert len(found) >= 15
    names = [operation["operationId"] for _, _, operation in found]
    assert len(set(names)) == len(names)
    for method, path, operation in found:
        assert operation["summary"], path
        statuses = set(operation["responses"])
        assert any(status.startswith("2") for status in statuses), path
        assert {"default", "4XX", "401", "404"} & statuses or path == "/openapi.json", path
        placeholders = re.findall(r"\{([^}]+)\}", path)
        declared = [parameter["name"] for parameter in operation.get("parameters", [])
                    if parameter.get("in") == "path"]
        assert sorted(declared) == sorted(placeholders), (method, path)


def test_every_path_is_served(document, api):
    for method, path, _ in operations(document):
        concrete = re.sub(r"\{[^}]+\}", "none", path)
        response = api.http.request(method.upper(), concrete)
        assert response.status_code != 405, (method, path)
        if response.status_code == 404:
            assert "no such path" not in response.json().get("detail", ""), path


def test_webhooks_and_callbacks_are_described(document):
    assert {"execution.finished", "execution.rejected", "execution.cancelled",
            "execution.lost"} <= set(document["webhooks"])
    assert document["paths"]["/v1/executions"]["post"]["callbacks"]


def test_the_stored_document_is_the_served_one(document):
    assert json.loads((ROOT / "schemas/openapi.json").read_text(encoding="utf-8")) == document


def test_the_check_of_answers_notices_what_is_wrong(server, api, check):
    answer = api.http.get("/v1/billing/balance")
    before = check.checked
    assert before > 0

    def changed(change, status=200, kind="application/json"):
        body = answer.json()
        change(body)
        return httpx.Response(status, json=body, request=answer.request,
                              headers={"content-type": kind})

    check(changed(lambda body: None))
    assert check.checked == before + 1
    for wrong in (changed(lambda body: body.pop("position")),
                  changed(lambda body: body.update(held_microcredits="0")),
                  changed(lambda body: body.update(extra=1)),
                  changed(lambda body: None, kind="text/html"),
                  changed(lambda body: None, status=299)):
        with pytest.raises(AssertionError):
            check(wrong)


def test_every_code_of_a_problem_has_its_page():
    pages = {path.stem for path in (ROOT / "schemas/problems").glob("*.md")}
    assert {"invalid_request", "malformed_json", "unauthenticated", "insufficient_credits",
            "queue_full", "storage_full", "idempotency_conflict", "not_found"} <= pages
    for path in (ROOT / "schemas/problems").glob("*.md"):
        assert len(path.read_text(encoding="utf-8")) > 100, path.name
