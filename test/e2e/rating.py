# SPDX-License-Identifier: Apache-2.0
"""What a run costs, computed anew from what the API says of it."""

GRACE_MS = 2000  # a host may notice the time limit late; what it measures beyond is not charged
UNIT = 1024 * 1000 * 1000  # MiB x core/1000 x ms in one GiB x core x second


def rated(limits, wall_us, card):
    """Microcredits, rounded up, of a run that took wall_us."""
    wall_ms = min(-(-wall_us // 1000), limits["wall_ms"] + GRACE_MS)
    price = card["microcredits_per_gib_core_second"]
    return -(-limits["memory_mib"] * limits["cpu_millis"] * wall_ms * price // UNIT)


def worst_case(limits, card):
    return rated(limits, (limits["wall_ms"] + GRACE_MS) * 1000, card)


def account_sums(entries):
    """{account: microcredits} over all postings; every single entry must balance."""
    sums = {}
    for entry in entries:
        assert sum(p["amount_microcredits"] for p in entry["postings"]) == 0, entry
        for posting in entry["postings"]:
            account = posting["account"]
            sums[account] = sums.get(account, 0) + posting["amount_microcredits"]
    return sums
