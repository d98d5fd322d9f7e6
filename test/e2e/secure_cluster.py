# SPDX-License-Identifier: Apache-2.0
"""A process for each role over brokers that ask for TLS, a password and rights, each with its own
user, and mutual TLS between the processes: nothing is plain but the API, on loopback."""

from cluster_server import HOST, ClusterServer
from processes import Process
from sandtrail_server import run_tool

ADDRESS = "127.0.0.1"


class SecureServer(ClusterServer):
    """One settings file for all; what is a process's own, user and certificate, is in its
    environment."""

    def __init__(self, directory, kafka, prefix, config=None):
        super().__init__(directory, config, kafka=kafka)
        self.prefix = prefix

    def prepare(self):
        self._make_certificates()
        super().prepare()

    @property
    def certs(self):
        return self.directory / "certs"

    def _make_certificates(self):
        if self.certs.exists():
            return
        run_tool("certs", "create-ca", "--dir", self.certs)
        for role in (*self.processes, "operator"):
            run_tool("certs", "issue", role, "--name", f"{role}-1", "--address", ADDRESS,
                     "--dir", self.certs)

    def environment_of(self, name):
        own = self.certificate_of(name)
        if name != HOST:
            own["SANDTRAIL_LOG_KAFKA"] = self.client_of(name)
        return self.environment | own

    @property
    def reader(self):
        """The environment of a person who may look at the log."""
        return {"SANDTRAIL_LOG_KAFKA": self.client_of("reader")}

    @property
    def operator(self):
        """That of a person who may ask launchers."""
        return self.certificate_of("operator")

    def certificate_of(self, role):
        base = self.certs / f"{role}-{role}-1"
        return {"SANDTRAIL_CLUSTER_CA_FILE": str(self.certs / "ca.crt"),
                "SANDTRAIL_CLUSTER_CERT_FILE": f"{base}.crt",
                "SANDTRAIL_CLUSTER_KEY_FILE": f"{base}.key"}

    def client_of(self, user, password_file=None, ca_file=None):
        """log.kafka for a user of the brokers, as a variable has it."""
        of_kafka = self.kafka.directory
        settings = {"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
                    "ssl.ca.location": ca_file or of_kafka / "tls/ca.pem", "sasl.username": user,
                    "sasl.password_file": password_file or of_kafka / f"clients/{user}.password"}
        return ",".join(f"{key}={value}" for key, value in settings.items())

    def process_as(self, role, user, directory, **environment):
        """One more process of a role, started as that user."""
        directory.mkdir()
        process = Process(directory, role, [role, "--config", self.config_file, "--data-dir",
                                            directory / "data"])
        own = self.environment_of(role) | {"SANDTRAIL_LOG_KAFKA": self.client_of(user)}
        return process.start(own | environment)
