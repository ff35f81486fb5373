#!/bin/sh
# Writes the secrets that compose.yaml mounts, each once: what is there is never changed. Keep a copy of
# encryption_key elsewhere: without it the saved blocks can't be read, and a backup of the database is no help.
set -eu
folder="${1:-$(dirname "$0")/secrets}"
mkdir -p "$folder"
cd "$folder"

# Only its owner may enter the folder. The files are readable, since the containers' users have other ids.
chmod 700 .
umask 022

random() { head -c 32 /dev/urandom | base64 | tr '+/' '-_'; }
random_uuid() { head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n' | sed -E 's/(.{8})(.{4}).(.{3}).(.{3})(.{12})/\1-\2-4\3-8\4-\5/'; }
once() { [ -s "$1" ] || printf '%s\n' "$2" >"$1"; }

once encryption_key "$(random)"
once postgres_password "$(random | tr -d '=_-')"
once redis_password "$(random | tr -d '=_-')"
# Field Nation takes no other form than a UUID.
once webhook_secret "$(random_uuid)"
once api_auth "admin:$(random | tr -d '=_-')"
password="$(cat postgres_password)"
once server_database_url "postgresql+asyncpg://prefect:$password@postgres/prefect"
once ledger_url "postgresql://prefect:$password@postgres/ledger"
once redis_url "redis://:$(cat redis_password)@redis:6379/0"
