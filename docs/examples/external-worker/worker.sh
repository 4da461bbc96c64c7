#!/usr/bin/env bash
# SPDX-License-Identifier: MPL-2.0
# The smallest worker outside: one job with curl and jq. Needs SAGSGANG_URL, SAGSGANG_KEY, OLD_SYSTEM.
set -euo pipefail

call() { # address below /api/v1/, body
    curl --silent --show-error --fail-with-body "$SAGSGANG_URL/api/v1/$1" \
        --header "Authorization: Bearer $SAGSGANG_KEY" --json "$2"
}

job=$(call jobs/fetch '{"worker": "shell", "types": ["book-equipment"], "max_jobs": 1, "wait_seconds": 30}' |
    jq --compact-output '.jobs[0] // empty')
[ -n "$job" ] || { echo "There was no job."; exit 0; }
field() { jq --raw-output "$1" <<<"$job"; }

if number=$(curl --silent --fail --request PUT "$OLD_SYSTEM/bookings/$(field .idempotency_key)" \
    --json "$(field .inputs)" | jq --raw-output .number); then
    call "jobs/$(field .id)/complete" \
        "$(jq --null-input --arg lock "$(field .lock)" --arg number "$number" \
            '{lock: $lock, variables: {receipt: $number}}')"
else
    call "jobs/$(field .id)/fail" \
        "$(jq --null-input --arg lock "$(field .lock)" \
            '{lock: $lock, code: "old-system", message: "Indkøbssystemet svarer ikke."}')"
fi
