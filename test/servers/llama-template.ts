/** A Jinja template by which the last message, or the tools, choose what the tiny model says. */
export const LLAMA_TEMPLATE = `{%- set ns = namespace(end='<|say|>') -%}
{%- if tools %}{% set ns.end = '<|call|>' %}{% endif -%}
{%- for message in messages -%}
{%- if message.role == 'tool' %}{% set ns.end = '<|told|>' %}
{%- elif message.content == 'Sing.' %}{% set ns.end = '<|sing|>' %}
{%- elif message.content == 'JSON.' %}{% set ns.end = '<|json|>' %}{% endif -%}
{{- message.content or '' }}
{%- for call in message.tool_calls or [] -%}
<tool_call>{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}</tool_call>
{%- endfor -%}
{%- endfor -%}
{{- ns.end }}`;
