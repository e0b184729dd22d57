{{- define "understudy.name" -}}
{{- if contains .Chart.Name .Release.Name -}}{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{- end -}}
{{- end -}}

{{- define "understudy.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "understudy.labels" -}}
{{ include "understudy.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "understudy.image" -}}
{{- if .Values.image.digest -}}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{- end -}}
{{- end -}}

{{/*
The configuration file as a map in JSON: what is given, and where TLS and the ledger have their files. The admin listener stays without TLS unless
config.server.admin_tls says otherwise: the kubelet and Prometheus ask there, and the NetworkPolicy guards it.
*/}}
{{- define "understudy.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if .Values.tls.secretName -}}
{{- $tls := dict "cert" "/etc/understudy/tls/tls.crt" "key" "/etc/understudy/tls/tls.key" -}}
{{- if .Values.tls.clientCa -}}{{- $_ := set $tls "client_ca" "/etc/understudy/tls/ca.crt" -}}{{- end -}}
{{- $server := $config.server | default dict -}}
{{- $_ := set $config "server" (mergeOverwrite $server (dict "tls" (mergeOverwrite $tls ($server.tls | default dict)) "admin_tls" ($server.admin_tls | default "off"))) -}}
{{- end -}}
{{- if and $config.ledger (not $config.ledger.journal) -}}{{- $_ := set $config.ledger "journal" "/var/lib/understudy/usage.journal" -}}{{- end -}}
{{- toJson $config -}}
{{- end -}}

{{/* The whole seconds of a duration of the configuration file, such as 500ms, 25s, 10m or 1h, rounded up. */}}
{{- define "understudy.seconds" -}}
{{- $number := float64 (regexFind "^[0-9.]+" .) -}}
{{- $unit := regexFind "[a-z]+$" . -}}
{{- $factors := dict "ms" 0.001 "s" 1.0 "m" 60.0 "h" 3600.0 -}}
{{- if not (hasKey $factors $unit) -}}{{- fail (printf "config.server.drain.grace: %q is no duration such as 25s or 10m" .) -}}{{- end -}}
{{- mulf $number (get $factors $unit) | ceil -}}
{{- end -}}

{{/* `true` where the admin listener speaks TLS. */}}
{{- define "understudy.adminTls" -}}
{{- $server := (include "understudy.config" . | fromJson).server | default dict -}}
{{- if and (or $server.tls $server.admin_tls) (ne (toString $server.admin_tls) "off") -}}true{{- end -}}
{{- end -}}

{{/* A probe of `grpc.health.v1`, or of the admin listener where the kubelet cannot ask that: it has neither TLS nor credentials. */}}
{{- define "understudy.probe" -}}
{{- $server := (include "understudy.config" .root | fromJson).server | default dict -}}
{{- if or $server.tls $server.authenticate_health -}}
httpGet: { path: {{ .path }}, port: admin{{ if include "understudy.adminTls" .root }}, scheme: HTTPS{{ end }} }
{{- else -}}
grpc: { port: 50051, service: {{ .service }} }
{{- end -}}
{{- end -}}

{{/* `true` where the doors know their callers. */}}
{{- define "understudy.hasCallers" -}}
{{- if or .Values.config.callers .Values.config.api_keys_file -}}true{{- end -}}
{{- end -}}
