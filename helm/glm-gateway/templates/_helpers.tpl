{{- define "gateway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "gateway.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := include "gateway.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "gateway.selectorLabels" -}}
app.kubernetes.io/name: {{ include "gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: gateway
{{- end }}

{{- define "gateway.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "gateway.labels" -}}
{{ include "gateway.selectorLabels" . }}
{{ include "gateway.commonLabels" . }}
{{- end }}

{{- /* The same with an operator's, which win over those that every object has. */}}
{{- define "gateway.labelsAnd" -}}
{{- mergeOverwrite (include "gateway.labels" (index . 0) | fromYaml) (default (dict) (index . 1)) | toYaml }}
{{- end }}

{{- define "gateway.valkeyLabels" -}}
app.kubernetes.io/name: {{ include "gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: valkey
{{- end }}

{{- define "gateway.testLabels" -}}
app.kubernetes.io/name: {{ include "gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: test
{{- end }}

{{- define "gateway.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "gateway.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "gateway.image" -}}
{{- $registry := default .Values.image.registry (.Values.global).imageRegistry }}
{{- with $registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end }}
{{- end }}

{{- /* Those of an umbrella chart may be bare names, as other charts have them. */}}
{{- define "gateway.pullSecrets" -}}
{{- with concat (default (list) (.Values.global).imagePullSecrets) (default (list) .Values.imagePullSecrets) }}
imagePullSecrets:
  {{- range . }}
  - {{ kindIs "string" . | ternary (dict "name" .) . | toJson }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* For the pods beside the gateway's, which have to find a node too. */}}
{{- define "gateway.whereabouts" -}}
{{- range $key := list "nodeSelector" "tolerations" }}
{{- with index $.Values $key }}
{{ $key }}:
  {{- tpl (toYaml .) $ | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{- /* preStop runs within the grace period, so it counts. */}}
{{- define "gateway.graceSeconds" -}}
{{- add .Values.drain.preStopSeconds .Values.drain.seconds .Values.drain.marginSeconds }}
{{- end }}

{{- define "gateway.hasConfig" -}}
{{- if or .Values.config.toml .Values.config.existingConfigMap .Values.config.existingSecret }}true{{ end }}
{{- end }}

{{- define "gateway.hasSecret" -}}
{{- if or .Values.zhipu.apiKey .Values.keys.value .Values.redis.url .Values.valkey.enabled }}true{{ end }}
{{- end }}

{{- define "gateway.hasRedis" -}}
{{- if or .Values.redis.url .Values.redis.existingSecret .Values.redis.elsewhere .Values.valkey.enabled (hasKey (default (dict) .Values.env) "GATEWAY_REDIS_URL") }}true{{ end }}
{{- end }}

{{- define "gateway.redisUrl" -}}
{{- if .Values.valkey.enabled }}redis://{{ include "gateway.fullname" . }}-valkey:6379/0{{ else }}{{ .Values.redis.url }}{{ end }}
{{- end }}

{{- /* Those that are listed, and those of the address; sentinels lead to servers of another port. */}}
{{- define "gateway.redisPorts" -}}
{{- $ports := default (list) .Values.networkPolicy.redisPorts }}
{{- $url := include "gateway.redisUrl" . }}
{{- if and $url (not (hasPrefix "unix:" $url)) }}
{{- range splitList "," (regexReplaceAll "^[a-z+]+://([^@/]*@)?([^/]*).*$" $url "${2}") }}
{{- $ports = append $ports (regexFind "[0-9]+$" (regexFind ":[0-9]+$" .) | default (hasPrefix "redis+sentinel" (replace "rediss" "redis" $url) | ternary "26379" "6379") | int) }}
{{- end }}
{{- end }}
{{- uniq $ports | toJson }}
{{- end }}

{{- /* Helm reads every number as a float, whose own text for a large one is 5e+08. */}}
{{- define "gateway.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end }}
{{- end }}

{{- /* Every variable by its name, so that none can be there twice: server-side apply refuses that. */}}
{{- define "gateway.environment" -}}
{{- $env := dict
    "GATEWAY_HOST" (dict "value" "0.0.0.0")
    "GATEWAY_PORT" (dict "value" "8080")
    "GATEWAY_METRICS_PORT" (dict "value" "9464")
    "GATEWAY_DRAIN_SECONDS" (dict "value" (include "gateway.text" .Values.drain.seconds))
    "GATEWAY_LOGS_FORMAT" (dict "value" "json") }}
{{- if include "gateway.hasConfig" . }}
{{- $_ := set $env "GATEWAY_CONFIG" (dict "value" "/etc/glm-gateway/config/gateway.toml") }}
{{- end }}
{{- $secret := include "gateway.fullname" . }}
{{- $said := list
    (list "ZHIPU_API_KEY" .Values.zhipu.existingSecret .Values.zhipu.existingSecretKey .Values.zhipu.apiKey)
    (list "GATEWAY_KEYS" .Values.keys.existingSecret .Values.keys.existingSecretKey .Values.keys.value)
    (list "GATEWAY_REDIS_URL" .Values.redis.existingSecret .Values.redis.existingSecretKey (include "gateway.redisUrl" .)) }}
{{- range $said }}
{{- $name := index . 0 }}
{{- if index . 1 }}
{{- $_ := set $env $name (dict "valueFrom" (dict "secretKeyRef" (dict "name" (index . 1) "key" (index . 2)))) }}
{{- else if index . 3 }}
{{- $_ := set $env $name (dict "valueFrom" (dict "secretKeyRef" (dict "name" $secret "key" $name))) }}
{{- end }}
{{- end }}
{{- $listed := regexMatch "(?m)^[ \\t]*\\[\\[[ \\t]*accounts[ \\t]*\\]\\]" (default "" .Values.config.toml) }}
{{- if and (hasKey $env "ZHIPU_API_KEY") (not $listed) .Values.zhipu.tier }}
{{- $_ := set $env "GATEWAY_ACCOUNT_TIER" (dict "value" .Values.zhipu.tier) }}
{{- end }}
{{- range $name, $value := .Values.env }}
{{- $_ := set $env $name (dict "value" (include "gateway.text" $value)) }}
{{- end }}
{{- range .Values.extraEnv }}
{{- if hasKey $env .name }}
{{- fail (printf "extraEnv names %s, which is set already; say it with its own value of this chart, or under env." .name) }}
{{- end }}
{{- $_ := set $env .name (omit . "name") }}
{{- end }}
{{- /* The key came by another way. Whole sources may hold one or not, so there only a tier counts that was chosen. */}}
{{- $whole := and .Values.extraEnvFrom (ne .Values.zhipu.tier "V0") (not (or .Values.config.existingConfigMap .Values.config.existingSecret)) }}
{{- if and (or (hasKey $env "ZHIPU_API_KEY") $whole) (not (hasKey $env "GATEWAY_ACCOUNT_TIER")) (not $listed) .Values.zhipu.tier }}
{{- $_ := set $env "GATEWAY_ACCOUNT_TIER" (dict "value" .Values.zhipu.tier) }}
{{- end }}
{{- range $name, $said := $env }}
- name: {{ $name }}
  {{- with $said }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- end }}

{{- /* Helm merges what is said into the default, and Kubernetes takes no probe of two kinds. */}}
{{- define "gateway.probe" -}}
{{- with .probe }}
{{ $.name }}Probe:
  {{- toYaml (or .exec .grpc .tcpSocket | empty | ternary . (omit . "httpGet")) | nindent 2 }}
{{- end }}
{{- end }}

{{- define "gateway.milliseconds" -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 }}
{{- mul (regexFind "^[0-9]+" .) (get $units (regexFind "[a-z]+$" .)) }}
{{- end }}
