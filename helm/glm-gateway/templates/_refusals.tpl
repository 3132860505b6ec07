{{- /* What cannot work is refused here, with what would. */}}
{{- define "gateway.refusals" -}}
{{- $v := .Values }}
{{- if and $v.zhipu.apiKey $v.zhipu.existingSecret }}
{{- fail "zhipu.apiKey and zhipu.existingSecret are both set; keep one." }}
{{- end }}
{{- if and $v.keys.value $v.keys.existingSecret }}
{{- fail "keys.value and keys.existingSecret are both set; keep one." }}
{{- end }}
{{- range $entry := splitList "," (default "" $v.keys.value) }}
{{- if and $v.keys.value (not (regexMatch "^[^:]+:.+:\\s*V[0-3]\\s*$" $entry)) }}
{{- fail "keys.value must read name:key:tier,name:key:tier, each with a tier of V0 to V3." }}
{{- end }}
{{- end }}
{{- /* The address may hold a password, so it is not repeated. */}}
{{- if and $v.redis.url (not (regexMatch "^(unix:///.+|rediss?(\\+(cluster|sentinel))?://([^:@/]*(:[^@/]*)?@)?[^@/?#]+(/[^?#]*)?)$" $v.redis.url)) }}
{{- fail "redis.url is no URL of Redis. Right are redis://host:6379/0, rediss:// for TLS, redis+cluster://host1:port,host2:port and redis+sentinel://host1:port,host2:port/primary." }}
{{- end }}
{{- range $name, $instead := dict "GATEWAY_PORT" "service.port" "GATEWAY_METRICS_PORT" "monitoring" "GATEWAY_DRAIN_SECONDS" "drain.seconds" "GATEWAY_CONFIG" "config" }}
{{- if hasKey (default (dict) $v.env) $name }}
{{- fail (printf "env names %s, on which other parts of the pod depend; say it with %s." $name $instead) }}
{{- end }}
{{- end }}
{{- range $said, $labels := dict "commonLabels" $v.commonLabels "podLabels" $v.podLabels "service.labels" $v.service.labels "monitoring.labels" $v.monitoring.labels "monitoring.dashboards.labels" $v.monitoring.dashboards.labels }}
{{- range $label := list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart" }}
{{- if hasKey (default (dict) $labels) $label }}
{{- fail (printf "%s names %s, which the chart sets itself; use nameOverride or another label." $said $label) }}
{{- end }}
{{- end }}
{{- end }}
{{- if gt (len (compact (list $v.redis.url $v.redis.existingSecret (ternary "valkey" "" $v.valkey.enabled)))) 1 }}
{{- fail "Of redis.url, redis.existingSecret and valkey.enabled, keep one." }}
{{- end }}
{{- if gt (len (compact (list $v.config.toml $v.config.existingConfigMap $v.config.existingSecret))) 1 }}
{{- fail "Of config.toml, config.existingConfigMap and config.existingSecret, keep one." }}
{{- end }}
{{- if and $v.autoscaling.enabled $v.keda.enabled }}
{{- fail "autoscaling and keda both scale the pods; enable one." }}
{{- end }}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}
{{- fail "httpRoute.parentRefs must name the Gateway that the route belongs to." }}
{{- end }}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) }}
{{- fail "ingress.hosts must name a host at least." }}
{{- end }}
{{- /* The operator of Prometheus takes no such monitor, and tells nobody but its own log. */}}
{{- $every := include "gateway.milliseconds" $v.monitoring.interval | int64 }}
{{- if and (ne $v.monitoring.monitor "none") (gt (include "gateway.milliseconds" $v.monitoring.scrapeTimeout | int64) $every) }}
{{- fail (printf "monitoring.scrapeTimeout %s is longer than monitoring.interval %s; lower it." $v.monitoring.scrapeTimeout $v.monitoring.interval) }}
{{- end }}
{{- range $scaler := list "autoscaling" "keda" }}
{{- $said := index $v $scaler }}
{{- if and $said.enabled (gt (int $said.minReplicas) (int $said.maxReplicas)) }}
{{- fail (printf "%s.minReplicas %d is more than maxReplicas %d." $scaler (int $said.minReplicas) (int $said.maxReplicas)) }}
{{- end }}
{{- end }}
{{- if $v.autoscaling.enabled }}
{{- if not (or $v.autoscaling.targetCPUUtilizationPercentage $v.autoscaling.metrics) }}
{{- fail "autoscaling needs targetCPUUtilizationPercentage or metrics." }}
{{- end }}
{{- if and $v.autoscaling.targetCPUUtilizationPercentage (not (dig "requests" "cpu" "" (default (dict) $v.resources))) }}
{{- fail "autoscaling.targetCPUUtilizationPercentage is a share of resources.requests.cpu, which is not set." }}
{{- end }}
{{- end }}
{{- $most := $v.replicaCount }}
{{- $fewest := $v.replicaCount }}
{{- if $v.autoscaling.enabled }}
{{- $most = $v.autoscaling.maxReplicas }}
{{- $fewest = $v.autoscaling.minReplicas }}
{{- else if $v.keda.enabled }}
{{- $most = $v.keda.maxReplicas }}
{{- $fewest = $v.keda.minReplicas }}
{{- end }}
{{- if and (gt (int $most) 1) (not (include "gateway.hasRedis" .)) }}
{{- fail "Several pods without Redis would each allow the whole limit. Set redis.url or redis.existingSecret; valkey.enabled to try it out; redis.elsewhere if the address is said elsewhere." }}
{{- end }}
{{- $budget := $v.podDisruptionBudget }}
{{- if $budget.enabled }}
{{- if and (not (kindIs "invalid" $budget.maxUnavailable)) (not (kindIs "invalid" $budget.minAvailable)) }}
{{- fail "podDisruptionBudget takes maxUnavailable or minAvailable; set the other to null." }}
{{- end }}
{{- if and (kindIs "invalid" $budget.maxUnavailable) (kindIs "invalid" $budget.minAvailable) }}
{{- fail "podDisruptionBudget needs maxUnavailable or minAvailable." }}
{{- end }}
{{- if has (toString $budget.maxUnavailable) (list "0" "0%") }}
{{- fail "podDisruptionBudget.maxUnavailable 0 would keep nodes from being drained." }}
{{- end }}
{{- if not (kindIs "invalid" $budget.minAvailable) }}
{{- /* Kubernetes rounds a share up. */}}
{{- $stay := int $budget.minAvailable }}
{{- if kindIs "string" $budget.minAvailable }}
{{- $stay = div (add (mul (trimSuffix "%" $budget.minAvailable | int) (int $fewest)) 99) 100 }}
{{- end }}
{{- if ge (int $stay) (int $fewest) }}
{{- fail (printf "podDisruptionBudget.minAvailable %v of %d pods would keep nodes from being drained." $budget.minAvailable (int $fewest)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
