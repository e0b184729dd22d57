#!/usr/bin/env bash
# Every call with grpcurl, by reflection, at a gateway that `npm start` has started.
set -euo pipefail
address=${1:-127.0.0.1:50051}

call() {
  echo "== $1"
  grpcurl -plaintext "${@:2}"
}
llm() {
  call "$1" -d "$2" "$address" "understudy.v1.LlmService/$1"
}

call 'The services' "$address" list
call 'What Generate takes' "$address" describe understudy.v1.GenerateRequest

llm Generate '{"prompt": "Say hello."}'
llm Chat '{"messages": [{"role": "ROLE_USER", "content": [{"text": "Say hello."}]}]}'
llm StreamChat '{"messages": [{"role": "ROLE_USER", "content": [{"text": "Say hello."}]}]}'
llm Health '{}'
llm ListModels '{"page_size": 3}'

call 'Health of the process' "$address" grpc.health.v1.Health/Check
call 'Health of the service' -d '{"service": "understudy.v1.LlmService"}' "$address" grpc.health.v1.Health/Check

# An error tells in its details which field is wrong.
llm Generate '{"prompt": "Say hello.", "options": {"temperature": 9}}' || echo "grpcurl ended with $?"
