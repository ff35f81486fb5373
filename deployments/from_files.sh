#!/bin/sh
# Runs a command with settings that are read from files, so that no secret stands in a unit file, a compose
# file, or an image: for every variable NAME_FILE in the environment, NAME becomes that file's content.
# Prefect takes its encryption key only from the environment, and keeps it in its database otherwise.
#
#   PREFECT_SERVER_ENCRYPTION_KEY_FILE=/run/secrets/encryption_key deployments/from_files.sh prefect server start
set -eu

names='PREFECT_SERVER_ENCRYPTION_KEY PREFECT_SERVER_DATABASE_CONNECTION_URL PREFECT_SERVER_API_AUTH_STRING'
names="$names PREFECT_API_AUTH_STRING PREFECT_REDIS_MESSAGING_URL PREFECT_SERVER_DOCKET_URL"
names="$names CONNECTWISE_FLOWS_LEDGER_URL"
names="$names CONNECTWISE_FLOWS_NOTIFY_SLACK CONNECTWISE_FLOWS_NOTIFY_TEAMS CONNECTWISE_FLOWS_SMTP_URL"
names="$names CONNECTWISE_PUBLIC_KEY CONNECTWISE_PRIVATE_KEY CONNECTWISE_CLIENT_ID LANSWEEPER_ACCESS_TOKEN"
names="$names FIELD_NATION_CLIENT_ID FIELD_NATION_CLIENT_SECRET FIELD_NATION_PASSWORD FIELD_NATION_WEBHOOK_SECRET"

for name in $names; do
    eval "file=\${${name}_FILE:-}"
    [ -n "$file" ] || continue
    if ! [ -r "$file" ] || ! [ -s "$file" ]; then
        echo "${name}_FILE names $file, which is empty or can't be read. Write it, or unset ${name}_FILE." >&2
        exit 78 # EX_CONFIG: trying again does not help
    fi
    # The shell drops the line ends that editors put at the end of a file.
    eval "$name=\$(cat \"\$file\") && export $name"
    unset "${name}_FILE"
done

exec "$@"
