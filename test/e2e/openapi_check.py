# SPDX-License-Identifier: Apache-2.0
"""Holds answers against the OpenAPI document of the server they come from."""

import re

import httpx
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DOCUMENT = "urn:openapi"


class OpenApiCheck:
    """An httpx response hook. Fetches the document once, from the first server it hears of."""

    def __init__(self):
        self.document = None
        self.checked = 0
        self._paths = []
        self._validators = {}
        self._registry = None

    def __call__(self, response):
        if self.document is None:
            self.load(httpx.get(response.request.url.join("/openapi.json"), trust_env=False,
                                timeout=30).json())
        found = self._response_of(response)
        if found is None:
            return
        where, declared = found
        kind = response.headers.get("content-type", "").split(";")[0]
        content = declared.get("content", {})
        if not kind:
            assert not content, f"{where}: no content, the document promises {list(content)}"
            return
        assert kind in content, f"{where}: {kind} is not in the document"
        if kind.endswith("json"):
            response.read()
            self._validate(where, content[kind]["schema"], response.json())

    def load(self, document):
        self.document = document
        resource = DRAFT202012.create_resource(_closed(document))
        self._registry = Registry().with_resource(DOCUMENT, resource)
        for path, item in document.get("paths", {}).items():
            pattern = re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path) + r"\Z")
            self._paths.append((pattern, path, item))

    def _response_of(self, response):
        """(name, response object) for an answer of a path in the document."""
        url_path = response.request.url.path
        for pattern, path, item in self._paths:
            operation = item.get(response.request.method.lower())
            if not pattern.match(url_path) or operation is None:
                continue
            status = str(response.status_code)
            where = f"{response.request.method} {path} {status}"
            declared = operation["responses"]
            chosen = declared.get(status) or declared.get(status[0] + "XX") \
                or declared.get("default")
            assert chosen is not None, f"{where} is not in the document"
            return where, self._resolved(chosen)
        return None

    def _resolved(self, item):
        while "$ref" in item:
            target = self.document
            for part in item["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            item = target
        return item

    def _validate(self, where, schema, instance):
        if where not in self._validators:
            anchored = {"$ref": DOCUMENT + schema["$ref"]} if "$ref" in schema \
                else _closed(schema)
            self._validators[where] = Draft202012Validator(anchored, registry=self._registry)
        errors = [f"{error.json_path}: {error.message}"
                  for error in self._validators[where].iter_errors(instance)]
        assert not errors, f"{where} is not as the document says: {errors[:3]}"
        self.checked += 1


def _closed(node):
    """A copy in which objects have no members but those described: clients must ignore what they
    do not know, but here everything is to be in the document."""
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {name: _closed(value) for name, value in node.items()}
    if node.get("type") == "object" and "properties" in node:
        copy.setdefault("additionalProperties", False)
    return copy
