# SPDX-License-Identifier: Apache-2.0
"""What stands in infra/ agrees with the tree: versions, roles, settings, ACLs."""

import re
import subprocess
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = {"gateway", "launcher", "billing", "retention", "webhooks", "auditor"}
POM = {"m": "http://maven.apache.org/POM/4.0.0"}


def pom():
    return ElementTree.parse(ROOT / "infra/kafka/pom.xml").getroot()


def compose():
    return yaml.safe_load((ROOT / "infra/compose.yaml").read_text(encoding="utf-8"))


def kafka_version():
    return pom().findtext("m:properties/m:kafka.version", namespaces=POM)


def test_the_script_the_pom_and_the_image_name_one_version_of_kafka():
    script = (ROOT / "scripts/kafka").read_text(encoding="utf-8")
    assert f"--version {kafka_version()}|" in script
    assert compose()["services"]["kafka"]["image"] == f"apache/kafka:{kafka_version()}"


@pytest.mark.parametrize("version", ["4.2.0", "3.9.1"])
def test_every_jar_is_pinned_by_its_digest(version):
    lines = (ROOT / f"infra/kafka/jars-{version}.sha256").read_text(encoding="ascii").splitlines()
    assert all(re.fullmatch(r"[0-9a-f]{64}  [\w.-]+\.jar", line) for line in lines)
    names = {line.split()[1] for line in lines}
    assert len(names) == len(lines)
    assert {f"kafka_2.13-{version}.jar", f"kafka-tools-{version}.jar"} <= names


def test_no_version_in_the_pom_is_open():
    versions = [element.text for element in pom().iter(f"{{{POM['m']}}}version")]
    assert len(versions) > 3
    assert all(re.fullmatch(r"[\d.]+|\$\{kafka\.version\}", version) for version in versions)


def test_compose_has_a_service_for_each_role_with_the_settings_beside_it():
    services = compose()["services"]
    assert set(services) == ROLES | {"kafka", "keys", "host"}
    assert services["keys"]["command"] == ["init", "--config", "/etc/sandtrail.toml"]
    for name in ROLES | {"host"}:
        assert services[name]["command"][0] == name
        assert services[name]["command"][-2:] == ["--config", "/etc/sandtrail.toml"]
        assert "./compose.toml:/etc/sandtrail.toml:ro" in services[name]["volumes"]


def test_every_setting_of_compose_exists():
    known = re.findall(r"^## (\S+)$", (ROOT / "schemas/config.md").read_text(encoding="utf-8"),
                       re.MULTILINE)
    settings = tomllib.loads((ROOT / "infra/compose.toml").read_text(encoding="utf-8"))
    for section, value in settings.items():
        names = [f"{section}.{key}" for key in value] if isinstance(value, dict) else [section]
        assert set(names) <= set(known)


def test_the_acls_name_every_role_and_the_brokers_know_their_users():
    printed = subprocess.run([ROOT / "infra/kafka/acls"], capture_output=True, text=True,
                             check=True).stdout
    users = set(re.findall(r'"User:(\w+)"', printed))
    assert users == ROLES | {"reader"}
    config = (ROOT / "infra/kafka/config.sh").read_text(encoding="utf-8")
    assert set(re.search(r"KAFKA_USERS=\((.*)\)", config)[1].split()) == users | {"admin"}


def test_a_right_can_be_printed_for_one_user_with_a_prefix_or_taken_away():
    def printed(*arguments):
        return subprocess.run([ROOT / "infra/kafka/acls", *arguments], capture_output=True,
                              text=True, check=False)

    lines = printed("--prefix", "st.", "auditor").stdout.splitlines()
    assert lines and all('"User:auditor"' in line and " st." in line for line in lines)
    assert all(line.startswith("--add ") for line in lines)
    assert len(printed("--remove", "auditor").stdout.splitlines()) == len(lines)
    assert "--remove --force" in printed("--remove", "auditor").stdout
    made = printed("--creator", "gateway", "auditor").stdout.splitlines()
    assert sum("Create" in line for line in made) == 0, "the creator is not among those asked for"
    made = printed("--creator", "gateway").stdout.splitlines()
    assert [line for line in made if "--operation Create" in line][0].count("--topic") == 4
    assert printed("nobody").returncode == 2
    assert '"User:CN=webhooks,OU=webhooks"' in printed("--principal", "User:CN=%,OU=%").stdout


def test_the_topics_of_a_log_can_be_printed_for_an_administrator():
    def printed(*arguments):
        return subprocess.run([ROOT / "infra/kafka/topics", *arguments], capture_output=True,
                              text=True, check=False)

    lines = printed("--prefix", "st.", "--partitions", "4",
                    "--replication", "2").stdout.splitlines()
    assert [re.search(r"--topic (\S+) --partitions (\d+) --replication-factor 2", line).groups()
            for line in lines] == [("st.events", "4"), ("st.platform", "1"), ("st.audit", "1"),
                                   ("st.keys", "1")]
    assert all("--config min.insync.replicas=2 " in line for line in lines)
    assert printed("--partitions", "many").returncode == 2
