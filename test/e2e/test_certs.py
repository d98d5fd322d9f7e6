# SPDX-License-Identifier: Apache-2.0
"""Certificates and shared keys of a cluster, as other programs see them: Python's ssl speaks both
sides of mutual TLS with them, openssl verifies them, and a server starts with the keys."""

import re
import socket
import ssl
import subprocess
import threading

import pytest
from sandtrail_server import run_tool


@pytest.fixture(scope="module")
def certs(directory):
    """A directory with an authority, another one's, and two certificates."""
    path = directory / "certs"
    run_tool("certs", "create-ca", "--dir", path)
    run_tool("certs", "create-ca", "--dir", directory / "other")
    for role, name, addresses in [("host", "host-1", ["127.0.0.1", "localhost"]),
                                  ("gateway", "gateway-1", ["10.0.0.5"])]:
        run_tool("certs", "issue", role, "--name", name, "--dir", path,
                 *[word for address in addresses for word in ("--address", address)])
    return path


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True,
                          check=False)


def mutual_tls(server_files, client_files, authority, host):
    """One handshake in both directions by Python; returns (client, server), each the peer's
    certificate as Python reads it, or the error."""
    def context(side, files):
        made = ssl.SSLContext(side)
        made.minimum_version = ssl.TLSVersion.TLSv1_3
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_cert_chain(f"{files}.crt", f"{files}.key")
        made.load_verify_locations(authority)
        return made

    seen = {}
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        try:
            plain, _ = listener.accept()
            with context(ssl.PROTOCOL_TLS_SERVER, server_files).wrap_socket(
                    plain, server_side=True) as tls:
                seen["client"] = tls.getpeercert()
                tls.sendall(b"x")
        except OSError as error:
            seen["client"] = error

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with socket.create_connection(listener.getsockname()) as plain:
            with context(ssl.PROTOCOL_TLS_CLIENT, client_files).wrap_socket(
                    plain, server_hostname=host) as tls:
                seen["server"] = tls.getpeercert()
                tls.recv(1)
    except OSError as error:
        seen["server"] = error
    thread.join()
    listener.close()
    return seen["client"], seen["server"]


def subject(certificate):
    return {key: value for part in certificate["subject"] for key, value in part}


def test_python_speaks_mutual_tls_with_them(certs):
    client, server = mutual_tls(certs / "host-host-1", certs / "gateway-gateway-1",
                                certs / "ca.crt", "127.0.0.1")
    assert subject(server) == {"organizationalUnitName": "host", "commonName": "host-1"}
    assert subject(client) == {"organizationalUnitName": "gateway", "commonName": "gateway-1"}
    assert server["subjectAltName"] == (("IP Address", "127.0.0.1"), ("DNS", "localhost"))
    _, server = mutual_tls(certs / "host-host-1", certs / "gateway-gateway-1", certs / "ca.crt",
                           "localhost")
    assert subject(server)["commonName"] == "host-1"


def test_python_refuses_another_address_and_another_authority(certs):
    _, server = mutual_tls(certs / "gateway-gateway-1", certs / "host-host-1", certs / "ca.crt",
                           "127.0.0.1")
    assert "IP address mismatch" in str(server)
    other = certs.parent / "other/ca.crt"
    _, server = mutual_tls(certs / "host-host-1", certs / "gateway-gateway-1", other, "127.0.0.1")
    assert "CERTIFICATE_VERIFY_FAILED" in str(server)


@pytest.mark.parametrize("purpose", ["sslserver", "sslclient"])
def test_openssl_verifies_the_chain(certs, purpose):
    for name in ("host-host-1", "gateway-gateway-1"):
        done = openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", certs / "ca.crt",
                       certs / f"{name}.crt")
        assert done.returncode == 0, done
        done = openssl("verify", "-CAfile", certs.parent / "other/ca.crt", certs / f"{name}.crt")
        assert done.returncode != 0


def test_openssl_shows_what_rfc_5280_asks_for(certs):
    text = openssl("x509", "-in", certs / "host-host-1.crt", "-noout", "-text").stdout
    for part in ("ecdsa-with-SHA256", "NIST CURVE: P-256", "CA:FALSE", "Digital Signature",
                 "TLS Web Server Authentication, TLS Web Client Authentication",
                 "IP Address:127.0.0.1, DNS:localhost"):
        assert part in text
    assert "CA:TRUE, pathlen:0" in openssl("x509", "-in", certs / "ca.crt", "-noout",
                                           "-text").stdout


def test_keys_are_for_their_owner_and_never_replaced(certs):
    before = {path: path.read_bytes() for path in certs.iterdir()}
    assert {path.name for path in before} == {
        "ca.crt", "ca.key", "host-host-1.crt", "host-host-1.key", "gateway-gateway-1.crt",
        "gateway-gateway-1.key"}
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in before if path.suffix == ".key")
    done = run_tool("certs", "create-ca", "--dir", certs, check=False)
    assert done.returncode == 3 and "is there already" in done.stderr
    done = run_tool("certs", "issue", "host", "--name", "host-1", "--address", "localhost",
                    "--dir", certs, check=False)
    assert done.returncode == 3 and "is there already" in done.stderr
    assert {path: path.read_bytes() for path in certs.iterdir()} == before


@pytest.mark.embedded
def test_a_server_starts_with_keys_made_beforehand_which_are_never_replaced(new_server):
    server = new_server("keys", {"audit": {"origin": "example.org/audit"}})

    def init(check=True):
        return run_tool("init", "--config", server.config_file, "--data-dir", server.data_dir,
                        check=check)

    made = init().stdout
    assert made.count("made ") == 3 and "example.org/audit" in made
    keys = {path.name: path.read_bytes() for path in server.data_dir.iterdir()}
    assert set(keys) == {"root.key", "audit.key", "audit.vkey"}
    assert re.fullmatch(rb"[0-9a-f]{64}\n", keys["root.key"])
    assert keys["audit.vkey"].decode() in made
    assert keys["root.key"].decode().strip() not in made
    for name in ("root.key", "audit.key"):
        assert (server.data_dir / name).stat().st_mode & 0o777 == 0o600
    assert init().stdout.count("there already") == 3
    server.start()
    assert {name: (server.data_dir / name).read_bytes() for name in keys} == keys
    server.stop()
    # One that is gone with data under it, or whose public half is out, is not made anew.
    for name in ("root.key", "audit.key"):
        (server.data_dir / name).unlink()
        refused = init(check=False)
        assert refused.returncode == 3 and f"{name} is gone" in refused.stderr
        (server.data_dir / name).write_bytes(keys[name])
        (server.data_dir / name).chmod(0o600)
    server.start()
